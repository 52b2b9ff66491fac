package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
)

// settings are what the command line says.
type settings struct {
	dir, out, results, only     string
	metrics, resources, cycles  int
	few, searched               int
	memoryMiB                   int64
	raw, lazy, keep, profile    bool
	weeksMetrics, weeksDays     int
	weeksMemoryMiB, killSamples int64
}

func main() {
	var s settings
	flag.StringVar(&s.dir, "dir", ".work/scale", "directory of the stores")
	flag.StringVar(&s.out, "o", "", "write the table to this file, too")
	flag.StringVar(&s.results, "results", "", "append what was measured, as lines of JSON, to this file")
	flag.StringVar(&s.only, "only", "", "run one part alone: ingest, search or weeks")
	flag.IntVar(&s.metrics, "metrics", 1_000_000, "metrics")
	flag.IntVar(&s.resources, "resources", 100_000, "resources, at most 10 metrics each")
	flag.IntVar(&s.cycles, "cycles", 8, "cycles of 300 s to append")
	flag.IntVar(&s.few, "few", 10_000, "metrics to compare the cost of a sample with, as many samples in all")
	flag.IntVar(&s.searched, "searched", 1_000_000, "resources of the second store for searches, of one metric each; 0: none")
	flag.Int64Var(&s.memoryMiB, "memory", 1024, "Options.MemoryBytes in MiB")
	flag.BoolVar(&s.raw, "raw", true, "keep raw samples as long as the means")
	flag.BoolVar(&s.lazy, "lazy", false, "SyncInterval: don't wait for the log to be synced")
	flag.Int64Var(&s.killSamples, "kill", 0, "samples acknowledged at which the process is killed; 0: in the middle of the last cycle")
	flag.IntVar(&s.weeksMetrics, "weeks-metrics", 2000, "metrics of the simulated weeks")
	flag.IntVar(&s.weeksDays, "weeks-days", 28, "days of them")
	flag.Int64Var(&s.weeksMemoryMiB, "weeks-memory", 8, "Options.MemoryBytes in MiB of the simulated weeks")
	flag.BoolVar(&s.keep, "keep", false, "leave the stores")
	flag.BoolVar(&s.profile, "profile", false, "write a CPU profile of each phase beside its store")
	child := flag.String("phase", "", "used by the command itself: a phase, as JSON")
	cpuprofile := flag.String("cpuprofile", "", "with -phase: the file of its CPU profile")
	flag.Parse()
	var err error
	if *child != "" {
		err = runPhase(*child, *cpuprofile)
	} else {
		err = s.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// runPhase runs the phase in this process and prints what it measured.
func runPhase(text, profile string) error {
	var p phase
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
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
	if err := p.run(); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	return json.NewEncoder(os.Stdout).Encode(p.out)
}
