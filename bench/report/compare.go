package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	pretty "github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/results"
)

// assumedNoise is by what part figures of one round may differ for no reason: there is no spread to judge by.
const assumedNoise = 0.25

// verdict is what became of a figure.
type verdict string

const (
	same     verdict = "same"
	better   verdict = "better"
	worse    verdict = "WORSE"
	vanished verdict = "gone"
)

// change is a figure in two runs.
type change struct {
	what, unit string
	was, is    float64
	rounds     [2]int
	noise      float64 // part by which rounds differ, or are assumed to
	more       bool    // is better
	verdict    verdict
	note       string
	regression bool // beyond what is tolerated
}

// ratio is the new figure as a multiple of the old one.
func (c *change) ratio() float64 {
	if c.was == c.is {
		return 1
	}
	return c.is / c.was
}

// judge says whether the change is more than noise, and whether it is a regression beyond the threshold.
func (c *change) judge(threshold float64) {
	c.verdict = same
	worsening := c.ratio() // above 1: worse
	if c.more {
		worsening = 1 / worsening
	}
	switch {
	case c.was == c.is || math.IsNaN(worsening):
		return
	case worsening > 1+c.noise:
		c.verdict, c.regression = worse, worsening > 1+threshold
	case worsening < 1/(1+c.noise):
		c.verdict = better
	}
}

// spreadOf is by what part the rounds of both runs differ from their best.
func spreadOf(was, is []float64) float64 {
	if len(was) < 2 || len(is) < 2 {
		return assumedNoise
	}
	part := func(all []float64) float64 {
		least, most := slices.Min(all), slices.Max(all)
		if least <= 0 {
			return 0
		}
		return most/least - 1
	}
	return max(part(was), part(is))
}

// compare lists every figure of the old run beside that of the new.
func compare(old, new *Report, threshold float64) (out []change) {
	for _, set := range old.lines.sets() {
		for _, target := range old.lines.targets(set) {
			if target != nothing && !old.lines.standIn(target) {
				out = append(out, compareTarget(old, new, set, target, threshold)...)
			}
		}
	}
	for _, g := range old.goals {
		out = append(out, compareGoal(&g, new, threshold))
	}
	return append(out, compareGrowth(old, new, threshold)...)
}

func compareTarget(old, new *Report, set, target string, threshold float64) (out []change) {
	prefix := set + " " + old.lines.name(target) + ", "
	for _, q := range old.lines.asked(set) {
		if new.differs(target, set, q) && !old.differs(target, set, q) {
			out = append(out, change{what: prefix + questionTitle(q), verdict: worse, regression: true, note: "the answer differs from the others'"})
		}
	}
	for _, f := range old.lines.rows(set, []string{target}) {
		more, ranked := directionOf(f.name)
		was, is := old.lines.values(target, set, f.figure), new.lines.values(target, set, f.figure)
		if !ranked || strings.HasSuffix(f.name, "_p99_us") || strings.HasSuffix(f.name, "_max_us") {
			continue // of the longest of some dozens of times nothing follows
		}
		c := change{what: prefix + f.title, unit: f.unit, more: more, rounds: [2]int{len(was), len(is)}, noise: spreadOf(was, is)}
		c.was, _ = old.lines.value(target, set, f.figure)
		if len(is) == 0 {
			c.verdict, c.note = vanished, new.whyMissing(target, set, f.phase)
			out = append(out, c)
			continue
		}
		c.is, _ = new.lines.value(target, set, f.figure)
		switch {
		case f.unit == "B":
			c.noise = min(c.noise, 0.02) // bytes hardly depend on the day
		case isFault(f.name):
			c.noise = 0
		}
		c.judge(threshold)
		if isFault(f.name) {
			c.regression = c.is > c.was
		}
		out = append(out, c)
	}
	return out
}

func (r *Report) whyMissing(target, set, phase string) string {
	for _, m := range r.missing {
		if m.Target == target && (m.Set == "" || m.Set == set) && (m.Phase == "" || m.Phase == phase) {
			return m.Why
		}
	}
	return "not in the new run"
}

// compareGoal sets a goal's figure beside the one of the new run. A goal that is missed now is a regression, however little it is missed by.
func compareGoal(g *results.Goal, new *Report, threshold float64) change {
	c := change{what: g.Section + ": " + g.What, unit: g.Unit, was: g.Value, more: g.AtLeast, rounds: [2]int{1, 1}, noise: assumedNoise}
	if g.Unit == "B/sample" || g.Unit == "B/measure" {
		c.noise = 0.02
	}
	at := slices.IndexFunc(new.goals, func(o results.Goal) bool { return o.Section == g.Section && o.What == g.What && o.Peer == g.Peer })
	if at < 0 {
		c.verdict, c.note = vanished, "not in the new run"
		return c
	}
	c.is = new.goals[at].Value
	c.judge(threshold)
	met, _ := g.Met()
	if still, has := new.goals[at].Met(); met && has && !still {
		c.verdict, c.regression, c.note = worse, true, "the goal is missed now"
	}
	return c
}

func compareGrowth(old, new *Report, threshold float64) (out []change) {
	for _, g := range old.growth {
		var names []string
		for name := range g.Costs {
			names = append(names, name)
		}
		slices.Sort(names)
		at := slices.IndexFunc(new.growth, func(o results.Growth) bool { return o.Dimension == g.Dimension && o.Size == g.Size })
		for _, name := range names {
			title, unit := costUnit(name)
			c := change{what: count(g.Size) + " " + g.Dimension + ": " + title, unit: unit, was: g.Costs[name], rounds: [2]int{1, 1}, noise: assumedNoise}
			c.more, _ = directionOf(name)
			v, has := 0.0, false
			if at >= 0 {
				v, has = new.growth[at].Costs[name]
			}
			if c.is = v; has {
				c.judge(threshold)
			} else {
				c.verdict, c.note = vanished, "not in the new run"
			}
			out = append(out, c)
		}
	}
	return out
}

// showChanges prints what has changed by more than noise, and counts the rest. It gives the number of regressions.
func showChanges(changes []change, out io.Writer) (regressions int, err error) {
	t := table{Head: []string{"what", "old", "new", "new / old", "noise", "rounds", "verdict", "notes"}}
	unchanged := 0
	for _, c := range changes {
		if c.regression {
			regressions++
		}
		if c.verdict == same {
			unchanged++
			continue
		}
		row := cells(c.what, Number(c.was, c.unit), Number(c.is, c.unit), digits(round3(c.ratio())), fmt.Sprintf("±%.0f %%", 100*c.noise),
			fmt.Sprintf("%d and %d", c.rounds[0], c.rounds[1]), string(c.verdict), c.note)
		switch {
		case c.verdict == vanished:
			row[2], row[3], row[4] = text("-"), text("-"), text("-")
		case c.rounds == [2]int{}:
			row[1], row[2], row[3], row[4], row[5] = text("-"), text("-"), text("-"), text("-"), text("-")
		case c.was == 0:
			row[3] = text("-")
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) > 0 {
		p := t.pretty(terminalMarks)
		p.SetStyle(pretty.StyleLight)
		p.Style().Format.Header = 0 // as it is
		fmt.Fprintln(out, p.Render())
	}
	_, err = fmt.Fprintf(out, "%d figures are the same within the noise; regressions: %d.\n", unchanged, regressions)
	return regressions, err
}
