package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestListNamesEverything(t *testing.T) {
	var out bytes.Buffer
	if err := command(context.Background(), []string{"list"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"mongodb", "gnocchi", "devops", "crash", "ceilometer"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nothing about %s in\n%s", want, out.String())
		}
	}
}

func TestCommandsThatAreNone(t *testing.T) {
	for _, args := range [][]string{{"fly"}, {"run", "-phases", "warp", "-work", t.TempDir()}, {"run", "surplus"}, {"run", "-writers", "two"}, {"report"}, {"compare"}} {
		if err := command(context.Background(), args, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	if err := command(context.Background(), []string{"run", "-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("%v, want help", err)
	}
}

func TestOptions(t *testing.T) {
	work := t.TempDir()
	old := filepath.Join(work, "results.jsonl")
	if err := os.WriteFile(old, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := options([]string{"-work", work, "-targets", "tsdb,mongots", "-goals", "none", "-mongodb", "mongodb://x", "-writers", "1,4"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(o.Targets, []string{"tsdb", "mongots"}) || o.Parts != nil || o.URIs["mongots"] != "mongodb://x" || !slices.Equal(o.Writers, []int{1, 4}) {
		t.Errorf("%+v", o)
	}
	if _, err := os.Stat(filepath.Join(work, "results.old.jsonl")); err != nil || o.Out != old {
		t.Errorf("%s; the results of the run before: %v", o.Out, err)
	}
}

func TestRepeatTellsNoPassword(t *testing.T) {
	got := repeat([]string{"-mongodb", "mongodb://admin:secret@db/x", "-gnocchi=http://u:secret@g", "-sets", "A:3"})
	if strings.Contains(got, "secret") || got != "go run ./cmd/bench -mongodb mongodb://...@db/x -gnocchi=http://...@g -sets A:3" {
		t.Error(got)
	}
}
