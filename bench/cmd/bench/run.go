package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/bench/suite"
)

// defaultLimit of samples that servers get: the slowest peers take about a thousand a second in small batches.
const defaultLimit = 100_000

// run measures, and reports whatever there is then, also when it was interrupted.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := options(args, out)
	if err != nil {
		return err
	}
	o.Command, o.Progress = repeat(args), out
	if err := os.MkdirAll(o.Work, 0o755); err != nil {
		return err
	}
	err = suite.Run(ctx, o)
	if _, none := os.Stat(o.Out); none != nil {
		return err
	}
	return errors.Join(err, reportRun(o, out))
}

func options(args []string, out io.Writer) (o suite.Options, err error) {
	fs := flag.NewFlagSet("bench run", flag.ContinueOnError)
	fs.SetOutput(out)
	list := func(name, standard, usage string) *string {
		return fs.String(name, standard, usage+", comma separated; see bench list")
	}
	targets := list("targets", strings.Join(suite.DefaultTargets(), ","), "what is measured")
	sets := list("sets", "D1,A:1200,D2", "sets of samples, each also as NAME:TICKS")
	phases := list("phases", strings.Join(suite.PhaseNames(), ","), "phases")
	parts := list("goals", strings.Join(suite.DefaultParts(), ","), "goal parts that follow, or none")
	writers := fs.String("writers", "1,2", "numbers of writers, comma separated")
	fs.IntVar(&o.Rounds, "rounds", 1, "rounds; the targets take turns in each")
	fs.StringVar(&o.Work, "work", ".work", "directory for binaries, sets, stores and results")
	fs.StringVar(&o.Out, "out", "", "file of results that is appended to (default WORK/results.jsonl, a new one)")
	fs.StringVar(&o.Source, "source", ".", "the folder bench of the repository")
	fs.BoolVar(&o.Install, "install", false, "fetch the Debian packages that targets need; some need root")
	mongodb := fs.String("mongodb", "", "URI of a MongoDB server, 3.6 or newer")
	gnocchi := fs.String("gnocchi", "", "URL of a running Gnocchi")
	fs.StringVar(&o.SeriesPath, "series", "", "series.tsv of a set of your own")
	fs.StringVar(&o.PTSPath, "pts", "", "PTS1 file of it, plain or in zstd")
	fs.StringVar(&o.CSVPath, "csv", "", "or CSV file of it, with the header time,series,value")
	fs.Int64Var(&o.Limit, "limit", defaultLimit, "most samples of a set that is given to servers; 0: any")
	fs.DurationVar(&o.Timeout, "timeout", 2*time.Minute, "of one phase")
	fs.DurationVar(&o.PartTimeout, "goal-timeout", 10*time.Minute, "of one goal part")
	fs.DurationVar(&o.Patience, "patience", 0, "with all phases of a target on a set in a round, after which the rest is left out; 0: any")
	fs.DurationVar(&o.For, "for", 0, "about how long the whole run may take; what doesn't fit is left out; 0: any")
	fs.IntVar(&o.Seed, "seed", 0, "chooses the series and hours that are asked for, and who begins")
	fs.Float64Var(&o.KillAt, "kill-at", 0.6, "part of the samples acknowledged when the writer is killed")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("what is %q? Flags come before it", fs.Arg(0))
	}
	o.Targets, o.Sets, o.Phases, o.Parts = split(*targets), split(*sets), split(*phases), split(*parts)
	for _, text := range split(*writers) {
		n, err := strconv.Atoi(text)
		if err != nil {
			return o, fmt.Errorf("-writers %q: want numbers", *writers)
		}
		o.Writers = append(o.Writers, n)
	}
	o.URIs = map[string]string{"mongodb": *mongodb, "mongots": *mongodb, "gnocchi": *gnocchi}
	if o.Out == "" {
		o.Out = filepath.Join(o.Work, "results.jsonl")
		if err := os.Rename(o.Out, filepath.Join(o.Work, "results.old.jsonl")); err != nil && !errors.Is(err, os.ErrNotExist) {
			return o, err
		}
	}
	return o, nil
}

// split takes a list apart; "none" is an empty one.
func split(text string) []string {
	if text == "" || text == "none" {
		return nil
	}
	return strings.Split(text, ",")
}

// repeat is the command that makes the same run. A password in a URI is nobody's business.
func repeat(args []string) string {
	words := []string{"go", "run", "./cmd/bench"}
	for _, a := range args {
		if before, after, ok := strings.Cut(a, "://"); ok {
			if _, host, secret := strings.Cut(after, "@"); secret {
				a = before + "://...@" + host
			}
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}
