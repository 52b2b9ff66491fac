// Command gen prints a workload as JSON lines.
//
//	go run ./cmd/gen A                  # every measure of workload A
//	go run ./cmd/gen -resources B       # the resources of workload B
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/telemetrydb/tsdb/bench/workload"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("gen", flag.ContinueOnError)
	ticks := fs.Int("ticks", 0, "print only so many ticks")
	repetition := fs.Int("rep", 0, "repetition: the same values under other resource ids")
	instances := fs.Int("instances", 1000, "instances of workload B")
	resources := fs.Bool("resources", false, "print the resources instead of the measures")
	if err := fs.Parse(args); err != nil {
		return err
	}
	var w *workload.Workload
	switch fs.Arg(0) {
	case "A":
		w = workload.A(*repetition)
	case "B":
		w = workload.B(*instances, *repetition)
	default:
		return fmt.Errorf("name a workload: A or B")
	}
	if *resources {
		return w.WriteResources(out)
	}
	if *ticks <= 0 {
		*ticks = w.Ticks
	}
	return w.WriteRows(out, *ticks)
}
