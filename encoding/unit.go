package encoding

import (
	"cmp"
	"math"
	"slices"
)

const (
	unitMost  = 1 << 16 // multiples of the unit in the smallest value at most
	unitTwice = 1 << 30 // and in the largest
	unitClose = 1e-12   // relative error of a ratio of two values
)

// findUnit looks for a unit of which nearly all of the sample are near multiples: the ratios of values to the smallest are
// fractions with small denominators. A unit of 1/den becomes a divisor. It uses f as scratch space.
func findUnit(f *fit, smp []float64) (s scale, ok bool) {
	var buf [sampleLen]float64
	v := buf[:0]
	for _, x := range smp {
		if x != 0 && math.Abs(x) < 1e300 && math.Abs(x) > 1e-300 {
			v = append(v, math.Abs(x))
		}
	}
	if len(v) < len(smp)/4 || len(v) < 3 {
		return s, false
	}
	slices.Sort(v)
	misses := 0
	q := 1.0 // so many units are in v[0]
	for _, x := range v[1:] {
		d := denominator(x / v[0] * q)
		if d == 0 || q*d > unitMost {
			if misses++; misses > len(v)/16 {
				return s, false
			}
			continue
		}
		q *= d
	}
	s = scale{kind: scaleBase, base: v[0] / q}
	if v[len(v)-1]/s.base > unitTwice {
		return s, false
	}
	s.sharpen(f, v)
	if den := math.Round(1 / s.base); den >= 1 && den < 1<<31 && math.Abs(den*s.base-1) < unitClose {
		s = scale{kind: scaleDen, den: uint64(den)}
	}
	return s, s.near(f, smp, len(smp)/16)
}

// denominator returns the smallest d for which x*d is nearly an integer, by continued fractions; 0 when there is none that is small.
func denominator(x float64) float64 {
	d0, d1 := 0.0, 1.0
	rest := x
	for range 12 {
		y := x * d1
		if math.Abs(y-math.Round(y)) <= y*unitClose {
			return d1
		}
		rest -= math.Floor(rest)
		if rest == 0 {
			return 0
		}
		rest = 1 / rest
		d0, d1 = d1, math.Floor(rest)*d1+d0
		if d1 > unitMost {
			return 0
		}
	}
	return 0
}

// sharpen corrects a base that is only nearly right: large multiples tell it better than small ones, and of the neighbouring floats
// the one that leaves the fewest ulps is taken.
func (s *scale) sharpen(f *fit, smp []float64) {
	var buf [sampleLen]float64
	v := append(buf[:0], smp...)
	slices.SortFunc(v, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) })
	for _, x := range v {
		if n := math.Round(x / s.base); n != 0 && math.Abs(x-n*s.base) < math.Abs(s.base)/8 && math.Abs(n) < unitTwice {
			s.base = x / n
		}
	}
	best, fewest := s.base, math.MaxInt
	for _, b := range []float64{s.base, math.Nextafter(s.base, 0), math.Nextafter(s.base, math.Inf(1))} {
		t := scale{kind: scaleBase, base: b}
		if !t.near(f, v, len(v)/8) {
			continue
		}
		sum := 64 * len(f.bad)
		for _, u := range f.ulps[:len(v)] {
			sum += int(u)
		}
		if sum < fewest {
			best, fewest = b, sum
		}
	}
	s.base = best
}
