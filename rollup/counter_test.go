package rollup

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestIncrease(t *testing.T) {
	nan, inf, high := math.NaN(), math.Inf(1), float64(1<<53)
	for _, tc := range []struct {
		name          string
		before, after float64
		want          float64
		ok            bool
	}{
		{"goes up", 10, 12.5, 2.5, true},
		{"stays", 10, 10, 0, true},
		{"from zero", 0, 7, 7, true},
		{"a little down", 100, 99.5, -0.5, true},
		{"half is no reset", 100, 50, -50, true},
		{"below half is one", 100, 49.5, 49.5, true},
		{"to zero", 100, 0, 0, true},
		{"around 2^32", 1<<32 - 10, 5, 5, true},
		{"around 2^64", 1<<64 - 2048, 5, 5, true},
		{"beyond 2^53", high + 2, high + 6, 4, true},
		{"no counter: below zero", 100, -3, 0, true},
		{"no counter: up from below zero", -10, -7, 3, true},
		{"no counter: down below zero", -10, -12, 0, true},
		{"NaN before", nan, 1, 0, false},
		{"NaN after", 1, nan, 0, false},
		{"infinite", 1, inf, 0, false},
		{"from infinite", -inf, 1, 0, false},
	} {
		got, ok := Increase(tc.before, tc.after)
		if got != tc.want || ok != tc.ok {
			t.Errorf("%s: from %v to %v: got %v %v, want %v %v", tc.name, tc.before, tc.after, got, ok, tc.want, tc.ok)
		}
	}
}

func TestAppendCounter(t *testing.T) {
	const s = int64(1e9)
	for _, tc := range []struct {
		name      string
		ts        []int64 // seconds; groups are of 60
		vs        []float64
		prevT     int64 // seconds; -1: none
		prevV     float64
		starts    []int64
		increases []float64
		rates     []float64
	}{
		{"nothing", nil, nil, -1, 0, nil, nil, nil},
		{"the first ever", []int64{60}, []float64{5}, -1, 0, nil, nil, nil},
		{"two", []int64{60, 70}, []float64{5, 10}, -1, 0, []int64{60}, []float64{5}, []float64{0.5}},
		{"one and one", []int64{50, 70}, []float64{5, 15}, -1, 0, []int64{60}, []float64{10}, []float64{0.5}},
		{"after a gap", []int64{360, 370}, []float64{90, 95}, 60, 5, []int64{360}, []float64{90}, []float64{90.0 / 310}},
		{"a group without samples", []int64{10, 130}, []float64{1, 25}, -1, 0, []int64{120}, []float64{24}, []float64{0.2}},
		{"a reset", []int64{10, 20, 30}, []float64{100, 4, 10}, 0, 96, []int64{0}, []float64{14}, []float64{14.0 / 30}},
		{"readings in disorder", []int64{10, 20, 30}, []float64{100, 99, 110}, 0, 90, []int64{0}, []float64{20}, []float64{2.0 / 3}},
		{"a correction across groups", []int64{61, 70}, []float64{99, 110}, 59, 100, []int64{60}, []float64{10}, []float64{10.0 / 11}},
		{"a correction alone", []int64{61, 125}, []float64{99, 110}, 59, 100, []int64{60, 120}, []float64{0, 11}, []float64{0, 11.0 / 64}},
		{"NaN", []int64{10, 20, 30, 40}, []float64{10, math.NaN(), 30, 40}, 0, 5, []int64{0}, []float64{15}, []float64{0.75}},
		{"NaN alone", []int64{10, 70}, []float64{math.NaN(), 5}, 0, 5, nil, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var ts []int64
			for _, x := range tc.ts {
				ts = append(ts, x*s)
			}
			prev := tc.prevT * s
			if tc.prevT < 0 && len(ts) > 0 {
				prev = ts[0]
			}
			groups, offs := AppendGroups(nil, nil, ts, 60*s)
			increases, nanos := AppendIncreases(nil, nil, ts, tc.vs, prev, tc.prevV)
			var agg Aggregator
			for m, want := range map[Method][]float64{CounterIncrease: tc.increases, CounterRate: tc.rates} {
				got, present := agg.AppendCounter(nil, m, offs, increases, nanos)
				var starts []int64
				for i, start := range groups {
					if Has(present, i) {
						starts = append(starts, start/s)
					}
				}
				if !slices.Equal(got, want) || !slices.Equal(starts, tc.starts) {
					t.Errorf("%v: got %v at %v, want %v at %v", m, got, starts, want, tc.starts)
				}
			}
		})
	}
	var agg Aggregator
	if got, present := agg.AppendCounter(nil, Mean, []int32{0, 1}, []float64{1}, []int64{1}); len(got) != 0 || Has(present, 0) {
		t.Errorf("mean of a counter: %v %v", got, present)
	}
	dst := make([]float64, 0, 4)
	if n := testing.AllocsPerRun(10, func() {
		agg.AppendCounter(dst, CounterRate, []int32{0, 1, 2}, []float64{1, 2}, []int64{1, 2})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestCounterOfAnything: whatever the values are, no point is NaN or negative; of a counter the points add up to what it went up by.
func TestCounterOfAnything(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var agg Aggregator
	for range 300 {
		var ts []int64
		var vs []float64
		at, v := int64(0), 0.0
		tame := r.IntN(2) == 0
		for range 200 {
			at += 1 + r.Int64N(50e9)
			if v += float64(r.IntN(1000)); r.IntN(40) == 0 {
				v = 0
			}
			x := v
			if !tame {
				x = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 5e-324, -1, 0, r.NormFloat64(), v}[r.IntN(10)]
			}
			ts, vs = append(ts, at), append(vs, x)
		}
		_, offs := AppendGroups(nil, nil, ts, 1+r.Int64N(300e9))
		increases, nanos := AppendIncreases(nil, nil, ts, vs, ts[0], 0)
		for _, m := range CounterMethods() {
			points, _ := agg.AppendCounter(nil, m, offs, increases, nanos)
			sum := 0.0
			for _, p := range points {
				if sum += p; !(p >= 0) {
					t.Fatalf("%v: %v", m, p)
				}
			}
			if tame && m == CounterIncrease && sum != readings(vs) {
				t.Fatalf("points add up to %v, want %v", sum, readings(vs))
			}
		}
	}
}

// readings is what a counter went up by that has never been read in disorder.
func readings(vs []float64) float64 {
	sum := 0.0
	for i := 1; i < len(vs); i++ {
		if sum += vs[i]; vs[i] >= vs[i-1] {
			sum -= vs[i-1]
		}
	}
	return sum
}

// TestResetRule puts a number on the rule that a counter below half has begun again: machines that are restarted at any time, polled by two
// agents whose times are off, and how far the groups' increases are from the CPU time that was used. Where any decrease is
// a reset, a single pair of readings in disorder adds a counter's whole past.
func TestResetRule(t *testing.T) {
	for _, tc := range []struct {
		life, off, period  float64 // seconds: mean time between restarts, error of agents' times, of polls
		bound, anyDecrease float64 // errors as a share of what was used: at most, at least
	}{
		{life: 7200, off: 0.4, period: 10, bound: 0.005, anyDecrease: 1},
		{life: 7200, off: 5, period: 10, bound: 0.03, anyDecrease: 10},
		{life: 7200, off: 5, period: 60, bound: 0.03, anyDecrease: 0.2},
		{life: 7200, off: 20, period: 60, bound: 0.08, anyDecrease: 1},
		{life: 3 * 86400, off: 20, period: 60, bound: 0.06, anyDecrease: 20},
	} {
		r := rand.New(rand.NewPCG(7, 8))
		errs, used := [3]float64{}, 0.0
		for range 40 {
			list, truth := polled(r, max(4*3600, tc.life/4), tc.life, tc.off, tc.period)
			for k, share := range []float64{1, 0.5, 0.9} {
				errs[k] += groupErrors(list, share, truth)
			}
			used += truth(math.Inf(1))
		}
		t.Logf("%+v: any decrease a reset: %.4f, below half: %.4f, below 0.9: %.4f", tc, errs[0]/used, errs[1]/used, errs[2]/used)
		if errs[1]/used > tc.bound || errs[0]/used < tc.anyDecrease || errs[1] > 1.5*errs[2] {
			t.Errorf("%+v: got %.4f, any decrease %.4f", tc, errs[1]/used, errs[0]/used)
		}
	}
}

type polledSample struct{ t, v float64 }

// polled returns what two agents sent of a machine in the order of the times they gave, and the CPU seconds used by a time.
func polled(r *rand.Rand, end, life, off, period float64) ([]polledSample, func(t float64) float64) {
	sums := make([]float64, int(end/60)+2)
	for i := 1; i < len(sums); i++ {
		sums[i] = sums[i-1] + 60*r.Float64()
	}
	used := func(t float64) float64 {
		t = min(t, end)
		i := int(t / 60)
		return sums[i] + (sums[i+1]-sums[i])*(t/60-float64(i))
	}
	var restarts []float64
	for t := r.ExpFloat64() * life; t < end; t += r.ExpFloat64() * life {
		restarts = append(restarts, t)
	}
	var list []polledSample
	for range 2 {
		for t := off + r.Float64()*period; t < end-off; t += period {
			began, near := 0.0, false
			for _, at := range restarts {
				if near = near || math.Abs(at-t) < 2*off; at <= t { // it takes its time, and nobody reads it meanwhile
					began = used(at)
				}
			}
			if !near {
				list = append(list, polledSample{t + (2*r.Float64()-1)*off, used(t) - began})
			}
		}
	}
	slices.SortFunc(list, func(a, b polledSample) int { return cmp.Compare(a.t, b.t) })
	return list, used
}

// groupErrors adds up how far the increases of groups of 300 s are from what was used, if a counter below a share of what it was is a reset.
func groupErrors(list []polledSample, share float64, used func(t float64) float64) float64 {
	errs, sum, from := 0.0, 0.0, list[0].t
	for i := 1; i < len(list); i++ {
		before, after := list[i-1], list[i]
		if share == 0.5 {
			v, _ := Increase(before.v, after.v)
			sum += v
		} else if sum += after.v; after.v >= share*before.v {
			sum -= before.v
		}
		if i+1 == len(list) || int(list[i+1].t/300) != int(after.t/300) {
			errs += math.Abs(max(sum, 0) - (used(after.t) - used(from)))
			sum, from = 0, after.t
		}
	}
	return errs
}
