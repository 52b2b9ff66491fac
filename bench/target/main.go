package target

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// ExitNotOpened is the exit status of an adapter whose target could not be opened at all: nothing further need be tried.
const ExitNotOpened = 3

var errNotOpened = errors.New("cannot be opened")

// phase is one run of an adapter.
type phase struct {
	engine  Target
	set     *dataset.Set
	store   string
	ackPath string
	batch   int
	reps    int
	seed    int           // added to the number of every pick
	span    time.Duration // of the phase mixed
	options Options
	result  *Result
	values  []float64 // newest's
}

// Main is the main function of every adapter:
//
//	ADAPTER -phase PHASE -data DIR -store DIR [-writers 2] [-batch 1000] [-fsync] [-uri URI -name NAME] [-ack FILE]
//
// It prints a Result, or to the standard error why there is none.
func Main(name string, engine Target) {
	p := phase{engine: engine, result: &Result{Target: name, Numbers: map[string]float64{}, Texts: map[string]string{}}}
	r := p.result
	flag.StringVar(&r.Phase, "phase", "", strings.Join(phaseNames(), ", "))
	data := flag.String("data", "", "directory of the prepared data set")
	flag.StringVar(&p.store, "store", "", "directory of the target's store")
	flag.IntVar(&p.options.Writers, "writers", 1, "goroutines that append")
	flag.BoolVar(&p.options.Fsync, "fsync", false, "acknowledge only what is on stable storage")
	flag.StringVar(&p.options.URI, "uri", "", "of a running server, instead of starting one")
	flag.StringVar(&p.options.Name, "name", "bench", "of the database or its like at a running server")
	flag.IntVar(&p.batch, "batch", 1000, "samples a batch")
	flag.IntVar(&p.reps, "reps", 40, "repetitions of a query")
	flag.IntVar(&p.seed, "seed", 0, "chooses the series and hours that are asked for")
	flag.DurationVar(&p.span, "span", 2*time.Second, "how long the phase mixed lasts")
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
		if errors.Is(err, errNotOpened) {
			os.Exit(ExitNotOpened)
		}
		os.Exit(1)
	}
	r.Load = loadAverages()
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// phases are what -phase may be.
func phases() map[string]func(*phase) error {
	return map[string]func(*phase) error{
		"ingest": (*phase).ingest, "query": (*phase).query, "cold": (*phase).cold, "restart": (*phase).restart,
		"mixed": (*phase).mixed, "verify": (*phase).verify, "crash-write": (*phase).crashWrite, "crash-check": (*phase).crashCheck,
		"remove": (*phase).remove,
	}
}

func phaseNames() (names []string) {
	for name := range phases() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (p *phase) run(data string) (err error) {
	run := phases()[p.result.Phase]
	if run == nil {
		return fmt.Errorf("want one of %s", strings.Join(phaseNames(), ", "))
	}
	if w := p.options.Writers; w < 1 || w > MaxWriters || p.batch < 1 {
		return fmt.Errorf("%d writers, batches of %d: want 1 to %d writers and at least 1 sample a batch", w, p.batch, MaxWriters)
	}
	if p.set, err = dataset.Open(data); err != nil {
		return err
	}
	p.result.Set = p.set.Name
	return run(p)
}

// open opens the target.
func (p *phase) open() error {
	if err := p.engine.Open(p.store, p.set, p.options); err != nil {
		return fmt.Errorf("%w: %w", errNotOpened, err)
	}
	return nil
}

// noteVersion asks an open target what it is.
func (p *phase) noteVersion() {
	v, ok := p.engine.(Versioned)
	if !ok {
		return
	}
	text, err := v.Version()
	if err != nil {
		text = fmt.Sprintf("unknown: %v", err)
	}
	p.result.Texts["version"] = text
}

// ModuleVersion is the version of a module that this program is linked with, or why it cannot be told.
func ModuleVersion(path string) (string, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", errors.New("built without modules")
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version, nil
		}
	}
	return "", fmt.Errorf("no module %s in this program", path)
}

// remove takes away what earlier runs left at a server that others run.
func (p *phase) remove() error {
	if r, ok := p.engine.(Remover); ok {
		return r.Remove(p.options)
	}
	return nil
}

func (p *phase) put(name string, v float64) { p.result.Numbers[name] = v }

func loadAverages() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}
