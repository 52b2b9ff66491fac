package target

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// phase is one run of an adapter.
type phase struct {
	engine  Target
	set     *dataset.Set
	store   string
	ackPath string
	batch   int
	reps    int
	options Options
	result  *Result
}

// Main is the main function of every adapter:
//
//	ADAPTER -phase ingest|query|verify|crash-write|crash-check -data DIR -store DIR [-writers 2] [-fsync] [-ack FILE]
func Main(name string, engine Target) {
	p := phase{engine: engine, result: &Result{Target: name, Numbers: map[string]float64{}, Texts: map[string]string{}}}
	r := p.result
	flag.StringVar(&r.Phase, "phase", "", "ingest, query, verify, crash-write or crash-check")
	data := flag.String("data", "", "directory of the prepared data set")
	flag.StringVar(&p.store, "store", "", "directory of the engine's store")
	flag.IntVar(&p.options.Writers, "writers", 1, "goroutines that append, 1 or 2")
	flag.BoolVar(&p.options.Fsync, "fsync", false, "acknowledge only what is on stable storage")
	flag.IntVar(&p.batch, "batch", 1000, "samples a batch")
	flag.IntVar(&p.reps, "reps", 40, "repetitions of a query")
	flag.StringVar(&p.ackPath, "ack", "", "crash phases: file with the count of acknowledged samples")
	flag.StringVar(&r.Variant, "variant", "", "name for the result line")
	flag.IntVar(&r.Round, "round", 0, "number for the result line")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the phase to this file")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	if err := p.run(*data); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s: %v\n", name, r.Phase, err)
		os.Exit(1)
	}
	r.Load = loadAverages()
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (p *phase) run(data string) (err error) {
	if p.set, err = dataset.Open(data); err != nil {
		return err
	}
	p.result.Set = p.set.Name
	phases := map[string]func() error{
		"ingest": p.ingest, "query": p.query, "verify": p.verify, "crash-write": p.crashWrite, "crash-check": p.crashCheck,
	}
	run := phases[p.result.Phase]
	if run == nil {
		return fmt.Errorf("want one of ingest, query, verify, crash-write, crash-check")
	}
	return run()
}

func (p *phase) put(name string, v float64) { p.result.Numbers[name] = v }

func loadAverages() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}
