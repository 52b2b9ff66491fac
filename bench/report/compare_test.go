package report

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/bench/results"
	"github.com/telemetrydb/tsdb/bench/target"
)

// rounds are a figure of one target in several rounds.
func rounds(phase, name string, values ...float64) (out []results.Record) {
	for i, v := range values {
		r := one("tsdb", phase, "1", name, v)
		r.Result.Round = i + 1
		out = append(out, r)
	}
	return out
}

func TestCompare(t *testing.T) {
	const us, rate, lostAll = "q1_median_us", "samples_per_s", "lost"
	for _, tc := range []struct {
		name       string
		old, new   []results.Record
		want       verdict
		regression bool
	}{
		{"within the spread", rounds("query", us, 100, 120), rounds("query", us, 115, 118), same, false},
		{"beyond it", rounds("query", us, 100, 105), rounds("query", us, 120, 121), worse, true},
		{"beyond it, within the threshold", rounds("query", us, 100, 102), rounds("query", us, 106, 107), worse, false},
		{"faster", rounds("query", us, 100, 105), rounds("query", us, 50, 51), better, false},
		{"rates are better when they are more", rounds("ingest", rate, 100, 99), rounds("ingest", rate, 50, 50), worse, true},
		{"one round tells little", rounds("query", us, 100), rounds("query", us, 120), same, false},
		{"one round tells much", rounds("query", us, 100), rounds("query", us, 200), worse, true},
		{"a loss is never noise", rounds("crash-check", lostAll, 0), rounds("crash-check", lostAll, 1), worse, true},
		{"bytes have little noise", rounds("ingest", "at_rest_bytes_per_sample", 2), rounds("ingest", "at_rest_bytes_per_sample", 2.1), worse, false},
		{"not measured", rounds("query", us, 100), nil, vanished, false},
	} {
		got := compare(New(tc.old), New(tc.new), 0.1)
		if len(got) != 1 || got[0].verdict != tc.want || got[0].regression != tc.regression {
			t.Errorf("%s: %+v, want %s, regression %v", tc.name, got, tc.want, tc.regression)
		}
	}
}

func TestCompareNoticesWhatIsNoFigure(t *testing.T) {
	limit := 2.0
	goal := func(v float64) results.Record {
		return results.Record{Goal: &results.Goal{Section: "s", What: "w", Unit: "ms", Value: v, Limit: &limit}}
	}
	answer := func(wrong ...string) results.Record {
		return results.Record{Result: &target.Result{Target: "tsdb", Set: "D1", Phase: "query", Numbers: map[string]float64{"q1_median_us": 1}, Wrong: wrong}}
	}
	growth := func(v float64) results.Record {
		return results.Record{Growth: &results.Growth{Dimension: "clients", Size: 8, Costs: map[string]float64{"query_ms": v}}}
	}
	for name, pair := range map[string][2]results.Record{
		"a goal that is missed by little": {goal(1.99), goal(2.01)}, "an answer that is wrong now": {answer(), answer("q1")},
		"a cost of more work": {growth(1), growth(2)},
	} {
		regressions := 0
		for _, c := range compare(New([]results.Record{pair[0]}), New([]results.Record{pair[1]}), 0.1) {
			if c.regression {
				regressions++
			}
		}
		if regressions != 1 {
			t.Errorf("%s: %d regressions, want one", name, regressions)
		}
	}
}

func TestCompareGoBenchmarks(t *testing.T) {
	write := func(name, took string) string {
		path := filepath.Join(t.TempDir(), name)
		line := "BenchmarkScan-2 \t 100\t " + took + " ns/op\t 12 B/op\n"
		if err := os.WriteFile(path, []byte("goos: linux\npkg: example.org/engine\n"+strings.Repeat(line, 8)+"PASS\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fast, slow := write("old", "1000"), write("new", "1500")
	var out strings.Builder
	if err := CompareCommand([]string{fast, slow}, &out); !errors.Is(err, ErrRegression) || !strings.Contains(out.String(), "example.org/engine Scan-2 sec/op") {
		t.Errorf("%v\n%s", err, &out)
	}
	out.Reset()
	if err := CompareCommand([]string{slow, fast}, &out); err != nil || !strings.Contains(out.String(), "better") || !strings.Contains(out.String(), "1.50 µs") {
		t.Errorf("%v\n%s", err, &out)
	}
	if err := CompareCommand([]string{fast, "testdata/run.jsonl"}, &out); err == nil || errors.Is(err, ErrRegression) {
		t.Errorf("files of two kinds: %v", err)
	}
	if err := CompareCommand([]string{"testdata/run.jsonl", "testdata/run.jsonl"}, &out); err != nil {
		t.Errorf("a run beside itself: %v\n%s", err, &out)
	}
}
