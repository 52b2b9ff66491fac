package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"
)

// The sums are part of the workloads' definition: whoever re-writes a generator compares with them.
func TestPrintedLinesMatchTheDefinition(t *testing.T) {
	for _, tc := range []struct {
		name string
		w    *Workload
		want string
	}{
		{"A", A(0), "c935e9d6ae741c89edb6d06e6cdc15930e47c84b8c052f0a55c6da36dc29647a"},
		{"B", B(1000, 0), "689a354277c998d02b4db14dcf3542dc83cdcf0fdb6e959d58fe1056636e3638"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := sumOf(t, func(out io.Writer) error { return tc.w.WriteRows(out, tc.w.Ticks) })
			if got != tc.want {
				t.Errorf("SHA-256 %s, want %s", got, tc.want)
			}
		})
	}
}

func TestResourcesMatchTheDefinition(t *testing.T) {
	for _, tc := range []struct {
		name string
		w    *Workload
		want string
	}{
		{"A", A(0), "0e2da4302efe9b7015a5739034ef8537d5dce02f592f4370430bef28c5c1063d"},
		{"B", B(1000, 0), "c1afc165fb2c40fbc8f3f764fdca09967f05a5ecd771ce84589d15629246665c"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := sumOf(t, tc.w.WriteResources); got != tc.want {
				t.Errorf("SHA-256 %s, want %s", got, tc.want)
			}
		})
	}
}

func sumOf(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	h := sha256.New()
	if err := write(h); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestSizes(t *testing.T) {
	for _, tc := range []struct {
		w                                *Workload
		resources, metrics, measureCount int
	}{
		{A(0), 4, 70, 1_386_000},
		{B(1000, 0), 1000, 10_000, 2_880_000},
	} {
		if got := len(tc.w.Resources); got != tc.resources {
			t.Errorf("%s: %d resources, want %d", tc.w.Name, got, tc.resources)
		}
		if got := tc.w.MetricCount(); got != tc.metrics {
			t.Errorf("%s: %d metrics, want %d", tc.w.Name, got, tc.metrics)
		}
		if got := tc.w.MetricCount() * tc.w.Ticks; got != tc.measureCount {
			t.Errorf("%s: %d measures, want %d", tc.w.Name, got, tc.measureCount)
		}
	}
}

func TestRowsAreTheSameInEveryWalkAndRepetition(t *testing.T) {
	const ticks = 50
	first, second := A(0), A(7)
	var a, b []float64
	for row := range first.Rows(ticks) {
		a = append(a, row.Values...)
	}
	for row := range second.Rows(ticks) {
		b = append(b, row.Values...)
		if !strings.HasPrefix(second.Resources[row.Resource].ID, "5eed0001-0007-") {
			t.Fatalf("id %s of repetition 7", second.Resources[row.Resource].ID)
		}
	}
	if len(a) != ticks*70 || len(b) != len(a) {
		t.Fatalf("%d and %d values, want %d", len(a), len(b), ticks*70)
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("value %d: %v and %v", i, a[i], b[i])
		}
	}
}

func TestAppendValue(t *testing.T) {
	double, integer := Metric{}, Metric{Integer: true}
	for _, tc := range []struct {
		m    Metric
		v    float64
		want string
	}{
		{integer, 0, "0"},
		{integer, 171798691840, "171798691840"},
		{double, 2048, "2048.0"},
		{double, 0, "0.0"},
		{double, 0.1, "0.1"},
		{double, 0.0001, "0.0001"},
		{double, 0.00001, "1e-05"},
		{double, 1e15, "1000000000000000.0"},
		{double, 1e16, "1e+16"},
		{double, 2046.5009765625, "2046.5009765625"},
	} {
		if got := string(tc.m.AppendValue(nil, tc.v)); got != tc.want {
			t.Errorf("%v (integer %v): %s, want %s", tc.v, tc.m.Integer, got, tc.want)
		}
	}
}
