package rollup

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestWhereAnIntervalCounts compares ways to give the increase of an interval to groups of 60 s: to its later sample's group, as CounterRate does;
// the same divided by the width instead of the time covered; and split over the groups it crosses. The error is that against the mean use
// of the group's own minute; of the time covered, CounterRate gives the mean exactly. DESIGN.md has the figures that this logs.
func TestWhereAnIntervalCounts(t *testing.T) {
	for _, tc := range []struct {
		name              string
		period            float64 // seconds; negative: the mean of irregular ones
		later, width, cut float64 // errors, as shares of a CPU, at most
	}{
		{"every 10 s", 10, 0.02, 0.03, 0.005},
		{"every 60 s", 60, 0.15, 0.15, 0.03},
		{"every 300 s", 300, 0.25, 3, 0.15},
		{"irregular", -60, 0.12, 0.8, 0.08},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		m := newLoad(r, 48*3600, 300)
		ts := m.times(r, tc.period)
		later, split, covered := map[int]float64{}, map[int]float64{}, map[int]float64{}
		begins := map[int]float64{}
		for i := 1; i < len(ts); i++ {
			a, b := ts[i-1], ts[i]
			g := int(b / 60)
			if _, ok := begins[g]; !ok {
				begins[g] = a
			}
			increase, _ := Increase(m.used(a), m.used(b))
			later[g] += increase
			covered[g] += b - a
			for k := int(a / 60); k <= g; k++ {
				split[k] += increase * (min(b, float64(k+1)*60) - max(a, float64(k)*60)) / (b - a)
			}
			if mean := (m.used(b) - m.used(begins[g])) / (b - begins[g]); math.Abs(later[g]/covered[g]-mean) > 1e-6 {
				t.Fatalf("%s: %v since %v, mean use is %v", tc.name, later[g]/covered[g], begins[g], mean)
			}
		}
		last := int(ts[len(ts)-1] / 60)
		off := func(of map[int]float64, span func(g int) float64) (rms float64, n int) {
			for g, v := range of {
				if g > int(ts[0]/60) && g < last {
					d := v/span(g) - (m.used(float64(g+1)*60)-m.used(float64(g)*60))/60
					rms, n = rms+d*d, n+1
				}
			}
			return math.Sqrt(rms / float64(n)), n
		}
		minute := func(int) float64 { return 60 }
		byTime, n := off(later, func(g int) float64 { return covered[g] })
		byWidth, _ := off(later, minute)
		cut, all := off(split, minute)
		t.Logf("%s: later sample's group %.4f (%d groups), divided by the width %.4f, split %.4f (%d groups)", tc.name, byTime, n, byWidth, cut, all)
		if byTime > tc.later || byWidth > tc.width || cut > tc.cut || byTime > byWidth*1.001 {
			t.Errorf("%s: %v %v %v", tc.name, byTime, byWidth, cut)
		}
	}
}

// load is a machine with one CPU whose use changes now and then.
type load struct{ sums []float64 } // CPU seconds used by each second

func newLoad(r *rand.Rand, seconds int, change float64) *load {
	m := &load{sums: []float64{0}}
	use := r.Float64()
	for range seconds {
		if r.Float64() < 1/change {
			use = r.Float64()
		}
		m.sums = append(m.sums, m.sums[len(m.sums)-1]+use)
	}
	return m
}

func (m *load) used(t float64) float64 {
	i := min(int(t), len(m.sums)-2)
	return m.sums[i] + (m.sums[i+1]-m.sums[i])*(t-float64(i))
}

// times are those at which the counter is read.
func (m *load) times(r *rand.Rand, period float64) (ts []float64) {
	for t := 10 * r.Float64(); t < float64(len(m.sums)-2); {
		ts = append(ts, t)
		if period > 0 {
			t += period + 0.2*r.Float64() - 0.1
		} else {
			t += 0.1 - period*r.ExpFloat64()
		}
	}
	return ts
}
