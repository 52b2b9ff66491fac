package goals

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/results"
)

func TestSheet(t *testing.T) {
	s := &Sheet{Section: "9 none", Peer: "somebody", Recorded: true}
	s.AtMost("a cost", "ms", 3, Asked{Peer: 9, Goal: 4, Stretch: 2}, "a note")
	s.AtLeast("a rate", "samples/s", 3, Asked{Goal: 4}, "")
	s.AtMost("a figure", "MB", 7, Asked{}, "")
	s.Partial = true
	s.AtMost("a part", "ms", 3, Asked{Peer: 9, Goal: 4}, "of ten")
	s.AtMost("another", "ms", 3, Asked{Goal: 1}, "")
	for i, want := range []struct {
		met, has bool
		peer     string
		recorded bool
		note     string
	}{
		{true, true, "somebody", true, "a note"},
		{false, true, "", false, ""},
		{false, false, "", false, ""},
		{false, false, "", false, "part of the work; of ten"},
		{false, false, "", false, "part of the work"},
	} {
		g := s.Goals[i]
		if met, has := g.Met(); met != want.met || has != want.has || g.Peer != want.peer || g.Recorded != want.recorded || g.Note != want.note || g.Section != "9 none" {
			t.Errorf("%+v, want %+v", g, want)
		}
	}
	if g := s.Goals[0]; *g.PeerIs != 9 || *g.Limit != 4 || *g.Stretch != 2 || g.AtLeast || !s.Goals[1].AtLeast {
		t.Errorf("%+v", g)
	}
	if r := s.Records(); len(r) != 5 || r[1].Goal.What != "a rate" {
		t.Errorf("%+v", r)
	}
}

// flagsOf are Flags that a command line has set.
func flagsOf(t *testing.T, reporting bool, args ...string) *Flags {
	t.Helper()
	fs := flag.NewFlagSet("x", flag.ContinueOnError)
	var f *Flags
	if reporting {
		f = Reporting(fs)
	} else {
		f = New("x", fs)
	}
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestShow(t *testing.T) {
	dir := t.TempDir()
	file, markdown := filepath.Join(dir, "r.jsonl"), filepath.Join(dir, "r.md")
	s := &Sheet{Section: "9 none"}
	s.AtMost("a cost", "ms", 3, Asked{Goal: 4}, "")
	var out strings.Builder
	f := flagsOf(t, true, "-results", file, "-o", markdown, "-strict")
	if err := f.Show(&out, s.Goals, "said below", results.Record{Growth: &results.Growth{Dimension: "metrics", Size: 3}}); err != nil {
		t.Error(err)
	}
	s.AtMost("too much", "ms", 5, Asked{Goal: 4}, "")
	if err := f.Show(&out, s.Goals, ""); !errors.Is(err, ErrNotMet) {
		t.Errorf("a goal is missed, and the error is %v", err)
	}
	if err := flagsOf(t, true).Show(&out, s.Goals, ""); err != nil {
		t.Errorf("without -strict: %v", err)
	}
	if text := out.String(); !strings.Contains(text, "a cost") || !strings.Contains(text, "said below") {
		t.Error(text)
	}
	records, err := results.Read(file)
	if err != nil || len(records) != 4 || records[1].Growth == nil || records[3].Goal.What != "too much" {
		t.Errorf("%+v, %v", records, err)
	}
	if text, err := os.ReadFile(markdown); err != nil || !strings.Contains(string(text), "| too much |") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestShowTable(t *testing.T) {
	w := table.NewWriter()
	w.AppendRow(table.Row{"one"})
	if err := flagsOf(t, true, "-o", filepath.Join(t.TempDir(), "none", "r.md")).ShowTable(new(strings.Builder), w, "", nil); err == nil {
		t.Error("a table that cannot be written is no error")
	}
}

func TestServer(t *testing.T) {
	f := flagsOf(t, false, "-work", "w", "-tsdb", "bin/tsdb", "-serve", "--memory  64MiB")
	binary, dir, args, err := f.Server()
	if err != nil || binary != "bin/tsdb" || dir != filepath.Join("w", "x") || strings.Join(args, ",") != "--memory,64MiB" {
		t.Errorf("%s %s %q %v", binary, dir, args, err)
	}
}
