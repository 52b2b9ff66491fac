package dataset

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/bench/workload"
)

// The sums are part of the definition of the set, as are those of D1 and D2.
func TestDevopsMatchesItsDefinition(t *testing.T) {
	dir := t.TempDir()
	if err := Generate(dir, "devops", 10); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.Samples != 20_000 || len(s.Series) != 2000 || s.StepMillis != 10_000 {
		t.Errorf("%d samples, %d series, step %d", s.Samples, len(s.Series), s.StepMillis)
	}
	const want = "c838f76c39bdf6d4549834bc124b2449535717c42a6353fb5a6995e284dcd6ac"
	if got := fileSum(t, filepath.Join(dir, All.file())); got != want {
		t.Errorf("rows: SHA-256 %s, want %s", got, want)
	}
}

func TestWorkloadsAreTheirGenerators(t *testing.T) {
	dir := t.TempDir()
	if _, err := Prepared(dir, "A:3"); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir)
	if err != nil || s.Name != "A:3" || s.Samples != 210 || len(s.Series) != 70 {
		t.Fatalf("%+v, %v", s, err)
	}
	times, values, err := s.Columns()
	if err != nil {
		t.Fatal(err)
	}
	w, place, tick := workload.A(0), 0, 0
	for row := range w.Rows(3) {
		for i, v := range row.Values {
			if times[place][tick] != row.Unix*1000 || values[place][tick] != v || s.Series[place].Metric != w.Resources[row.Resource].Metrics[i].Name {
				t.Fatalf("series %d, tick %d: %d %v", place, tick, times[place][tick], values[place][tick])
			}
			if place++; place == 70 {
				place, tick = 0, tick+1
			}
		}
	}
	if _, err := Prepared(dir, "A:4"); err == nil || !strings.Contains(err.Error(), "holds the set A:3") {
		t.Errorf("%v, want that another set is there", err)
	}
}

func TestCutIsTheBeginning(t *testing.T) {
	long, short, made := t.TempDir(), t.TempDir(), t.TempDir()
	s, err := Prepared(long, "B:5")
	if err != nil {
		t.Fatal(err)
	}
	if err := Cut(s, short, "B:2", 2); err != nil {
		t.Fatal(err)
	}
	if _, err := Prepared(made, "B:2"); err != nil {
		t.Fatal(err)
	}
	for _, part := range []Part{All, Even, Odd} {
		if a, b := fileSum(t, filepath.Join(short, part.file())), fileSum(t, filepath.Join(made, part.file())); a != b {
			t.Errorf("part %d differs from what is generated so short", part)
		}
	}
}

func TestParseName(t *testing.T) {
	for _, tc := range []struct {
		name, base string
		ticks      int
		bad        bool
	}{
		{"D1", "D1", 0, false}, {"A:1200", "A", 1200, false}, {"my.trace", "my.trace", 0, false},
		{"", "", 0, true}, {"A:", "", 0, true}, {"A:0", "", 0, true}, {"A:x", "", 0, true}, {"../x", "", 0, true}, {".work", "", 0, true}, {"a b", "", 0, true},
	} {
		base, ticks, err := ParseName(tc.name)
		if base != tc.base || ticks != tc.ticks || (err != nil) != tc.bad {
			t.Errorf("%q: %q %d %v", tc.name, base, ticks, err)
		}
	}
}

func TestShares(t *testing.T) {
	s, err := Prepared(t.TempDir(), "A:2")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Sample]int{}
	for i := range 3 {
		r, err := s.Share(i, 3)
		if err != nil {
			t.Fatal(err)
		}
		rows := make([]Sample, 7)
		for n := 1; n > 0; {
			if n, err = r.Next(rows); err != nil {
				t.Fatal(err)
			}
			for _, row := range rows[:n] {
				if int(row.Series)%3 != i {
					t.Fatalf("series %d in share %d", row.Series, i)
				}
				seen[row]++
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 140 {
		t.Errorf("%d samples in the shares, want 140", len(seen))
	}
}
