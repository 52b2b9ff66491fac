package encoding

import (
	"math"
	"math/bits"
	"slices"
)

// search offers the forms that may be small for the values, most likely first.
func (e *Encoder) search(c *candidates, vs []float64, effort Effort) {
	var buf [sampleLen]float64
	smp := sample(&buf, vs)
	dict := repeats(smp) || effort == Cold
	if dict {
		e.tryDict(c, vs, effort)
	}
	fits := e.tryExact(c, vs, smp, effort) || e.tryNear(c, vs, smp, effort)
	if fits && effort == Fast {
		return
	}
	if effort == Cold {
		defer e.tryLZ(c, vs)
	}
	if !dict {
		e.tryDict(c, vs, effort)
	}
	e.tryBits(c, vs, effort)
	e.trySplit(c, vs)
	e.tryXor(c, vs)
}

const sampleLen = 32

// sample fills s with values from all over the column.
func sample(s *[sampleLen]float64, vs []float64) []float64 {
	n := min(sampleLen, len(vs))
	for i := range s[:n] {
		s[i] = vs[i*len(vs)/n]
	}
	return s[:n]
}

// repeats tells whether a sample has values twice, as one of a few hundred distinct values has.
func repeats(smp []float64) bool {
	var buf [sampleLen]uint64
	seen := buf[:len(smp)]
	for i, v := range smp {
		seen[i] = math.Float64bits(v)
	}
	slices.Sort(seen)
	return len(smp)-len(slices.Compact(seen)) >= 2
}

// tryExact looks for a divisor that makes integers of (nearly) all values.
func (e *Encoder) tryExact(c *candidates, vs, smp []float64, effort Effort) bool {
	best, found := scale{}, false
	fewest := len(vs)/10 + 1
	try := func(den uint64) bool {
		s := scale{den: den}
		if !s.exact(&e.part, smp, len(smp)/8) {
			return false
		}
		if r := e.part.reduce(s, smp); r != s && r.exact(&e.fit, vs, fewest-1) {
			s = r
		} else if !s.exact(&e.fit, vs, fewest-1) {
			return false
		}
		best, fewest, found = s, len(e.fit.bad), true
		return fewest <= len(vs)/100
	}
	done := false
	for i := 0; i < len(powersOf10) && !done; i++ {
		done = try(powersOf10[i])
	}
	for i := 0; i < len(smallDens) && !done; i++ {
		done = try(smallDens[i])
	}
	if !found {
		return false
	}
	if !done {
		best.exact(&e.fit, vs, len(vs))
	}
	e.offerInts(c, best, vs, false, effort)
	return done
}

// reduce takes the common divisor of a sample's integers out of its scale: multiples of 4096, or of 1/2 where 1/10 was tried.
func (f *fit) reduce(s scale, smp []float64) scale {
	var g uint64
	for _, n := range f.n[:len(smp)] {
		if g = gcd(g, uint64(max(int64(n), -int64(n)))); g == 1 {
			return s
		}
	}
	switch {
	case g < 2:
	case s.den%g == 0:
		s.den /= g
	case s.den == 1 && g < 1<<53:
		s = scale{kind: scaleBase, base: float64(g)}
	}
	return s
}

func gcd(a, b uint64) uint64 {
	if a == 0 || b == 0 {
		return a | b
	}
	sh := bits.TrailingZeros64(a | b)
	a >>= bits.TrailingZeros64(a)
	for b != 0 {
		b >>= bits.TrailingZeros64(b)
		if a > b {
			a, b = b, a
		}
		b -= a
	}
	return a << sh
}

// tryNear looks for a unit of which all values are near multiples.
func (e *Encoder) tryNear(c *candidates, vs, smp []float64, effort Effort) bool {
	s, ok := findUnit(&e.part, smp)
	if !ok || !s.near(&e.fit, vs, len(vs)/10) {
		return false
	}
	e.offerInts(c, s, vs, true, effort)
	return len(e.fit.bad) <= len(vs)/50
}

// tryBits takes the floats' bits as integers.
func (e *Encoder) tryBits(c *candidates, vs []float64, effort Effort) {
	s := scale{kind: scaleBits}
	s.exact(&e.fit, vs, 0)
	e.offerInts(c, s, vs, false, effort)
}

// tryHint encodes in the form of the series' last block if that still fits.
func (e *Encoder) tryHint(c *candidates, vs []float64, h Hint) bool {
	form, s := h.get()
	switch form {
	case hintExact:
		if !s.exact(&e.fit, vs, len(vs)/64) {
			return false
		}
		e.offerInts(c, s, vs, false, Fast)
	case hintNear:
		if s.kind == scaleBase {
			var buf [sampleLen]float64
			s.sharpen(&e.part, sample(&buf, vs))
		}
		if !s.near(&e.fit, vs, len(vs)/64) {
			return false
		}
		e.offerInts(c, s, vs, true, Fast)
	case hintBits, hintSplit, hintXor:
		var buf [sampleLen]float64
		smp := sample(&buf, vs)
		if repeats(smp) {
			return false
		}
		if e.tryExact(c, vs, smp, Fast) || e.tryNear(c, vs, smp, Fast) {
			return true
		}
		switch form {
		case hintBits:
			e.tryBits(c, vs, Fast)
		case hintSplit:
			e.trySplit(c, vs)
		default:
			e.tryXor(c, vs)
		}
	case hintDict:
		e.tryDict(c, vs, Fast)
	default:
		return false
	}
	return c.best != nil && h.goodEnough(len(c.best), len(vs))
}
