package rollup

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var nan = math.NaN()

// naive works a method out for one group the plain way; false if the group yields no point.
func naive(m Method, vs []float64) (float64, bool) {
	n := len(vs)
	if n == 0 || n == 1 && m.Base() == Std {
		return 0, false
	}
	var sum, squares float64
	for _, v := range vs {
		sum += v
	}
	mean := sum / float64(n)
	for _, v := range vs {
		squares += float64((v - mean) * (v - mean))
	}
	s := slices.Clone(vs)
	slices.SortStableFunc(s, func(a, b float64) int {
		switch {
		case a < b || a == a && b != b:
			return -1
		case b < a || b == b && a != a:
			return 1
		}
		return 0
	})
	switch m.Base() {
	case Mean:
		return mean, true
	case Sum:
		return sum, true
	case Std:
		return math.Sqrt(squares / float64(n-1)), true
	case Count:
		return float64(n), true
	case First:
		return vs[0], true
	case Last:
		return vs[n-1], true
	case Min:
		return s[0], true
	case Max:
		return s[n-1], true
	case Median:
		return (s[(n-1)/2] + s[n/2]) / 2, true
	}
	p := float64(float64(n-1) * (float64(m.Percentile()) / 100))
	lo, hi := math.Floor(p), math.Ceil(p)
	if lo == hi {
		return s[int(p)], true
	}
	return float64(s[int(lo)]*(hi-p)) + float64(s[int(hi)]*(p-lo)), true
}

// TestAppendRandom compares all methods on columns of many groups, some of them empty, with the plain way.
func TestAppendRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	odd := []float64{0, math.Copysign(0, -1), nan, math.Inf(1), math.Inf(-1), 1, math.MaxFloat64, 5e-324,
		math.Float64frombits(0x7ff8000000000123)}
	var agg Aggregator
	for range 400 {
		offs, vs := randomColumn(rng, odd)
		for _, m := range []Method{Mean, Sum, Last, Max, Min, Std, Median, First, Count, Pct(1), Pct(50), Pct(95), Max.OfRate()} {
			got, present := agg.Append([]float64{-7}, m, offs, vs)
			checkColumn(t, m, offs, vs, got, present)
			if m == Median || m.Percentile() > 0 {
				got, present = agg.AppendSorted([]float64{-7}, m, offs, agg.Sort(offs, vs))
				checkColumn(t, m, offs, vs, got, present)
			}
		}
	}
}

func randomColumn(rng *rand.Rand, odd []float64) ([]int32, []float64) {
	offs := []int32{int32(rng.IntN(2) * rng.IntN(5))}
	widest, emptyOneIn := 1+rng.IntN(40), 1+rng.IntN(30)
	for range rng.IntN(150) {
		n := 1 + rng.IntN(widest)
		if rng.IntN(emptyOneIn) == 0 && emptyOneIn > 3 {
			n = 0
		}
		offs = append(offs, offs[len(offs)-1]+int32(n))
	}
	vs := make([]float64, int(offs[len(offs)-1])+rng.IntN(5))
	oddOneIn := 1 + rng.IntN(50)
	for i := range vs {
		vs[i] = rng.NormFloat64() * math.Exp2(float64(rng.IntN(60)))
		if rng.IntN(oddOneIn) == 0 {
			vs[i] = odd[rng.IntN(len(odd))]
		}
	}
	return offs, vs
}

// checkColumn compares what Append gave behind a prefix of one value.
func checkColumn(t *testing.T, m Method, offs []int32, vs, got []float64, present []uint64) {
	t.Helper()
	if got[0] != -7 {
		t.Fatalf("%s: dst was overwritten", m)
	}
	got = got[1:]
	absent := false
	for i := range len(offs) - 1 {
		group := vs[offs[i]:offs[i+1]]
		want, ok := naive(m, group)
		if ok != Has(present, i) {
			t.Fatalf("%s of group %d %v: present %v, want %v", m, i, group, Has(present, i), ok)
		}
		if !ok {
			absent = true
			continue
		}
		if len(got) == 0 {
			t.Fatalf("%s: no value for group %d", m, i)
		}
		exact := m.Base() == Min || m.Base() == Max || m == First || m == Last
		if !same(got[0], want) && !(exact && want != want) {
			t.Fatalf("%s of %v: got %x, want %x", m, group, got[0], want)
		}
		got = got[1:]
	}
	if len(got) != 0 || absent != (present != nil) {
		t.Fatalf("%s: %d values too many, bitmap %v, absent groups %v", m, len(got), present, absent)
	}
}

func TestAppendSpecial(t *testing.T) {
	negZero := math.Copysign(0, -1)
	odd := math.Float64frombits(0x7ff8000000000123)
	for _, tc := range []struct {
		name string
		m    Method
		vs   []float64
		want float64
	}{
		{"sum of minus zeros", Sum, []float64{negZero, negZero}, 0},
		{"sum of one minus zero", Sum, []float64{negZero}, 0},
		{"mean of one minus zero", Mean, []float64{negZero}, 0},
		{"last keeps minus zero", Last, []float64{negZero}, negZero},
		{"earliest zero is least", Min, []float64{1, negZero, 0}, negZero},
		{"latest zero is most", Max, []float64{-1, 0, negZero}, negZero},
		{"min without NaN", Min, []float64{nan, 3, nan, 2}, 2},
		{"max with NaN", Max, []float64{3, nan, 4}, nan},
		{"min of NaN alone", Min, []float64{odd, nan}, odd},
		{"max keeps the NaN", Max, []float64{nan, 5, odd, 6}, odd},
		{"max of minus infinities", Max, []float64{math.Inf(-1), math.Inf(-1)}, math.Inf(-1)},
		{"median of one overflows", Median, []float64{1e308}, math.Inf(1)},
		{"percentile of one does not", Pct(50), []float64{1e308}, 1e308},
		{"percentile between", Pct(95), []float64{7, 1, 2}, 6.499999999999999},
		{"percentile of NaN last", Pct(99), []float64{nan, 1}, nan},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var agg Aggregator
			got, present := agg.Append(nil, tc.m, []int32{0, int32(len(tc.vs))}, tc.vs)
			if len(got) != 1 || present != nil || math.Float64bits(got[0]) != math.Float64bits(tc.want) && !same(got[0], tc.want) {
				t.Fatalf("got %v %v, want %v", got, present, tc.want)
			}
			if keeps := tc.m == Min || tc.m == Max; keeps && math.Float64bits(got[0]) != math.Float64bits(tc.want) {
				t.Errorf("got %x, want %x", math.Float64bits(got[0]), math.Float64bits(tc.want))
			}
		})
	}
}

func TestAppendNothing(t *testing.T) {
	var agg Aggregator
	for _, m := range append(Methods(), 0, 100, 200, CounterIncrease, CounterRate, 203, 0x7fff) {
		for _, offs := range [][]int32{nil, {0}, {3}} {
			if got, present := agg.Append(nil, m, offs, []float64{1, 2, 3}); len(got) != 0 || present != nil {
				t.Errorf("%s of no groups: %v %v", m, got, present)
			}
		}
		got, present := agg.Append(nil, m, []int32{2, 2, 2}, []float64{1, 2, 3})
		if len(got) != 0 || Has(present, 0) || Has(present, 1) {
			t.Errorf("%s of empty groups: %v %v", m, got, present)
		}
	}
	if got, present := agg.Append(nil, 77, []int32{0, 1}, []float64{1}); len(got) != 0 || Has(present, 0) {
		t.Errorf("unknown method: %v %v", got, present)
	}
	if got, present := agg.AppendSorted(nil, Sum, []int32{0, 1}, []float64{1}); len(got) != 0 || Has(present, 0) {
		t.Errorf("sum of sorted: %v %v", got, present)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	offs := []int32{0, 1, 1, 2, 20, 64, 100}
	vs := madeValues(1, 100)
	dst := make([]float64, 0, len(offs))
	var agg Aggregator
	for _, m := range []Method{Mean, Sum, Last, Max, Min, Std, Median, First, Count, Pct(95)} {
		agg.Append(dst, m, offs, vs)
		if n := testing.AllocsPerRun(10, func() { agg.Append(dst, m, offs, vs) }); n != 0 {
			t.Errorf("%s: %v allocations", m, n)
		}
	}
	ts := []int64{1, 2, 3, 1e18}
	starts, groups := make([]int64, 0, 8), make([]int32, 0, 8)
	if n := testing.AllocsPerRun(10, func() {
		AppendGroups(starts, groups, ts, 2)
		AppendCalendarGroups(starts, groups, ts, 'Q')
	}); n != 0 {
		t.Errorf("groups: %v allocations", n)
	}
}
