package report

import (
	"fmt"
	"slices"

	"github.com/telemetrydb/tsdb/bench/results"
)

// The targets that goals name.
const (
	ours       = "tsdb"
	prometheus = "prometheus"
	victoria   = "victoriametrics"
)

const engineSection = "3 engines"

// The figures that the goals of linked-in stores are about.
var (
	totalCPU     = figure{"ingest", "1", "total_cpu_s_per_million"}
	rateOne      = figure{"ingest", "1", "samples_per_s"}
	rateTwo      = figure{"ingest", "2", "samples_per_s"}
	rateFsync    = figure{"ingest", "fsync", "samples_per_s"}
	atRest       = figure{"ingest", "1", "at_rest_bytes_per_sample"}
	ingestMemory = figure{"ingest", "1", "peak_mib"}
	q1           = figure{"query", "", "q1_best_us"}
	q2           = figure{"query", "", "q2_median_us"}
	q3           = figure{"query", "", "q3_best_us"}
	q3stored     = figure{"query", "", "q3stored_best_us"}
	q4           = figure{"query", "", "q4_best_us"}
	q5           = figure{"query", "", "q5_best_us"}
	reopen       = figure{"query", "", "reopen_ms"}
	reopenKilled = figure{"crash-check", "", "reopen_ms_per_million"}
	lost         = figure{"crash-check", "", "lost"}
	inexact      = figure{"verify", "", "inexact_series"}
)

// bound compares a figure of ours with a peer's: at most (or, for rates, at least) ratio times the peer's.
type bound struct {
	peer           string
	ratio, stretch float64 // stretch 0: none
	figure         *figure // of the peer when it is another than the goal's; nil: the same
}

// goal is a figure of ours and what it is compared with. A goal without bounds is that there are none, of faults.
type goal struct {
	what    string
	figure  figure
	atLeast bool
	bounds  []bound
}

// judged is a goal beside what was measured, or why it was not.
type judged struct {
	results.Goal
	ask string // how the limit is meant; empty: as it stands
	why string // not empty: it cannot be judged
}

// than compares with Prometheus and VictoriaMetrics: ratios that count, and, of Prometheus, a further one. 0: none.
func than(p, v, further float64) (b []bound) {
	if p > 0 {
		b = append(b, bound{peer: prometheus, ratio: p, stretch: further})
	}
	if v > 0 {
		b = append(b, bound{peer: victoria, ratio: v})
	}
	return b
}

func own(ratio, further float64) []bound {
	return []bound{{peer: ours, ratio: ratio, stretch: further, figure: &rateOne}}
}

// goalsOf returns the goals for a set; of others than the three there are none.
func goalsOf(set string) []goal {
	if set != "D1" && set != "D2" && set != "D3" {
		return nil
	}
	pick := func(d1, d2, d3 float64) float64 {
		switch set {
		case "D1":
			return d1
		case "D2":
			return d2
		}
		return d3
	}
	size := than(pick(0.45, 0.45, 0.25), pick(0.93, 0.82, 0.85), 0)
	size[1].stretch = pick(0, 0, 0.65)
	goals := []goal{
		{"CPU a million samples, sealed and compacted", totalCPU, false, than(pick(1, 0.5, 0.5), 0.6, pick(0.8, 0.3, 0.3))},
		{"ingest, 1 goroutine", rateOne, true, than(1, 2, 1.3)},
		{"ingest, 2 goroutines", rateTwo, true, own(1.4, 1.7)},
		{"ingest, each 1,000 samples synced", rateFsync, true, own(0.5, 0)},
		{"bytes a sample at rest, all in", atRest, false, size},
		{"q1 all samples of a series, best", q1, false, than(0.35, 0.7, 0.25)},
		{"q2 one hour of a series, median", q2, false, than(pick(0.7, 1, 1), 0.5, 0.6)},
		{"q3 mean per 5 min from raw samples, best", q3, false, than(0.4, 0.8, 0.3)},
		{"q4 mean per 5 min, a group, last hour, best", q4, false, than(pick(0.4, 1, 1), pick(0, 0.8, 0.8), pick(0, 0.5, 0.5))},
		{"q5 series of a project, names read, best", q5, false, than(pick(0, 0.02, 0), pick(0, 0.2, 0), 0)},
		{"reopen after a clean close", reopen, false, than(pick(0, 0.1, 0), 0.25, 0)},
		{"reopen after kill -9, a million samples", reopenKilled, false, than(0.5, 0, 0)},
		{"peak memory while ingesting", ingestMemory, false, than(pick(0, 0.6, 0), 0.6, 0)},
		{"acknowledged samples lost at kill -9", lost, false, nil},
		{"series not exact to the bit", inexact, false, nil},
	}
	if set == "D1" {
		stored := goal{"q3 from the policy's points, best", q3stored, false, []bound{{prometheus, 0.1, 0.03, &q3}}}
		goals = slices.Insert(goals, slices.IndexFunc(goals, func(g goal) bool { return g.figure == q4 }), stored)
	}
	return slices.DeleteFunc(goals, func(g goal) bool { return g.bounds == nil && !isFault(g.figure.name) })
}

// engineGoals judges a set that was given to our linked-in store: a row for each bound.
func (r *Report) engineGoals(set string) (out []judged) {
	if !slices.Contains(r.lines.targets(set), ours) {
		return nil
	}
	for _, g := range goalsOf(set) {
		if g.bounds == nil {
			out = append(out, r.judgeFaults(set, g))
		}
		for _, b := range g.bounds {
			out = append(out, r.judge(set, g, b))
		}
	}
	return out
}

// blank is a goal of which nothing is known.
func blank(set string, g goal) judged {
	_, k := kindOf(g.figure.name)
	if _, _, ok := questionOf(g.figure.name); ok {
		k.unit = "us"
	}
	return judged{Goal: results.Goal{Section: engineSection, What: set + ": " + g.what, Unit: k.unit, AtLeast: g.atLeast}}
}

func (r *Report) judgeFaults(set string, g goal) judged {
	j := blank(set, g)
	j.Limit = new(float64)
	var ok bool
	if j.Value, ok = r.lines.value(ours, set, g.figure); !ok {
		j.why = "not run"
	}
	return j
}

func (r *Report) judge(set string, g goal, b bound) judged {
	j := blank(set, g)
	theirs := g.figure
	if b.figure != nil {
		theirs = *b.figure
	}
	j.Peer = r.lines.name(b.peer)
	if b.peer == ours {
		j.Peer = "ours, 1 goroutine, not synced"
	}
	sign := "≤"
	if g.atLeast {
		sign = "≥"
	}
	j.ask = fmt.Sprintf("%s %g of theirs", sign, b.ratio)
	mine, ok := r.lines.value(ours, set, g.figure)
	their, theyDid := r.lines.value(b.peer, set, theirs)
	j.Value = mine
	if theyDid {
		limit := b.ratio * their
		j.PeerIs, j.Limit = &their, &limit
		if b.stretch > 0 {
			further := b.stretch * their
			j.Stretch = &further
		}
	}
	question, _, _ := questionOf(g.figure.name)
	switch {
	case !ok:
		j.why = "not run"
	case !theyDid:
		j.why = j.Peer + " was not run"
	case r.differs(ours, set, question) || r.differs(b.peer, set, question):
		j.why = "the answers differ"
	}
	return j
}

// allGoals judges every goal, by section.
func (r *Report) allGoals() (out []judged) {
	for _, g := range r.goals {
		out = append(out, judged{Goal: g})
	}
	for _, set := range r.lines.sets() {
		out = append(out, r.engineGoals(set)...)
	}
	slices.SortStableFunc(out, func(a, b judged) int {
		switch {
		case a.Section < b.Section:
			return -1
		case a.Section > b.Section:
			return 1
		}
		return 0
	})
	return out
}

// verdict is yes or NO, or a dash if nothing is asked or known.
func (j *judged) verdict() string {
	switch met, has := j.Met(); {
	case j.why != "" || !has:
		return "-"
	case met:
		return "yes"
	}
	return "NO"
}
