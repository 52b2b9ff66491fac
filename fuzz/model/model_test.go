package model

import (
	"bufio"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestScenarios plays testdata/*.txt: policies, batches and the answers that Gnocchi's own code gave.
func TestScenarios(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) { play(t, path) })
	}
}

func play(t *testing.T, path string) {
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var m *Metric
	sc := bufio.NewScanner(file)
	sc.Buffer(nil, 1<<20)
	for line := 1; sc.Scan(); line++ {
		f := strings.Fields(sc.Text())
		switch {
		case len(f) == 0 || strings.HasPrefix(f[0], "#"):
		case f[0] == "policy":
			m = New(Policy{parseGranularities(t, f[3:]), strings.Split(f[2], ","), int(parseInt(t, f[1]))})
		case f[0] == "change":
			m.SetPolicy(Policy{parseGranularities(t, f[2:]), m.policy.Methods, int(parseInt(t, f[1]))})
		case f[0] == "append":
			m.Append(parsePoints(t, f[1:]))
		case f[0] == "measures":
			got := m.Measures(f[1], parseInt(t, f[2]), parseBound(t, f[3]), parseBound(t, f[4]))
			if want := parsePoints(t, f[5:]); !samePoints(got, want) {
				t.Errorf("line %d: %s at %s from %s to %s: got %v, want %v", line, f[1], f[2], f[3], f[4], got, want)
			}
		default:
			t.Fatalf("line %d: %q", line, f[0])
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
}

func samePoints(a, b []Point) bool {
	if len(a) != len(b) {
		return false
	}
	for i, p := range a {
		q := b[i]
		bothNaN := math.IsNaN(p.Value) && math.IsNaN(q.Value)
		if p.Time != q.Time || !bothNaN && math.Float64bits(p.Value) != math.Float64bits(q.Value) {
			return false
		}
	}
	return true
}

func parseGranularities(t *testing.T, fields []string) []Granularity {
	t.Helper()
	var out []Granularity
	for _, s := range fields {
		nanos, points, _ := strings.Cut(s, ":")
		out = append(out, Granularity{parseInt(t, nanos), parseInt(t, points)})
	}
	return out
}

func parsePoints(t *testing.T, fields []string) []Point {
	t.Helper()
	var out []Point
	for _, s := range fields {
		at, value, _ := strings.Cut(s, ":")
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Point{parseInt(t, at), v})
	}
	return out
}

func parseBound(t *testing.T, s string) *int64 {
	t.Helper()
	if s == "-" {
		return nil
	}
	n := parseInt(t, s)
	return &n
}

func parseInt(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
