package encoding

import (
	"encoding/binary"
	"math"
)

// A scale turns a column's values into integers and back, bit by bit:
//
//	scaleDen   v = n*mul/den   decimals (den = 10, 100 ...), means of den readings, multiples of mul
//	scaleBase  v = n*base      multiples of a unit found in the data
//	scaleBits  v = the float with the bits n
type scale struct {
	kind uint8
	den  uint64 // below 1<<32
	base float64
}

const (
	scaleDen = iota
	scaleBase
	scaleBits
	scaleUlps // never stored: folded ulps by which the values there are to be moved
)

// First byte of a stored scale: the low 4 bits are 0..9 for a divisor of 10 to that power, or one of these.
const (
	scaleCodeDen  = 10 // uvarint divisor follows
	scaleCodeBase = 11 // 8 bytes follow: the base
	scaleCodeBits = 12
)

const (
	intsExceptions = 1 << 4 // flag beside the scale's code: a list of exceptions follows
	intsUlps       = 1 << 5 // flag beside the scale's code: a second stream of ulps to add follows
)

var powersOf10 = [...]uint64{1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// smallDens are the other divisors tried one by one: readings averaged in a polling interval.
var smallDens = [...]uint64{3, 15, 30, 60, 150, 300, 6, 7, 9, 12, 20, 40, 120, 600, 900, 1500, 1024}

func (s scale) code() byte {
	switch s.kind {
	case scaleBase:
		return scaleCodeBase
	case scaleBits:
		return scaleCodeBits
	}
	for i, p := range powersOf10 {
		if p == s.den {
			return byte(i)
		}
	}
	return scaleCodeDen
}

func (s scale) append(dst []byte, flags byte) []byte {
	c := s.code()
	dst = append(dst, c|flags)
	switch c {
	case scaleCodeDen:
		dst = binary.AppendUvarint(dst, s.den)
	case scaleCodeBase:
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(s.base))
	}
	return dst
}

// parseScale reads a scale and its flags at src[o:].
func parseScale(src []byte, o int) (s scale, flags byte, end int, err error) {
	if o >= len(src) {
		return s, 0, 0, corruptf("scale is missing")
	}
	c := src[o] & 15
	flags = src[o] &^ 15
	o++
	switch {
	case int(c) < len(powersOf10):
		s.den = powersOf10[c]
	case c == scaleCodeDen:
		if s.den, o = uvarint(src, o); o == 0 {
			return s, 0, 0, corruptf("divisor is cut off")
		}
	case c == scaleCodeBase:
		if o+8 > len(src) {
			return s, 0, 0, corruptf("base is cut off")
		}
		s.kind, s.base = scaleBase, math.Float64frombits(binary.LittleEndian.Uint64(src[o:]))
		o += 8
	case c == scaleCodeBits:
		s.kind = scaleBits
	default:
		return s, 0, 0, versionf("scale %d", c)
	}
	if flags&^(intsExceptions|intsUlps) != 0 {
		return s, 0, 0, versionf("integer form with flags %#x", flags)
	}
	return s, flags, o, nil
}

// values fills dst with the floats of the integers.
func (s scale) values(dst []float64, n []uint64) {
	dst = dst[:len(n)]
	switch {
	case s.kind == scaleBase:
		for i, x := range n {
			dst[i] = float64(int64(x)) * s.base
		}
	case s.kind == scaleBits:
		for i, x := range n {
			dst[i] = math.Float64frombits(x)
		}
	case s.kind == scaleUlps:
		for i, x := range n {
			dst[i] = math.Float64frombits(math.Float64bits(dst[i]) + unzigzag(x))
		}
	case s.den == 1:
		for i, x := range n {
			dst[i] = float64(int64(x))
		}
	default:
		den := float64(s.den)
		for i, x := range n {
			dst[i] = float64(int64(x)) / den
		}
	}
}

const (
	roundMagic = 3 << 51 // added to a float of less than 1<<51 it leaves the nearest integer in the low bits
	roundBits  = 0x4338 << 48
	roundMax   = 1 << 51
	maxUlps    = 31
)

// fit is how a run of values looks under a scale: the integers, the ulps by which the values are off them, and the rows that
// don't fit.
type fit struct {
	n, ulps []uint64
	bad     []int32
}

// exact fills f.n with the integers of the values and f.bad with the rows that they don't give back to the bit; these repeat
// the integer before. It gives up, false, when there are more than limit.
func (s scale) exact(f *fit, vs []float64, limit int) bool {
	f.n = grow(&f.n, len(vs))
	f.bad = f.bad[:0]
	switch {
	case s.kind == scaleBits:
		for i, v := range vs {
			f.n[i] = math.Float64bits(v)
		}
		return true
	case s.kind == scaleBase:
		return s.exactBase(f, vs, limit)
	case s.den == 1:
		return s.exactInts(f, vs, limit)
	}
	n := f.n[:len(vs)]
	den := float64(s.den)
	var last uint64
	for i, v := range vs {
		if p := v * den; p > -roundMax && p < roundMax {
			x := math.Float64bits(p+roundMagic) - roundBits
			if math.Float64bits(float64(int64(x))/den) == math.Float64bits(v) {
				last = x
				n[i] = x
				continue
			}
		}
		n[i] = last
		if !f.miss(i, limit) {
			return false
		}
	}
	f.backfill()
	return true
}

func (s scale) exactInts(f *fit, vs []float64, limit int) bool {
	n := f.n[:len(vs)]
	var last uint64
	for i, v := range vs {
		if x := int64(v); math.Float64bits(float64(x)) == math.Float64bits(v) {
			last = uint64(x)
			n[i] = last
			continue
		}
		n[i] = last
		if !f.miss(i, limit) {
			return false
		}
	}
	f.backfill()
	return true
}

func (s scale) exactBase(f *fit, vs []float64, limit int) bool {
	n := f.n[:len(vs)]
	inverse := 1 / s.base
	var last uint64
	for i, v := range vs {
		if p := v * inverse; p > -roundMax && p < roundMax {
			x := math.Float64bits(p+roundMagic) - roundBits
			if math.Float64bits(float64(int64(x))*s.base) == math.Float64bits(v) {
				last = x
				n[i] = x
				continue
			}
		}
		n[i] = last
		if !f.miss(i, limit) {
			return false
		}
	}
	f.backfill()
	return true
}

// near is exact for values that are off by up to maxUlps, as sums of floats are; f.ulps gets by how much.
func (s scale) near(f *fit, vs []float64, limit int) bool {
	f.n, f.ulps = grow(&f.n, len(vs)), grow(&f.ulps, len(vs))
	f.bad = f.bad[:0]
	n, ulps := f.n[:len(vs)], f.ulps[:len(vs)]
	mul, den := float64(s.den), float64(s.den)
	if s.kind == scaleBase {
		mul, den = 1/s.base, 1
	}
	var last uint64
	for i, v := range vs {
		if p := v * mul; p > -roundMax && p < roundMax {
			x := math.Float64bits(p+roundMagic) - roundBits
			y := float64(int64(x))
			if s.kind == scaleBase {
				y *= s.base
			} else {
				y /= den
			}
			if d := math.Float64bits(v) - math.Float64bits(y); d+maxUlps <= 2*maxUlps {
				last = x
				n[i], ulps[i] = x, zigzag(d)
				continue
			}
		}
		n[i], ulps[i] = last, 0
		if !f.miss(i, limit) {
			return false
		}
	}
	f.backfill()
	return true
}

// miss notes a row that doesn't fit; false when there are more than limit.
func (f *fit) miss(row, limit int) bool {
	f.bad = append(f.bad, int32(row))
	return len(f.bad) <= limit
}

// backfill gives leading rows that didn't fit the first integer that did.
func (f *fit) backfill() {
	lead := 0
	for lead < len(f.bad) && int(f.bad[lead]) == lead {
		lead++
	}
	if lead > 0 && lead < len(f.n) {
		for i := range f.n[:lead] {
			f.n[i] = f.n[lead]
		}
	}
}
