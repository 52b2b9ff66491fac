package encoding

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// shapes are the kinds of values that tests and benchmarks go through.
var shapes = []struct {
	name string
	next func(r *rand.Rand) func(i int) float64
}{
	{"constant", func(r *rand.Rand) func(int) float64 { return func(int) float64 { return 42.5 } }},
	{"counter", func(r *rand.Rand) func(int) float64 {
		c := 1e9
		return func(int) float64 { c += float64(r.IntN(20000)); return c }
	}},
	{"line", func(r *rand.Rand) func(int) float64 { return func(i int) float64 { return float64(i * 1000) } }},
	{"decimal", func(r *rand.Rand) func(int) float64 {
		x := 5000
		return func(int) float64 { x += r.IntN(21) - 10; return float64(x) / 100 }
	}},
	{"mean", func(r *rand.Rand) func(int) float64 {
		return func(int) float64 {
			s := 0.0
			for range 15 {
				s += float64(r.IntN(100)) / 15
			}
			return s
		}
	}},
	{"multiple", func(r *rand.Rand) func(int) float64 {
		return func(int) float64 { return float64(r.IntN(300)) * 0.01 * 5851.9989 / 15 }
	}},
	{"noise", func(r *rand.Rand) func(int) float64 { return func(int) float64 { return 1e5 * (1 + r.Float64()) } }},
	{"normal", func(r *rand.Rand) func(int) float64 { return func(int) float64 { return r.NormFloat64() } }},
	{"states", func(r *rand.Rand) func(int) float64 {
		v := []float64{0.1234567, 1e300, -5, math.Pi}
		s := 0
		return func(int) float64 {
			if r.IntN(20) == 0 {
				s = r.IntN(len(v))
			}
			return v[s]
		}
	}},
	{"seldom", func(r *rand.Rand) func(int) float64 {
		return func(i int) float64 {
			if i%200 == 7 {
				return r.Float64()
			}
			return float64(i / 10)
		}
	}},
	{"bits", func(r *rand.Rand) func(int) float64 {
		return func(int) float64 { return math.Float64frombits(r.Uint64()) }
	}},
	{"nan", func(r *rand.Rand) func(int) float64 {
		return func(int) float64 { return math.Float64frombits(0x7ff8<<48 | uint64(r.IntN(1<<30))) }
	}},
	{"special", func(r *rand.Rand) func(int) float64 {
		v := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1, -1, 1e300, 5e-324, 0.1, 1 << 53, 1<<53 + 2, 1 << 63, -1 << 63}
		return func(int) float64 { return v[r.IntN(len(v))] }
	}},
	{"reset", func(r *rand.Rand) func(int) float64 {
		c := 0
		return func(i int) float64 {
			if c += r.IntN(9000); i%700 == 300 {
				c = 0
			}
			return float64(c)
		}
	}},
	{"held", func(r *rand.Rand) func(int) float64 {
		prev := 0.1
		return func(int) float64 {
			if r.IntN(2) == 0 {
				prev = r.NormFloat64()
			}
			return prev
		}
	}},
	{"sparse", func(r *rand.Rand) func(int) float64 {
		prev := 0.1
		return func(int) float64 {
			if r.IntN(100) == 0 {
				prev = r.Float64()
			}
			return prev
		}
	}},
}

func series(shape string, seed uint64, n int) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	for _, s := range shapes {
		if s.name == shape {
			next := s.next(r)
			vs := make([]float64, n)
			for i := range vs {
				vs[i] = next(i)
			}
			return vs
		}
	}
	panic("no shape " + shape)
}

var timeShapes = []struct {
	name string
	next func(r *rand.Rand) func(i int) int64
}{
	{"step", func(r *rand.Rand) func(int) int64 { return func(i int) int64 { return 1767571200e9 + int64(i)*300e9 } }},
	{"odd step", func(r *rand.Rand) func(int) int64 { return func(i int) int64 { return -7 + int64(i)*123456789 } }},
	{"jitter", func(r *rand.Rand) func(int) int64 {
		return func(i int) int64 { return 1767571200e9 + int64(i)*300e9 + int64(r.IntN(4001)-2000)*1e6 }
	}},
	{"late timer", func(r *rand.Rand) func(int) int64 {
		t := int64(1767571200e9)
		return func(int) int64 { t += 300e9 + int64(max(0, r.IntN(20)-18))*1e9; return t }
	}},
	{"gaps", func(r *rand.Rand) func(int) int64 {
		t := int64(0)
		return func(int) int64 {
			t += 60e9
			if r.IntN(50) == 0 {
				t += int64(r.IntN(100)) * 60e9
			}
			return t
		}
	}},
	{"nanoseconds", func(r *rand.Rand) func(int) int64 {
		t := int64(1767571200123456789)
		return func(int) int64 { t += 1 + r.Int64N(2e9); return t }
	}},
	{"slower", func(r *rand.Rand) func(int) int64 {
		return func(i int) int64 { return 1767571200e9 + int64(i)*int64(i)*1e6 + int64(i)*1e9 }
	}},
	{"everywhere", func(r *rand.Rand) func(int) int64 {
		return func(i int) int64 { return math.MinInt64 + int64(i)<<48 + r.Int64N(1<<47) }
	}},
}

func times(shape string, seed uint64, n int) []int64 {
	r := rand.New(rand.NewPCG(seed, 2))
	for _, s := range timeShapes {
		if s.name == shape {
			next := s.next(r)
			ts := make([]int64, n)
			for i := range ts {
				ts[i] = next(i)
			}
			return ts
		}
	}
	panic("no shape " + shape)
}

var lengths = []int{1, 2, 3, 7, 63, 64, 65, 127, 128, 129, 130, 257, 1000, 1024, 4096}

func bitsEqual(a, b []float64) bool {
	return len(a) == len(b) && sameBits(a, b)
}

// checkBlock parses a block and compares all of it, and parts of it, with what went in.
func checkBlock(t testing.TB, r *rand.Rand, src []byte, ts []int64, cols []Column) {
	t.Helper()
	b, err := ParseBlock(src)
	if err != nil {
		t.Fatal(err)
	}
	if b.Len() != len(ts) || b.First() != ts[0] || b.Last() != ts[len(ts)-1] || b.Columns() != len(cols) {
		t.Fatalf("header: %d rows from %d to %d, %d columns", b.Len(), b.First(), b.Last(), b.Columns())
	}
	ranges := [][2]int{{0, len(ts)}, {len(ts) - 1, len(ts)}, {0, 1}}
	for range 6 {
		i := r.IntN(len(ts))
		ranges = append(ranges, [2]int{i, i + r.IntN(len(ts)-i+1)})
	}
	for _, rg := range ranges {
		i, j := rg[0], rg[1]
		prefix := []int64{-99}
		got, err := b.AppendTimes(prefix, i, j)
		if err != nil || got[0] != -99 || !slices.Equal(got[1:], ts[i:j]) {
			t.Fatalf("times [%d,%d): %v", i, j, err)
		}
		if i < j {
			for _, d := range []int64{0, 1} { // exactly on the rows, and just behind
				x, y, err := b.Range(ts[i]+d, ts[j-1]+1+d)
				wantX, _ := slices.BinarySearch(ts, ts[i]+d)
				wantY, _ := slices.BinarySearch(ts, ts[j-1]+1+d)
				if err != nil || x != wantX || y != max(wantX, wantY) {
					t.Fatalf("range [%d,%d)+%d: got [%d,%d) %v", i, j, d, x, y, err)
				}
			}
		}
		for k, c := range cols {
			from, to := i, j
			if c.Present != nil {
				from, to = countBits(c.Present, 0, i), countBits(c.Present, 0, j)
			}
			vs, err := b.AppendValues([]float64{-99}, k, i, j)
			if err != nil {
				t.Fatal(err)
			}
			if vs[0] != -99 || !bitsEqual(vs[1:], c.Values[from:to]) {
				for q := range c.Values[from:to] {
					if math.Float64bits(vs[1+q]) != math.Float64bits(c.Values[from+q]) {
						t.Fatalf("column %d rows [%d,%d): value %d is %v (%x), want %v (%x)", k, i, j, q, vs[1+q], math.Float64bits(vs[1+q]), c.Values[from+q], math.Float64bits(c.Values[from+q]))
					}
				}
			}
			m, all, err := b.AppendPresent(nil, k, i, j)
			if err != nil || all != (to-from == j-i) {
				t.Fatalf("column %d: presence of [%d,%d): all %v, %v", k, i, j, all, err)
			}
			for q := i; q < j && !all; q++ {
				if m[(q-i)/64]>>((q-i)%64)&1 != c.Present[q/64]>>(q%64)&1 {
					t.Fatalf("column %d: presence of row %d", k, q)
				}
			}
		}
	}
}

func TestBlockRoundTrip(t *testing.T) {
	const seed = 20260105
	r := rand.New(rand.NewPCG(seed, 3))
	for _, effort := range []Effort{Fast, Cold} {
		for _, shape := range shapes {
			t.Run(fmt.Sprintf("effort=%d/shape=%s", effort, shape.name), func(t *testing.T) {
				var e Encoder
				for k, n := range lengths {
					ts := times(timeShapes[k%len(timeShapes)].name, seed, n)
					cols := []Column{{Values: series(shape.name, seed, n)}}
					src := e.AppendBlock([]byte("prefix"), ts, cols, effort)
					checkBlock(t, r, src[len("prefix"):], ts, cols)
				}
			})
		}
	}
}

func TestTimesRoundTrip(t *testing.T) {
	const seed = 20260106
	r := rand.New(rand.NewPCG(seed, 3))
	for _, shape := range timeShapes {
		t.Run(shape.name, func(t *testing.T) {
			var e Encoder
			for _, n := range lengths {
				ts := times(shape.name, seed, n)
				cols := []Column{{Values: make([]float64, n)}}
				checkBlock(t, r, e.AppendBlock(nil, ts, cols, Fast), ts, cols)
			}
		})
	}
}
