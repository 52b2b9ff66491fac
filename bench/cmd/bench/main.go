// Command bench compares time-series stores and servers on the same samples and questions, by turns, and reports.
//
//	go run ./cmd/bench [run] [-sets D1,A:1200] [-targets tsdb,mongodb -mongodb URI] [-rounds 3] ...
//	go run ./cmd/bench report FILE...
//	go run ./cmd/bench compare OLD NEW
//	go run ./cmd/bench list
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/suite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := command(ctx, os.Args[1:], os.Stdout)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return
	case ctx.Err() != nil:
		err = errors.New("interrupted; what was measured until then is kept")
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

func command(ctx context.Context, args []string, out io.Writer) error {
	name := "run"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	switch name {
	case "run":
		return run(ctx, args, out)
	case "report":
		return show(args, out)
	case "compare":
		return compare(args, out)
	case "list":
		return list(out)
	}
	return fmt.Errorf("no sub-command %q: there are run, report FILE..., compare OLD NEW, list", name)
}

// list prints what -targets, -sets, -phases and -goals may name.
func list(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "targets:\t")
	for _, t := range suite.Targets {
		about := t.About
		if t.Needs != "" {
			about += "; needs " + t.Needs
		}
		fmt.Fprintf(w, "  %s\t%s\n", t.Name, about)
	}
	fmt.Fprintln(w, "sets, each also as NAME:TICKS:\t")
	for _, s := range dataset.Generated() {
		fmt.Fprintf(w, "  %s\t%s\n", s[0], s[1])
	}
	fmt.Fprintln(w, "  other names\ta trace of your own: -csv FILE, or -series FILE -pts FILE")
	fmt.Fprintln(w, "phases:\t")
	for _, p := range suite.Phases {
		fmt.Fprintf(w, "  %s\t%s\n", p.Name, p.About)
	}
	fmt.Fprintln(w, "goal parts:\t")
	for _, p := range suite.Parts {
		fmt.Fprintf(w, "  %s\t%s\n", p.Name, p.About)
	}
	return w.Flush()
}
