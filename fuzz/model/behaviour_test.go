package model

import (
	"math"
	"testing"
)

const second = 1_000_000_000

// seconds makes points of times in seconds and values, alternating.
func seconds(numbers ...float64) []Point {
	var out []Point
	for i := 0; i < len(numbers); i += 2 {
		out = append(out, Point{int64(numbers[i] * second), numbers[i+1]})
	}
	return out
}

// TestWorkedExample is the example of the specification: 60 s, 3 points, back window 1.
func TestWorkedExample(t *testing.T) {
	m := New(Policy{[]Granularity{{60 * second, 3}}, []string{"mean", "rate:mean"}, 1})
	for _, step := range []struct{ batch, mean, rate []Point }{
		{seconds(0, 1, 30, 3, 300, 10, 330, 20), seconds(300, 15), seconds(300, 8.5)},
		{seconds(180, 99), seconds(180, 99, 300, 15), seconds(300, -39.5)},
		{seconds(240, 77, 250, 78), seconds(180, 99, 240, 77.5, 300, 15), seconds(240, -10.5, 300, -29)},
		{seconds(480, 100), seconds(480, 100), seconds(240, -10.5, 300, -29)},
		{seconds(310, 7), seconds(480, 100), seconds(240, -10.5, 300, -29)},
		{seconds(370, 7), seconds(360, 7, 480, 100), seconds(480, 93)},
		{seconds(479, 1), seconds(360, 7, 420, 1, 480, 100), seconds(420, -6, 480, 99)},
	} {
		m.Append(step.batch)
		check(t, m, "mean", 60, step.mean)
		check(t, m, "rate:mean", 60, step.rate)
	}
}

func check(t *testing.T, m *Metric, method string, granularitySeconds int64, want []Point) {
	t.Helper()
	if got := m.Measures(method, granularitySeconds*second, nil, nil); !samePoints(got, want) {
		t.Errorf("%s: got %v, want %v", method, got, want)
	}
}

func TestCounts(t *testing.T) {
	m := New(Policy{[]Granularity{{10 * second, 0}}, []string{"last", "count"}, 0})
	for _, step := range []struct {
		name                      string
		batch                     []Point
		accepted, late, duplicate int
	}{
		{"nothing", nil, 0, 0, 0},
		{"the first batch is never late", seconds(100, 1, 5, 2), 2, 0, 0},
		{"older than the window", seconds(99, 1, 98, 1), 0, 2, 0},
		{"late with new", seconds(99, 1, 101, 2), 1, 1, 0},
		{"stored before", seconds(100, 5, 101, 6, 102, 7), 3, 0, 2},
		{"twice in a batch", seconds(103, 5, 103, 4, 103, math.NaN()), 3, 0, 2},
		{"both", seconds(103, 1, 103, 2), 2, 0, 2},
		{"late ones are not duplicates", seconds(99, 1, 99, 1), 0, 2, 0},
	} {
		accepted, late, duplicate := m.Append(step.batch)
		if accepted != step.accepted || late != step.late || duplicate != step.duplicate {
			t.Errorf("%s: got %d %d %d, want %d %d %d", step.name, accepted, late, duplicate, step.accepted, step.late, step.duplicate)
		}
	}
	check(t, m, "count", 10, seconds(0, 1, 100, 4))
	check(t, m, "last", 10, seconds(0, 2, 100, 1))
}

func TestEqualTimes(t *testing.T) {
	nan := math.NaN()
	m := New(Policy{[]Granularity{{second, 0}}, []string{"last"}, 5})
	m.Append(seconds(1, 5, 1, 3, 1, 4, 2, nan, 2, 7, 3, nan, 3, nan))
	check(t, m, "last", 1, seconds(1, 3, 2, 7, 3, nan)) // the smallest, any number before NaN
	m.Append(seconds(1, 9, 2, nan))
	check(t, m, "last", 1, seconds(1, 9, 2, nan, 3, nan)) // the newer
}

// TestUnevenGranularities: the raw points are cut at 60, inside the group 56 to 63 of 7 s, which is recomputed from the rest.
func TestUnevenGranularities(t *testing.T) {
	m := New(Policy{[]Granularity{{7 * second, 0}, {60 * second, 0}}, []string{"count"}, 0})
	m.Append(seconds(57, 1, 58, 1, 61, 1))
	check(t, m, "count", 7, seconds(56, 3))
	m.Append(seconds(62, 1))
	check(t, m, "count", 7, seconds(56, 2))
	check(t, m, "count", 60, seconds(0, 2, 60, 2))
}

// TestRateOverGap: after a gap of more than a granularity the first difference of a batch is missing, until a later batch
// makes Gnocchi recompute from before the gap.
func TestRateOverGap(t *testing.T) {
	m := New(Policy{[]Granularity{{10 * second, 0}, {60 * second, 0}}, []string{"rate:last"}, 0})
	m.Append(seconds(60, 1))
	m.Append(seconds(90, 4))
	check(t, m, "rate:last", 10, nil)
	check(t, m, "rate:last", 60, seconds(60, 3)) // no gap for a granularity of 60 s
	m.Append(seconds(2, 7))                      // not late: rates widen the window by 60 s
	check(t, m, "rate:last", 10, seconds(60, -6, 90, 3))
}

// TestLateAlone: a batch of late points is dropped, but recomputes from the oldest raw point on.
func TestLateAlone(t *testing.T) {
	m := New(Policy{[]Granularity{{10 * second, 0}, {60 * second, 0}}, []string{"rate:last"}, 0})
	m.Append(seconds(600, 1))
	m.Append(seconds(650, 4))
	check(t, m, "rate:last", 10, nil)
	if _, late, _ := m.Append(seconds(3, 7)); late != 1 {
		t.Fatal("not late")
	}
	check(t, m, "rate:last", 10, seconds(650, 3))
}

// TestPolicyChange: shrinking hides at once, growing does not bring back what a batch has dropped since.
func TestPolicyChange(t *testing.T) {
	policy := func(points int64) Policy {
		return Policy{[]Granularity{{10 * second, points}}, []string{"sum"}, 0}
	}
	m := New(policy(3))
	m.Append(seconds(10, 1, 20, 2, 30, 3, 40, 4))
	check(t, m, "sum", 10, seconds(20, 2, 30, 3, 40, 4))
	if h, ok := m.Horizon("sum", 10*second); !ok || h != 10*second {
		t.Errorf("horizon %d %v", h, ok)
	}
	m.SetPolicy(policy(1))
	check(t, m, "sum", 10, seconds(40, 4))
	m.SetPolicy(policy(9))
	check(t, m, "sum", 10, seconds(20, 2, 30, 3, 40, 4))
	m.SetPolicy(policy(2))
	m.Append(seconds(50, 5))
	m.SetPolicy(policy(0))
	check(t, m, "sum", 10, seconds(40, 4, 50, 5))
	if h, _ := m.Horizon("sum", 10*second); h != 30*second {
		t.Errorf("horizon %d", h)
	}
}

// TestRaisedBackWindow: late points are taken where the raw points of before are gone.
func TestRaisedBackWindow(t *testing.T) {
	policy := func(window int) Policy {
		return Policy{[]Granularity{{10 * second, 0}}, []string{"sum"}, window}
	}
	m := New(policy(0))
	m.Append(seconds(11, 1, 12, 2, 31, 3))
	m.SetPolicy(policy(2))
	m.Append(seconds(13, 5))
	check(t, m, "sum", 10, seconds(10, 5, 30, 3))
}

func TestBounds(t *testing.T) {
	m := New(Policy{[]Granularity{{10 * second, 0}}, []string{"sum"}, 0})
	m.Append(seconds(10, 1, 20, 2, 30, 3))
	from, to := int64(29*second), int64(30*second)
	if got := m.Measures("sum", 10*second, &from, nil); !samePoints(got, seconds(20, 2, 30, 3)) {
		t.Error(got)
	}
	if got := m.Measures("sum", 10*second, nil, &to); !samePoints(got, seconds(10, 1, 20, 2)) {
		t.Error(got)
	}
	to++
	if got := m.Measures("sum", 10*second, &from, &to); !samePoints(got, seconds(20, 2, 30, 3)) {
		t.Error(got)
	}
}
