package engine

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTail sends values of many shapes through a tail and back, bit for bit.
func TestTail(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	shapes := []func(v float64) float64{
		func(v float64) float64 { return v },
		func(v float64) float64 { return v + float64(r.IntN(1000)) },
		func(v float64) float64 { return math.Round(r.Float64()*1e4) / 100 },
		func(v float64) float64 { return math.Round(r.Float64()*1e12) / 10 },
		func(v float64) float64 { return float64(r.IntN(1<<20)) / 1024 },
		func(v float64) float64 { return r.NormFloat64() },
		func(v float64) float64 { return math.Float64frombits(r.Uint64()) },
		func(v float64) float64 {
			return []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1 << 53}[r.IntN(6)]
		},
	}
	for range 200 {
		var tl tail
		var ts []int64
		var vs []float64
		at, v := r.Int64N(2e18), 0.0
		for range 1 + r.IntN(300) {
			v = shapes[r.IntN(len(shapes))](v)
			at += []int64{1, 1e6, 1e9, 300e9, 1 + r.Int64N(1e12)}[r.IntN(5)]
			tl.append(at, v)
			ts, vs = append(ts, at), append(vs, v)
		}
		k := r.IntN(len(ts) + 1)
		edge := int64(math.MaxInt64)
		if k < len(ts) {
			edge = ts[k]
		}
		_, _, part, _ := tl.appendParted(nil, nil, edge)
		if part.n != k {
			t.Fatalf("%d of %d samples are older than %d, want %d", part.n, len(ts), edge, k)
		}
		rest := tl.without(part)
		for _, c := range []struct {
			tail tail
			from int
		}{{tl, 0}, {rest, k}} {
			gt, gv, ok := c.tail.appendTo(nil, nil)
			if !ok || !c.tail.restore() || len(gt) != len(ts)-c.from {
				t.Fatalf("does not decode: %v, %d of %d samples", ok, len(gt), len(ts)-c.from)
			}
			for i := range gt {
				if gt[i] != ts[c.from+i] || math.Float64bits(gv[i]) != math.Float64bits(vs[c.from+i]) {
					t.Fatalf("sample %d: got %d %x, want %d %x", i, gt[i], math.Float64bits(gv[i]), ts[c.from+i], math.Float64bits(vs[c.from+i]))
				}
			}
		}
	}
}

// FuzzTail reads arbitrary bytes as a tail, at once and sample by sample.
func FuzzTail(f *testing.F) {
	var tl tail
	for i := range int64(40) { // decoding at once begins where there are several samples
		tl.append(1e18+i*1e9+i%7, []float64{1.5, 2.25, math.Pi, float64(i * i)}[i%4])
	}
	f.Add(tl.buf, tl.n, int64(1e18+20e9))
	f.Add(tl.buf[:30], 3, int64(0))
	f.Fuzz(func(t *testing.T, b []byte, n int, edge int64) {
		tl := tail{buf: b, n: min(max(n, 0), len(b))}
		r := tl.reader()
		var want []sampleState
		for range tl.n {
			if !r.next() {
				break
			}
			want = append(want, r.st)
		}
		if len(want) > 0 {
			tl.last.t = want[len(want)-1].t
		}
		ts, vs, part, ok := tl.appendParted(nil, nil, edge)
		if len(ts) != len(want) || len(ts) != len(vs) {
			t.Fatalf("%d times and %d values, want %d (%v)", len(ts), len(vs), len(want), ok)
		}
		for i, w := range want {
			if ts[i] != w.t || math.Float64bits(vs[i]) != w.bits {
				t.Fatalf("sample %d: %d, %x; want %d, %x", i, ts[i], math.Float64bits(vs[i]), w.t, w.bits)
			}
		}
		if !ok {
			return
		}
		if k, _ := slices.BinarySearch(ts, edge); part.n != k || k > 0 && part.last != want[k-1] {
			t.Fatalf("part of %d samples, %+v; want %d of %d", part.n, part.last, k, len(ts))
		}
	})
}
