package scale

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// TestMain lets the test's program run phases, as the command does.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "-phase" {
		if err := RunPhase(os.Args[2], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// tiny has all of a run but its size.
func tiny(t *testing.T) Options {
	return Options{Dir: t.TempDir(), Metrics: 2000, Cycles: 4, Few: 100, MemoryMiB: 64, Registered: 4000, WeeksMetrics: 20, WeeksDays: 1, WeeksMemoryMiB: 8,
		MonthMetrics: 10, MonthDays: 1}
}

func TestWholeRun(t *testing.T) {
	o := tiny(t)
	o.Trace = t.TempDir()
	if err := dataset.Generate(o.Trace, "A", 60); err != nil {
		t.Fatal(err)
	}
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, g := range report.Goals() {
		said = append(said, g.What)
		if g.Limit != nil || !strings.HasPrefix(g.Note, "part of the work") {
			t.Errorf("%s: a part of the work is judged: %s", g.What, g.Note)
		}
		if g.Value < 0 || g.Section != "5 scale" {
			t.Errorf("%s, %s: %g", g.Section, g.What, g.Value)
		}
	}
	all := strings.Join(said, "\n")
	for _, want := range []string{
		"cost of a sample of 2,000 metrics, until closed", "cost of a sample of 2,000 metrics, second half", "memory, 2,000 metrics, 0.024 M samples an hour",
		"memory, 2,000 metrics of 4,000 registered", "open after a clean close, 2,000 metrics", "open after kill -9, 2,000 metrics", "range of a metric, all its points",
		"search among 400 resources, the slowest of 9 filters: to the bitmap", "first 100, sorted", "1 days of 20 metrics at 300 s: written, for a byte of samples",
		"a month of 100,000 metrics at 60 s (4.32 G samples), the model's values", "4.32 G samples), values of the trace A", "a day of that month, values of the trace",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("there is no %s in\n%s", want, all)
		}
	}
	if n := len(report.Growth()); n != 2 {
		t.Errorf("%d sizes", n)
	}
	if !strings.Contains(report.Note(), "| not flavor |") {
		t.Error(report.Note())
	}
	if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestPreparedCatalogue(t *testing.T) {
	o := tiny(t)
	o.Parts, o.Prepare = []string{"weeks"}, true
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	o.Prepare = false
	other := o
	other.WeeksMemoryMiB++
	if _, err := Run(context.Background(), other); err == nil {
		t.Error("a catalogue prepared for other sizes is used")
	}
	o.Keep = true
	for range 2 { // with the catalogue, and with what a run left
		report, err := Run(context.Background(), o)
		if err != nil || len(report.Goals()) == 0 {
			t.Fatal(err, report.Goals())
		}
	}
}

func TestInterruptedRunLeavesNothing(t *testing.T) {
	o := tiny(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left, err := os.ReadDir(o.Dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestWrongSizes(t *testing.T) {
	for _, wrong := range []func(*Options){
		func(o *Options) { o.Parts = []string{"searching"} },
		func(o *Options) { o.Metrics = 5 },
		func(o *Options) { o.Registered = 1_500_000 },
		func(o *Options) { o.Few = 70 },
		func(o *Options) { o.Cycles = 1 },
		func(o *Options) { o.MonthDays = 31 },
	} {
		o := Defaults()
		o.Dir = t.TempDir()
		wrong(&o)
		if _, err := Run(context.Background(), o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// A metric gets nothing twice of a trace, and what it gets is of its kind.
func TestReplayed(t *testing.T) {
	s := stream{trace: make([][]float64, 4*kinds)}
	for i := range s.trace {
		s.trace[i] = []float64{float64(10 * i), float64(10*i + 1)}
	}
	seen := map[float64]bool{}
	for cycle := range 8 {
		v := s.replayed(13, cycle)
		if seen[v] || int(v)/10%kinds != 3 {
			t.Errorf("cycle %d: %g", cycle, v)
		}
		seen[v] = true
	}
}

// Only resources whose metrics get samples are alive.
func TestAlive(t *testing.T) {
	p := phase{Metrics: 1000, Active: 100}
	for i := range p.Metrics / kinds {
		if alive := resource(i, 100, i%p.stride() == 0).EndedAt == nil; alive != (i%10 == 0) {
			t.Errorf("resource %d: %v", i, alive)
		}
	}
}
