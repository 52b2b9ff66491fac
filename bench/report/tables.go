package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/target"
)

// Results are the lines of one session.
type Results []target.Result

// value is the best of all rounds of a figure, in the unit shown.
func (rs Results) value(engine, set string, f figure) (v float64, ok bool) {
	for _, r := range rs {
		n, has := r.Numbers[f.name]
		if !has || r.Target != engine || r.Set != set || r.Phase != f.phase || f.variant != "" && r.Variant != f.variant {
			continue
		}
		n *= f.scale
		if !ok || f.best == lowest && n < v || f.best == highest && n > v {
			v, ok = n, true
		}
	}
	return v, ok
}

// Sets lists the sets in the order of their names.
func (rs Results) Sets() []string {
	return rs.distinct(func(r target.Result) string { return r.Set })
}

// Engines lists the engines in the order of their names.
func (rs Results) Engines() []string {
	return rs.distinct(func(r target.Result) string { return r.Target })
}

func (rs Results) distinct(key func(target.Result) string) (out []string) {
	for _, r := range rs {
		out = append(out, key(r))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Goals is the table of goals of a set: what it asks, what the peers and we reached, the ratios, and whether it is met.
func (rs Results) Goals(set string) table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{set, "Prometheus", "VictoriaMetrics", "tsdb", "tsdb / P", "tsdb / V", "goal", "met"})
	for _, g := range goalsOf(set) {
		mine, have := rs.value(ours, set, g.figure)
		row := table.Row{g.what}
		for _, engine := range []string{prometheus, victoria} {
			row = append(row, rs.show(engine, set, g.figure))
		}
		row = append(row, rs.show(ours, set, g.figure))
		for _, engine := range []string{prometheus, victoria} {
			row = append(row, rs.ratio(mine, have, engine, set, g))
		}
		t.AppendRow(append(row, g.text(), rs.verdict(mine, have, set, g)))
	}
	return t
}

func (rs Results) show(engine, set string, f figure) string {
	v, ok := rs.value(engine, set, f)
	if !ok {
		return "-"
	}
	return fmt.Sprintf(f.format, v)
}

func (rs Results) ratio(mine float64, have bool, engine, set string, g goal) string {
	f := g.figure
	for _, b := range g.bounds {
		if b.peer == engine && b.figure != nil {
			f = *b.figure
		}
	}
	theirs, ok := rs.value(engine, set, f)
	if !ok || !have || theirs == 0 || g.limit != nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", mine/theirs)
}

// text writes a goal as "<= 0.5 P, 0.6 V".
func (g goal) text() string {
	sign := "<="
	if g.atLeast {
		sign = ">="
	}
	if g.limit != nil {
		return fmt.Sprintf("%s %g", sign, *g.limit)
	}
	var parts []string
	for _, b := range g.bounds {
		letter := map[string]string{prometheus: "P", victoria: "V", ours: "of one goroutine"}[b.peer]
		parts = append(parts, fmt.Sprintf("%g %s", b.ratio, letter))
	}
	if len(parts) == 0 {
		return "none"
	}
	return sign + " " + strings.Join(parts, ", ")
}

// verdict is yes, no with the bounds that fail, or a dash when something was not measured or nothing is asked.
func (rs Results) verdict(mine float64, have bool, set string, g goal) string {
	if !have || len(g.bounds) == 0 && g.limit == nil {
		return "-"
	}
	if g.limit != nil {
		if mine <= *g.limit {
			return "yes"
		}
		return "NO"
	}
	unknown, failed := false, false
	for _, b := range g.bounds {
		f := g.figure
		if b.figure != nil {
			f = *b.figure
		}
		theirs, ok := rs.value(b.peer, set, f)
		switch {
		case !ok:
			unknown = true
		case g.atLeast && mine < b.ratio*theirs, !g.atLeast && mine > b.ratio*theirs:
			failed = true
		}
	}
	switch {
	case failed:
		return "NO"
	case unknown:
		return "-"
	}
	return "yes"
}

// Engines' own figures, without goals, for engines that no goal names.
var plainFigures = []struct {
	title string
	figure
}{
	{"1 goroutine M/s", rateOne}, {"2 goroutines M/s", rateTwo}, {"CPU s/M, all", totalCPU}, {"B/sample", atRest},
	{"q1 us", q1}, {"q2 us (median)", q2}, {"q3 us", q3}, {"q4 ms", q4}, {"q5 us", q5}, {"reopen ms", reopen},
	{"reopen after kill ms/M", reopenKilled}, {"lost at kill", lost}, {"inexact series", inexact}, {"peak MiB", ingestMemory},
}

// Plain is the table of figures of all engines on a set.
func (rs Results) Plain(set string) table.Writer {
	t := table.NewWriter()
	header := table.Row{set}
	for _, f := range plainFigures {
		header = append(header, f.title)
	}
	t.AppendHeader(header)
	for _, engine := range rs.Engines() {
		row := table.Row{engine}
		for _, f := range plainFigures {
			row = append(row, rs.show(engine, set, f.figure))
		}
		t.AppendRow(row)
	}
	return t
}

// tolerance is how far sums may differ: engines add in different orders, and one keeps twelve digits.
const tolerance = 1e-7

// Disagreements lists queries of which an engine gave another sum than the engine before it. Engines that store nothing are left
// out.
func (rs Results) Disagreements() (out []string) {
	type answer struct {
		engine string
		sum    float64
	}
	first := map[string]answer{}
	for _, r := range rs {
		for name, text := range r.Texts {
			question, isSum := strings.CutSuffix(name, "_sum")
			sum, err := strconv.ParseFloat(text, 64)
			if r.Phase != "query" || !isSum || err != nil || r.Target == "null" {
				continue
			}
			question = r.Set + " " + strings.TrimSuffix(question, "stored")
			a, seen := first[question]
			if !seen {
				first[question] = answer{r.Target, sum}
			} else if math.Abs(a.sum-sum) > tolerance*math.Abs(a.sum) {
				out = append(out, fmt.Sprintf("%s: %s %g, %s %g", question, a.engine, a.sum, r.Target, sum))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
