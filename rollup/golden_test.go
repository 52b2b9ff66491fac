package rollup

import (
	"bufio"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// testdata holds answers that Gnocchi's own code gave (version 4.7.1, numpy 2.4.6) for fixed and generated input, run once
// outside this repository. They are data to agree with, not to be made again: first lines of the files say what they list.

// TestGroupsGolden compares every method on single groups of 1 to 10000 values.
func TestGroupsGolden(t *testing.T) {
	var vs []float64
	var agg Aggregator
	cases, answers := 0, 0
	check := func(line int, name, want string) {
		m, ok := ParseMethod(name)
		if !ok {
			t.Fatalf("line %d: method %q", line, name)
		}
		got, present := agg.Append(nil, m, []int32{0, int32(len(vs))}, vs)
		answers++
		if want == "none" {
			if len(got) != 0 || Has(present, 0) {
				t.Errorf("line %d: %s of %d values: got %v, want no point", line, m, len(vs), got)
			}
			return
		}
		if len(got) != 1 || !same(got[0], parseFloat(t, want)) {
			t.Errorf("line %d: %s of %d values: got %x, want %s", line, m, len(vs), got, want)
		}
	}
	eachLine(t, "testdata/groups.txt", func(line int, f []string) {
		switch f[0] {
		case "values":
			cases++
			vs = vs[:0]
			for _, s := range f[1:] {
				vs = append(vs, parseFloat(t, s))
			}
		case "made":
			cases++
			vs = madeValues(uint64(parseInt(t, f[1])), int(parseInt(t, f[2])))
		case "pct":
			for _, s := range f[1:] {
				n, want, _ := strings.Cut(s, ":")
				check(line, n+"pct", want)
			}
		default:
			check(line, f[0], f[1])
		}
	})
	if cases < 70 || answers < 1000 {
		t.Errorf("only %d cases, %d answers", cases, answers)
	}
}

// TestColumnsGolden compares columns cut into groups, by width and by calendar, their rates included.
func TestColumnsGolden(t *testing.T) {
	var ts []int64
	var vs []float64
	answers := 0
	eachLine(t, "testdata/columns.txt", func(line int, f []string) {
		switch f[0] {
		case "column":
			ts, vs = ts[:0], vs[:0]
		case "sample":
			ts = append(ts, parseInt(t, f[1]))
			vs = append(vs, parseFloat(t, f[2]))
		default:
			answers++
			m, _ := ParseMethod(f[0])
			starts, got := points(m, f[1], ts, vs)
			if len(got) != len(f)-2 {
				t.Fatalf("line %d: %d points, want %d", line, len(got), len(f)-2)
			}
			for i, s := range f[2:] {
				start, want, _ := strings.Cut(s, ":")
				if starts[i] != parseInt(t, start) || !same(got[i], parseFloat(t, want)) {
					t.Errorf("line %d, point %d: got %d:%x, want %s", line, i, starts[i], got[i], s)
				}
			}
		}
	})
	if answers < 100 {
		t.Errorf("only %d answers", answers)
	}
}

// points works m out for a column, grouped by a number of nanoseconds or a letter.
func points(m Method, grouping string, ts []int64, vs []float64) ([]int64, []float64) {
	if m.Rate() {
		ts, vs = ts[1:], AppendDiffs(nil, vs)
	}
	var starts []int64
	var offs []int32
	if n, err := strconv.ParseInt(grouping, 10, 64); err == nil {
		starts, offs = AppendGroups(nil, nil, ts, n)
	} else {
		starts, offs, _ = AppendCalendarGroups(nil, nil, ts, grouping[0])
	}
	var agg Aggregator
	got, present := agg.Append(nil, m, offs, vs)
	kept := starts[:0]
	for i, s := range starts {
		if Has(present, i) {
			kept = append(kept, s)
		}
	}
	return kept, got
}

func eachLine(t *testing.T, path string, f func(line int, fields []string)) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sc := bufio.NewScanner(file)
	for line := 1; sc.Scan(); line++ {
		if !strings.HasPrefix(sc.Text(), "#") {
			f(line, strings.Fields(sc.Text()))
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
}

func parseFloat(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func parseInt(t *testing.T, s string) int64 {
	t.Helper()
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// same compares bits, except that any NaN is as good as another.
func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}

// madeValues makes the values that testdata/groups.txt calls "made SEED N": two numbers of SplitMix64 each, the upper 53 bits
// of the first as a fraction of -0.5 to 0.5, times two to the power of the upper 5 bits of the second.
func madeValues(seed uint64, n int) []float64 {
	next := func() uint64 {
		seed += 0x9E3779B97F4A7C15
		z := seed
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		return z ^ z>>31
	}
	vs := make([]float64, n)
	for i := range vs {
		fraction := float64(next()>>11)/(1<<53) - 0.5
		vs[i] = math.Ldexp(fraction, int(next()>>59))
	}
	return vs
}
