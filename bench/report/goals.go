package report

import "slices"

// The engines that goals name.
const (
	ours       = "tsdb"
	prometheus = "prometheus"
	victoria   = "victoriametrics"
)

// best tells which of several rounds counts: disturbance only ever adds time and takes rate.
type best int

const (
	lowest best = iota
	highest
)

// figure is one number of a phase's result.
type figure struct {
	phase, variant, name string
	best                 best
	scale                float64 // of the number shown
	format               string
}

// The figures that the goals are about.
var (
	totalCPU     = figure{"ingest", "1", "total_cpu_s_per_million", lowest, 1, "%.2f"}
	appendCPU    = figure{"ingest", "1", "ingest_cpu_s_per_million", lowest, 1, "%.2f"}
	rateOne      = figure{"ingest", "1", "samples_per_s", highest, 1e-6, "%.2f"}
	rateTwo      = figure{"ingest", "2", "samples_per_s", highest, 1e-6, "%.2f"}
	rateFsync    = figure{"ingest", "fsync", "samples_per_s", highest, 1e-6, "%.2f"}
	atRest       = figure{"ingest", "1", "at_rest_bytes_per_sample", lowest, 1, "%.2f"}
	ingestMemory = figure{"ingest", "1", "peak_mib", lowest, 1, "%.0f"}
	q1           = figure{"query", "", "q1_best_us", lowest, 1, "%.0f"}
	q2           = figure{"query", "", "q2_median_us", lowest, 1, "%.0f"}
	q3           = figure{"query", "", "q3_best_us", lowest, 1, "%.0f"}
	q3stored     = figure{"query", "", "q3stored_best_us", lowest, 1, "%.0f"}
	q4           = figure{"query", "", "q4_best_us", lowest, 1e-3, "%.2f"}
	q5           = figure{"query", "", "q5_best_us", lowest, 1, "%.0f"}
	reopen       = figure{"query", "", "reopen_ms", lowest, 1, "%.1f"}
	reopenKilled = figure{"crash-check", "", "reopen_ms_per_million", lowest, 1, "%.1f"}
	killedCPU    = figure{"crash-check", "", "reopen_cpu_ms_per_million", lowest, 1, "%.1f"}
	lost         = figure{"crash-check", "", "lost", highest, 1, "%.0f"}
	inexact      = figure{"verify", "", "inexact_series", highest, 1, "%.0f"}
)

// bound compares a figure of ours with a peer's: at most (or, for rates, at least) ratio times the peer's.
type bound struct {
	peer   string
	ratio  float64
	figure *figure // of the peer when it is another than the goal's; nil: the same
}

// goal is one row of the table. All bounds must hold.
type goal struct {
	what    string
	figure  figure
	atLeast bool
	bounds  []bound
	limit   *float64 // an absolute bound instead
}

func than(p, v float64) []bound {
	var b []bound
	if p > 0 {
		b = append(b, bound{peer: prometheus, ratio: p})
	}
	if v > 0 {
		b = append(b, bound{peer: victoria, ratio: v})
	}
	return b
}

func own(ratio float64, f *figure) []bound { return []bound{{peer: ours, ratio: ratio, figure: f}} }

var none = 0.0

// goalsOf returns the goals for a set. A set without goals of its own has those of D3.
func goalsOf(set string) []goal {
	pick := func(d1, d2, d3 float64) float64 {
		switch set {
		case "D1":
			return d1
		case "D2":
			return d2
		}
		return d3
	}
	goals := []goal{
		{what: "ingest, CPU s per million, sealed and compacted", figure: totalCPU, bounds: than(pick(1, 0.5, 0.5), 0.6)},
		{what: "ingest, CPU s per million, while appending", figure: appendCPU},
		{what: "ingest, 1 goroutine, M samples/s", figure: rateOne, atLeast: true, bounds: than(1, 2)},
		{what: "ingest, 2 goroutines, M samples/s", figure: rateTwo, atLeast: true, bounds: own(1.4, &rateOne)},
		{what: "ingest, fsync each 1,000, M samples/s", figure: rateFsync, atLeast: true, bounds: own(0.5, &rateOne)},
		{what: "bytes a sample at rest, all in", figure: atRest, bounds: than(pick(0.45, 0.45, 0.25), pick(0.93, 0.82, 0.85))},
		{what: "q1 all samples of a series, us (best)", figure: q1, bounds: than(0.35, 0.7)},
		{what: "q2 one hour of a series, us (median)", figure: q2, bounds: than(pick(0.7, 1, 1), 0.5)},
		{what: "q3 mean per 5 min from raw, us (best)", figure: q3, bounds: than(0.4, 0.8)},
		{what: "q4 mean per 5 min, a group, last hour, ms (best)", figure: q4, bounds: than(pick(0.4, 1, 1), pick(0, 0.8, 0.8))},
		{what: "q5 series of a project, names read, us (best)", figure: q5, bounds: than(pick(0, 0.02, 0), pick(0, 0.2, 0))},
		{what: "reopen after a clean close, ms", figure: reopen, bounds: than(pick(0, 0.1, 0), 0.25)},
		{what: "reopen after kill -9, ms per million samples", figure: reopenKilled, bounds: than(0.5, 0)},
		{what: "reopen after kill -9, CPU ms per million", figure: killedCPU},
		{what: "peak memory while ingesting, MiB", figure: ingestMemory, bounds: than(pick(0, 0.6, 0), 0.6)},
		{what: "acknowledged samples lost at kill -9", figure: lost, limit: &none},
		{what: "series not exact to the bit", figure: inexact, limit: &none},
	}
	if set == "D1" {
		stored := goal{what: "q3 from the policy's points, us (best)", figure: q3stored,
			bounds: []bound{{peer: prometheus, ratio: 0.1, figure: &q3}}}
		goals = slices.Insert(goals, slices.IndexFunc(goals, func(g goal) bool { return g.figure == q4 }), stored)
	}
	return goals
}
