package scale

import (
	"fmt"
	"slices"
	"strings"
)

// Options say what to measure and how large.
type Options struct {
	Dir   string   // of the stores, made
	Parts []string // names of Parts; none: all

	Metrics, Cycles int   // metrics that get samples, ten a resource, and how many cycles of 300 s
	Few             int   // metrics that get as many samples in all, to compare the cost of one with
	MemoryMiB       int64 // Options.MemoryBytes of these and of the registered
	Registered      int   // metrics of the store in which Metrics of them get samples

	WeeksMetrics, WeeksDays int   // metrics and days of 300 s whose writing is measured
	WeeksMemoryMiB          int64 // Options.MemoryBytes for them

	MonthMetrics, MonthDays int    // metrics and days of 60 s that stand for a month of a hundred thousand
	Trace                   string // directory of a prepared set whose values a month gets, too; empty: none

	Prepare bool // only make the catalogues of the stores, which the next run finds
	Keep    bool // leave the stores
	Profile bool // write a CPU profile of each phase beside its store
}

// Defaults are the sizes that the goals are about, but for the month, of which a hundredth is measured.
func Defaults() Options {
	return Options{
		Dir:     ".work/scale",
		Metrics: 1_000_000, Cycles: 24, Few: 10_000, MemoryMiB: 1600, Registered: 10_000_000,
		WeeksMetrics: 10_000, WeeksDays: 30, WeeksMemoryMiB: 64,
		MonthMetrics: 1000, MonthDays: 30,
	}
}

// Part is a store, or two, and what is measured with it.
type Part struct{ Name, About string }

// Parts are all there are, in their order.
var Parts = []Part{
	{"held", "many metrics that get samples: cost beside that of few, memory, opening, reading one"},
	{"registered", "many more metrics, of which as many get samples: searching, memory, opening"},
	{"weeks", "weeks of 300 s: what is written for what is kept"},
	{"month", "a part of a month of 60 s: bytes, ranges of one metric; with a trace, also of its values"},
}

func (o *Options) check() error {
	for _, name := range o.Parts {
		if !slices.ContainsFunc(Parts, func(p Part) bool { return p.Name == name }) {
			var names []string
			for _, p := range Parts {
				names = append(names, p.Name)
			}
			return fmt.Errorf("no part %q: there are %s", name, strings.Join(names, ", "))
		}
	}
	for _, n := range []int{o.Metrics, o.Few, o.Registered, o.WeeksMetrics, o.MonthMetrics} {
		if n < kinds || n%kinds != 0 {
			return fmt.Errorf("%d metrics are not %d for each of some resources", n, kinds)
		}
	}
	switch {
	case o.Cycles < 2 || o.WeeksDays < 1 || o.MonthDays < 1:
		return fmt.Errorf("%d cycles, %d and %d days: want at least 2, and a day", o.Cycles, o.WeeksDays, o.MonthDays)
	case o.MonthDays*daySeconds > int(retention.Seconds()) || o.WeeksDays*daySeconds > int(retention.Seconds()):
		return fmt.Errorf("%d and %d days are more than what the policy keeps", o.WeeksDays, o.MonthDays)
	case o.Registered%o.Metrics != 0:
		return fmt.Errorf("%d metrics are no whole part of %d", o.Metrics, o.Registered)
	case o.Cycles*o.Metrics%o.Few != 0:
		return fmt.Errorf("%d metrics cannot have as many samples as %d in %d cycles", o.Few, o.Metrics, o.Cycles)
	}
	return nil
}

// wants tells whether a part is to be measured.
func (o *Options) wants(part string) bool { return len(o.Parts) == 0 || slices.Contains(o.Parts, part) }

// less tells whether a part has been made smaller than what the goals are about.
func (o *Options) less(part string) bool {
	d := Defaults()
	switch part {
	case "held":
		return o.Metrics < d.Metrics || o.Few > d.Few
	case "registered":
		return o.Metrics < d.Metrics || o.Registered < d.Registered
	case "weeks":
		return o.WeeksDays < d.WeeksDays
	}
	return o.MonthDays < d.MonthDays
}
