// Command scale measures the engine with many metrics and prints what that cost beside the goals.
//
//	cd bench && go run ./cmd/scale [-only held,weeks] [-results FILE] [-trace .work/D3]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"

	"github.com/telemetrydb/tsdb/bench/goals"
	"github.com/telemetrydb/tsdb/bench/scale"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags := goals.Reporting(fs)
	o := scale.Defaults()
	work := fs.String("work", ".work", "scratch directory, with stores of some 4 GB")
	only := fs.String("only", "", "these parts alone, comma separated: "+parts())
	fs.IntVar(&o.Metrics, "metrics", o.Metrics, "metrics that get samples")
	fs.IntVar(&o.Cycles, "cycles", o.Cycles, "cycles of 300 s that they get")
	fs.IntVar(&o.Few, "few", o.Few, "metrics to compare the cost of a sample with, as many samples in all")
	fs.IntVar(&o.Registered, "registered", o.Registered, "metrics of the store of which -metrics get samples")
	fs.Int64Var(&o.MemoryMiB, "memory", o.MemoryMiB, "Options.MemoryBytes in MiB")
	fs.IntVar(&o.WeeksMetrics, "weeks-metrics", o.WeeksMetrics, "metrics of the weeks")
	fs.IntVar(&o.WeeksDays, "weeks-days", o.WeeksDays, "days of them")
	fs.Int64Var(&o.WeeksMemoryMiB, "weeks-memory", o.WeeksMemoryMiB, "Options.MemoryBytes in MiB of the weeks")
	fs.IntVar(&o.MonthMetrics, "month-metrics", o.MonthMetrics, "metrics of the month, with memory in proportion")
	fs.IntVar(&o.MonthDays, "month-days", o.MonthDays, "days of it")
	fs.StringVar(&o.Trace, "trace", "", "directory of a set that cmd/prep has made, whose values a month gets, too")
	fs.BoolVar(&o.Prepare, "prepare", false, "only make the catalogues, which the next run of the same sizes finds")
	fs.BoolVar(&o.Keep, "keep", false, "leave the stores until the next run")
	fs.BoolVar(&o.Profile, "profile", false, "write a CPU profile of each phase beside its store")
	phase := fs.String("phase", "", "used by the command itself: a phase, as JSON")
	profile := fs.String("cpuprofile", "", "with -phase: the file of its CPU profile")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *phase != "" {
		return runPhase(*phase, *profile, out)
	}
	o.Dir = filepath.Join(*work, "scale")
	if *only != "" {
		o.Parts = strings.Split(*only, ",")
	}
	report, err := scale.Run(ctx, o)
	if o.Prepare {
		return err
	}
	return errors.Join(err, flags.Show(out, report.Goals(), report.Note(), report.Growth()...))
}

func parts() string {
	var names []string
	for _, p := range scale.Parts {
		names = append(names, p.Name+" ("+p.About+")")
	}
	return strings.Join(names, "; ")
}

func runPhase(phase, profile string, out io.Writer) (err error) {
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	return scale.RunPhase(phase, out)
}
