package report

import (
	"slices"
	"strings"

	"github.com/telemetrydb/tsdb/bench/target"
)

// line is what one phase of one target showed.
type line struct {
	target, set, phase, variant string
	round                       int
	load                        string
	numbers                     map[string]float64
	latencies                   map[string][]float64 // by question: microseconds in rising order
	texts                       map[string]string
	wrong                       []string // questions answered wrongly
}

func lineOf(r *target.Result) line {
	return line{target: r.Target, set: r.Set, phase: r.Phase, variant: r.Variant, round: r.Round, load: r.Load, numbers: r.Numbers, texts: r.Texts,
		latencies: r.Latencies, wrong: r.Wrong}
}

// lines are those of all runs.
type lines []line

// known are the targets, in the order of columns.
var known = []struct {
	target, name string
	served       bool
}{
	{"tsdb", "tsdb", false},
	{"prometheus", "Prometheus TSDB", false},
	{"victoriametrics", "VictoriaMetrics", false},
	{"naive", "naive Pebble", false},
	{"null", "nothing stored", false},
	{"tsdbv1", "tsdb v1", true},
	{"tsdbv2", "tsdb v2", true},
	{"mongodb", "MongoDB", true},
	{"mongots", "MongoDB series", true},
	{"gnocchi", "Gnocchi", true},
	{"promserver", "Prometheus", true},
	{"vmserver", "VictoriaMetrics", true},
	{"influxdb", "InfluxDB", true},
}

func place(target string) int {
	for i, k := range known {
		if k.target == target {
			return i
		}
	}
	return len(known)
}

// isOurs tells the project's own targets.
func isOurs(target string) bool { return strings.HasPrefix(target, ours) }

// isServed tells whether a target does its work in another process.
func (ls lines) isServed(target string) bool {
	if at := place(target); at < len(known) {
		return known[at].served
	}
	return slices.ContainsFunc(ls, func(l line) bool {
		_, has := l.numbers["server_cpu_s_per_million"]
		return has && l.target == target
	})
}

// standIn tells whether a target is only there to try the program out: FerretDB, which takes MongoDB's place in tests.
func (ls lines) standIn(target string) bool {
	return slices.ContainsFunc(ls, func(l line) bool {
		return l.target == target && strings.Contains(strings.ToLower(l.texts["version"]), "ferretdb")
	})
}

// name is what the tables call a target.
func (ls lines) name(target string) string {
	switch at := place(target); {
	case ls.standIn(target):
		return "FerretDB (plumbing only)"
	case at < len(known):
		return known[at].name
	}
	return target
}

// sets lists the sets by name.
func (ls lines) sets() (out []string) {
	for _, l := range ls {
		out = append(out, l.set)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// targets lists those that a set was given to, or with "" all, in the order of columns.
func (ls lines) targets(set string) (out []string) {
	for _, l := range ls {
		if (set == "" || l.set == set) && !slices.Contains(out, l.target) {
			out = append(out, l.target)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		if d := place(a) - place(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return out
}

// figure is one number of a phase. An empty variant means any.
type figure struct{ phase, variant, name string }

// values are a figure of every round.
func (ls lines) values(target, set string, f figure) (out []float64) {
	for _, l := range ls {
		if v, has := l.numbers[f.name]; has && l.target == target && l.set == set && l.phase == f.phase && (f.variant == "" || l.variant == f.variant) {
			out = append(out, v)
		}
	}
	return out
}

// value is the best of all rounds: of losses and faults, of which none may be hidden, the worst.
func (ls lines) value(target, set string, f figure) (v float64, ok bool) {
	all := ls.values(target, set, f)
	if len(all) == 0 || ls.standIn(target) {
		return 0, false
	}
	if more, _ := directionOf(f.name); more || isFault(f.name) {
		return slices.Max(all), true
	}
	return slices.Min(all), true
}
