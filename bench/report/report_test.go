package report

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/bench/results"
	"github.com/telemetrydb/tsdb/bench/target"
)

// sample is the report of a small run that nobody made.
func sample(t *testing.T) *Report {
	t.Helper()
	r, err := Load("testdata/run.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func one(target_, phase, variant, name string, v float64) results.Record {
	return results.Record{Result: &target.Result{Target: target_, Set: "D1", Phase: phase, Variant: variant, Round: 1, Numbers: map[string]float64{name: v}}}
}

func TestEngineGoals(t *testing.T) {
	r := New([]results.Record{
		one("prometheus", "query", "", "q1_best_us", 100),
		one("prometheus", "query", "", "q1_best_us", 90), // the lowest counts
		one("victoriametrics", "query", "", "q1_best_us", 50),
		one("tsdb", "query", "", "q1_best_us", 40),
		one("prometheus", "ingest", "1", "samples_per_s", 4e6),
		one("tsdb", "ingest", "1", "samples_per_s", 3e6),
		one("tsdb", "ingest", "2", "samples_per_s", 4.5e6),
		one("tsdb", "verify", "", "inexact_series", 1),
		one("prometheus", "query", "", "q3_best_us", 80),
		one("tsdb", "query", "", "q3stored_best_us", 7),
	})
	got := map[string]string{}
	for _, j := range r.engineGoals("D1") {
		got[j.What+" "+j.Peer] = fmt.Sprint(j.verdict(), " ", advantage(&j), " ", j.why)
	}
	for what, want := range map[string]string{
		"D1: q1 all samples of a series, best Prometheus TSDB":        "NO 2.25× ",
		"D1: q1 all samples of a series, best VictoriaMetrics":        "NO 1.25× ",
		"D1: ingest, 1 goroutine Prometheus TSDB":                     "NO 0.750× ",
		"D1: ingest, 1 goroutine VictoriaMetrics":                     "- - VictoriaMetrics was not run",
		"D1: ingest, 2 goroutines ours, 1 goroutine, not synced":      "yes 1.50× ",
		"D1: series not exact to the bit ":                            "NO - ",
		"D1: q3 from the policy's points, best Prometheus TSDB":       "yes 11.4× ",
		"D1: reopen after kill -9, a million samples Prometheus TSDB": "- - not run",
	} {
		if got[what] != want {
			t.Errorf("%s: %q, want %q", what, got[what], want)
		}
	}
	if n := len(New([]results.Record{{Result: &target.Result{Target: "tsdb", Set: "A"}}}).allGoals()); n != 0 {
		t.Errorf("%d goals of a set that has none", n)
	}
}

func TestDifferingAnswers(t *testing.T) {
	answer := func(name string, round int, sum string) results.Record {
		return results.Record{Result: &target.Result{Target: name, Set: "D1", Phase: "query", Round: round, Numbers: map[string]float64{"q1_median_us": 1},
			Texts: map[string]string{"q1_sum": sum}}}
	}
	for _, tc := range []struct {
		name    string
		records []results.Record
		differ  []string
	}{
		{"rounding", []results.Record{answer("a", 1, "1.00000001"), answer("b", 1, "1"), answer("null", 1, "0")}, nil},
		{"one of three", []results.Record{answer("a", 1, "1"), answer("b", 1, "1"), answer("c", 1, "1.1")}, []string{"c"}},
		{"one of two", []results.Record{answer("a", 1, "1"), answer("c", 1, "1.1")}, []string{"a", "c"}},
		{"rounds ask about other series", []results.Record{answer("a", 1, "1"), answer("a", 2, "5"), answer("b", 1, "1"), answer("b", 2, "5")}, nil},
		{"the set knows", []results.Record{answer("a", 1, "1"), {Result: &target.Result{Target: "b", Set: "D1", Phase: "query", Wrong: []string{"q1"}}}}, []string{"b"}},
	} {
		r := New(tc.records)
		var got []string
		for _, name := range r.lines.targets("D1") {
			if r.differs(name, "D1", "q1") {
				got = append(got, name)
			}
		}
		if !slices.Equal(got, tc.differ) {
			t.Errorf("%s: %v differ, want %v", tc.name, got, tc.differ)
		}
	}
}

// rowsOf finds rows by their names in all tables of a section.
func rowsOf(p page, id, name string) (out [][]cell) {
	for _, s := range p.Sections {
		for _, t := range s.Tables {
			for _, row := range t.Rows {
				if s.ID == id && row[0].Text == name {
					out = append(out, row)
				}
			}
		}
	}
	return out
}

func TestBestIsNeverWrong(t *testing.T) {
	p := sample(t).build()
	lookups := rowsOf(p, "set-D1", "warm: series of a project, names read, best")
	if len(lookups) != 2 {
		t.Fatalf("%d rows, want those of linked-in stores and of servers", len(lookups))
	}
	for _, c := range lookups[1] {
		if strings.HasPrefix(c.Text, "140") && (c.Class != flagged || !strings.Contains(c.Text, "!")) {
			t.Errorf("the fastest answered otherwise, and has %+v", c)
		}
		if strings.HasPrefix(c.Text, "150") && c.Class != best {
			t.Errorf("the fastest of those that agree has %+v", c)
		}
	}
	if bytes := rowsOf(p, "set-D1", "ingest, 1 writer: bytes a sample at rest, all in")[0]; bytes[1].Class != best || bytes[3].Class != flagged {
		t.Errorf("who loses bits is not compared: %+v", bytes)
	}
	if lost := rowsOf(p, "set-D1", "after kill -9: series that are wrong after kill -9")[0]; lost[1].Class != plain {
		t.Errorf("all are the same, none is the best: %+v", lost)
	}
}

func TestFerretDBIsNotMongoDB(t *testing.T) {
	r := sample(t)
	for _, form := range []struct {
		name  string
		write func(*strings.Builder) error
	}{
		{"terminal", func(b *strings.Builder) error { return r.Terminal(b) }}, {"Markdown", func(b *strings.Builder) error { return r.Markdown(b) }},
		{"HTML", func(b *strings.Builder) error { return r.HTML(b) }}, {"headline", func(b *strings.Builder) error { return r.Headline(b) }},
	} {
		var b strings.Builder
		if err := form.write(&b); err != nil {
			t.Fatal(err)
		}
		for _, figure := range []string{"777", "66.6", "123 ms", "12.3 k"} {
			if strings.Contains(b.String(), figure+" ") || strings.Contains(b.String(), figure+"<") {
				t.Errorf("%s shows FerretDB's %s", form.name, figure)
			}
		}
		if form.name != "headline" && !strings.Contains(b.String(), "FerretDB (plumbing only)") {
			t.Errorf("%s does not name FerretDB", form.name)
		}
	}
}

func TestMarkdownIsEscaped(t *testing.T) {
	var b strings.Builder
	if err := sample(t).Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>", "<b>", "<&>"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("Markdown has %s", bad)
		}
	}
	if !strings.Contains(b.String(), "503 Service Unavailable") {
		t.Error("why Gnocchi was not run is not said")
	}
}

func TestGrowth(t *testing.T) {
	p := sample(t).build()
	if rows := rowsOf(p, "growth", "search, 100 found"); len(rows) != 1 || rows[0][3].Text != "1.10× for 10×" || rows[0][1].Text != "980 µs" {
		t.Errorf("%+v", rows)
	}
	if rows := rowsOf(p, "growth", "all samples of a series, median"); len(rows) != 1 || rows[0][4].Text != "2.20× for 64×" {
		t.Errorf("%+v", rows)
	}
}

func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.jsonl")
	if err := os.WriteFile(path, []byte("{\"missing\":{\"Target\":\"gnocchi\",\"Why\":\"down\"}}\n{\"resu"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Load(path)
	if err != nil || len(r.missing) != 1 || len(r.damaged) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := Load(path + ".none"); err == nil {
		t.Error("a file that is missing was read")
	}
}

// Figures that nothing is asked of are a section of their own, but none of the summary.
func TestSectionWithoutGoals(t *testing.T) {
	limit := 4.0
	r := New([]results.Record{
		{Goal: &results.Goal{Section: "9 asked", What: "a", Value: 3, Limit: &limit}},
		{Goal: &results.Goal{Section: "limits of the machine", What: "b", Value: 3}},
	})
	var sections []string
	for _, row := range r.headline().Tables[0].Rows {
		sections = append(sections, row[0].Text)
	}
	if !slices.Equal(sections, []string{"9 asked"}) {
		t.Errorf("the summary has %q", sections)
	}
	if tables := r.goalSections()[0].Tables; len(tables) != 2 || tables[0].Title != "9 asked: 1 of 1 met" || tables[1].Title != "limits of the machine" {
		t.Errorf("%+v", tables)
	}
}
