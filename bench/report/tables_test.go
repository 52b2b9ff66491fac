package report

import (
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/bench/target"
)

func line(engine, phase, variant, name string, v float64) target.Result {
	return target.Result{Target: engine, Set: "D1", Phase: phase, Variant: variant, Numbers: map[string]float64{name: v}}
}

func TestGoals(t *testing.T) {
	rs := Results{
		line("prometheus", "query", "", "q1_best_us", 100),
		line("prometheus", "query", "", "q1_best_us", 90), // the lowest counts
		line("victoriametrics", "query", "", "q1_best_us", 50),
		line("tsdb", "query", "", "q1_best_us", 30),
		line("prometheus", "ingest", "1", "samples_per_s", 4e6),
		line("tsdb", "ingest", "1", "samples_per_s", 3e6),
		line("tsdb", "ingest", "2", "samples_per_s", 4.5e6),
		line("tsdb", "verify", "", "inexact_series", 1),
		line("prometheus", "query", "", "q3_best_us", 80),
		line("tsdb", "query", "", "q3stored_best_us", 7),
	}
	got := map[string]string{}
	for row := range strings.Lines(rs.Goals("D1").RenderCSV()) {
		what, rest, _ := strings.Cut(row, ",")
		got[what] += rest
	}
	for _, tc := range []struct{ what, want string }{
		{"q1 all samples of a series", "90,50,30,0.33,0.60"},
		{"ingest", "4.00,-,3.00,0.75,-"},
		{"ingest", "4.50,-,-,≥"},
		{"series not exact to the bit", "1,-,-,<= 0,NO"},
		{"q3 from the policy's points", "7,0.09,-,<= 0.1 P,yes"},
	} {
		found := false
		for what, rest := range got {
			found = found || strings.HasPrefix(strings.Trim(what, `"`), tc.what) && strings.Contains(rest, strings.TrimSuffix(tc.want, ",≥"))
		}
		if !found {
			t.Errorf("no row %q with %q in\n%s", tc.what, tc.want, rs.Goals("D1").Render())
		}
	}
}

func TestVerdictNeedsEveryBound(t *testing.T) {
	g := goal{figure: q1, bounds: than(0.5, 0.5)}
	rs := Results{line("prometheus", "query", "", "q1_best_us", 100)}
	for _, tc := range []struct {
		mine float64
		want string
	}{{60, "NO"}, {40, "-"}} { // the other peer was not measured
		if got := rs.verdict(tc.mine, true, "D1", g); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.mine, got, tc.want)
		}
	}
	rs = append(rs, line("victoriametrics", "query", "", "q1_best_us", 100))
	if got := rs.verdict(40, true, "D1", g); got != "yes" {
		t.Errorf("both bounds hold: %s", got)
	}
}

func TestDisagreements(t *testing.T) {
	answer := func(engine, sum string) target.Result {
		return target.Result{Target: engine, Set: "D1", Phase: "query", Texts: map[string]string{"q1_sum": sum}}
	}
	rs := Results{answer("a", "1.00000001"), answer("b", "1"), answer("null", "0")}
	if d := rs.Disagreements(); len(d) != 0 {
		t.Errorf("rounding was taken for disagreement: %v", d)
	}
	if d := append(rs, answer("c", "1.1")).Disagreements(); len(d) != 1 {
		t.Errorf("got %v, want one", d)
	}
}
