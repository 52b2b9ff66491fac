package report

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// benchmark names a series of figures in the output of go test -bench.
type benchmark struct{ pkg, name, unit string }

// readBenchmarks reads what go test -bench printed: all figures of each benchmark, and the benchmarks in their order.
func readBenchmarks(path string) (order []benchmark, all map[benchmark][]float64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	all = map[benchmark][]float64{}
	r := benchfmt.NewReader(f, path)
	for r.Scan() {
		one, ok := r.Result().(*benchfmt.Result)
		if !ok {
			continue // what else tests print
		}
		for _, v := range one.Values {
			key := benchmark{one.GetConfig("pkg"), one.Name.String(), v.Unit}
			if _, seen := all[key]; !seen {
				order = append(order, key)
			}
			all[key] = append(all[key], v.Value)
		}
	}
	if err := r.Err(); err != nil {
		return nil, nil, err
	}
	if len(order) == 0 {
		return nil, nil, fmt.Errorf("%s: neither results of bench nor output of go test -bench", path)
	}
	return order, all, nil
}

// compareBenchmarks judges as benchstat does, by medians and the test that assumes nothing about how figures are distributed.
func compareBenchmarks(oldPath, newPath string, threshold float64) (out []change, err error) {
	order, old, err := readBenchmarks(oldPath)
	if err != nil {
		return nil, err
	}
	_, new, err := readBenchmarks(newPath)
	if err != nil {
		return nil, err
	}
	for _, key := range order {
		out = append(out, compareSamples(key, old[key], new[key], threshold))
	}
	return out, nil
}

func compareSamples(key benchmark, old, new []float64, threshold float64) change {
	what := key.name
	if key.pkg != "" {
		what = key.pkg + " " + what
	}
	c := change{what: what + " " + key.unit, rounds: [2]int{len(old), len(new)}, more: len(key.unit) > 2 && key.unit[len(key.unit)-2:] == "/s"}
	if key.unit == "sec/op" {
		c.unit = "s"
	} else {
		c.unit = key.unit
	}
	was := benchmath.NewSample(slices.Clone(old), &benchmath.DefaultThresholds)
	c.was = benchmath.AssumeNothing.Summary(was, 0.95).Center
	if len(new) == 0 {
		c.verdict, c.note = vanished, "not in the new run"
		return c
	}
	is := benchmath.NewSample(slices.Clone(new), &benchmath.DefaultThresholds)
	c.is = benchmath.AssumeNothing.Summary(is, 0.95).Center
	test := benchmath.AssumeNothing.Compare(was, is)
	c.note = fmt.Sprintf("p=%.3f", test.P)
	c.judge(threshold)
	switch {
	case test.P >= test.Alpha || math.IsNaN(test.P):
		c.verdict, c.regression = same, false
	case c.was == c.is:
		c.verdict = same
	}
	return c
}

// isText tells the output of go test -bench from results, which are lines of JSON.
func isText(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	first := make([]byte, 1)
	if _, err := f.Read(first); err != nil && err != io.EOF {
		return false, err
	}
	return first[0] != '{', nil
}
