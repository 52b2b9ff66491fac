package encoding

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// encodeValues encodes a column's values and returns the codec and the payload, which is valid until the next call.
func (e *Encoder) encodeValues(vs []float64, effort Effort, hint *Hint) (codec byte, payload []byte) {
	if len(vs) == 0 {
		return valuesConst, nil
	}
	if isConst(vs) {
		e.tries[0] = appendConst(e.tries[0][:0], vs[0])
		return valuesConst, e.tries[0]
	}
	c := candidates{e: e}
	e.search(&c, vs, effort, hint)
	return c.codec, c.best
}

// candidates keeps the smallest of the payloads tried.
type candidates struct {
	e     *Encoder
	codec byte
	best  []byte
	used  int // which of e.tries holds best
}

// limit is the size that a new candidate must stay under.
func (c *candidates) limit() int {
	if c.best == nil {
		return math.MaxInt
	}
	return len(c.best)
}

// space is where the next candidate is to be built.
func (c *candidates) space() []byte {
	if c.best == nil {
		return c.e.tries[0][:0]
	}
	return c.e.tries[1-c.used][:0]
}

// offer takes a candidate built in space.
func (c *candidates) offer(codec byte, payload []byte) bool {
	slot := 0
	if c.best != nil {
		slot = 1 - c.used
	}
	c.e.tries[slot] = payload
	if c.best != nil && len(payload) >= len(c.best) {
		return false
	}
	c.codec, c.best, c.used = codec, payload, slot
	return true
}

// isConst tells whether all values have the same bits.
func isConst(vs []float64) bool {
	b := math.Float64bits(vs[0])
	for _, v := range vs[1:] {
		if math.Float64bits(v) != b {
			return false
		}
	}
	return true
}

// appendConst writes the bits, highest byte first, without the zero bytes at the end: small integers take two bytes.
func appendConst(dst []byte, v float64) []byte {
	b := math.Float64bits(v)
	for ; b != 0; b <<= 8 {
		dst = append(dst, byte(b>>56))
	}
	return dst
}

func readConst(src []byte) (float64, error) {
	if len(src) > 8 {
		return 0, corruptf("constant of %d bytes", len(src))
	}
	var b uint64
	for i, c := range src {
		b |= uint64(c) << (56 - 8*i)
	}
	return math.Float64frombits(b), nil
}

// search tries the forms that can be small for the values.
func (e *Encoder) search(c *candidates, vs []float64, effort Effort, hint *Hint) {
	if e.tryExact(c, vs, effort) {
		return
	}
	e.tryDict(c, vs, effort)
	e.tryBits(c, vs, effort)
	e.trySplit(c, vs)
	e.tryXor(c, vs)
	e.tryNear(c, vs, effort)
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

// tryExact looks for a divisor that makes integers of (nearly) all values.
func (e *Encoder) tryExact(c *candidates, vs []float64, effort Effort) bool {
	var buf [sampleLen]float64
	smp := sample(&buf, vs)
	var f fit
	limit := len(vs) / 10
	found := false
	try := func(den uint64) bool {
		s := scale{den: den}
		f.n, f.bad = grow(&e.fit.ulps, sampleLen), f.bad[:0]
		if !s.exact(&f, smp, len(smp)/8) || !s.exact(&e.fit, vs, limit) {
			return false
		}
		found = true
		limit = len(e.fit.bad)
		e.offerInts(c, s, vs, false, effort)
		return limit <= len(vs)/100
	}
	for _, d := range powersOf10 {
		if try(d) {
			return true
		}
	}
	for _, d := range smallDens {
		if try(d) {
			return true
		}
	}
	return found
}

// tryNear looks for a divisor of which all values are near multiples.
func (e *Encoder) tryNear(c *candidates, vs []float64, effort Effort) {
	var buf [sampleLen]float64
	smp := sample(&buf, vs)
	for _, d := range smallDens {
		s := scale{den: d}
		if s.near(&e.fit, smp, len(smp)/16) && s.near(&e.fit, vs, len(vs)/10) {
			e.offerInts(c, s, vs, true, effort)
		}
	}
}

func (e *Encoder) tryBits(c *candidates, vs []float64, effort Effort) {
	s := scale{kind: scaleBits}
	s.exact(&e.fit, vs, 0)
	e.offerInts(c, s, vs, false, effort)
}

// offerInts builds the integer form from e.fit.
func (e *Encoder) offerInts(c *candidates, s scale, vs []float64, ulps bool, effort Effort) {
	n := e.fit.n[:len(vs)]
	p, size := e.planInts(n, effort)
	if size >= c.limit() {
		return
	}
	var flags byte
	if len(e.fit.bad) > 0 {
		flags |= intsExceptions
	}
	if ulps {
		flags |= intsUlps
	}
	dst := s.append(c.space(), flags)
	if len(e.fit.bad) > 0 {
		dst = appendExceptions(dst, vs, e.fit.bad)
	}
	if !ulps {
		c.offer(valuesInts, p.append(dst, grow(&e.u, miniMax), n))
		return
	}
	dst = e.appendStream(dst, &p, n)
	q, _ := e.planUlps(e.fit.ulps[:len(vs)], effort)
	c.offer(valuesInts, q.append(dst, grow(&e.u, miniMax), e.fit.ulps[:len(vs)]))
}

// planUlps is planInts for the stream of ulps, which is noise: only its values are tried.
func (e *Encoder) planUlps(x []uint64, effort Effort) (plan, int) {
	p := plan{log: 7}
	size := p.size(grow(&e.u, miniMax), x, math.MaxInt)
	if effort == Cold {
		for _, l := range []uint8{6, 8, 9} {
			q := plan{log: l}
			if s := q.size(e.u, x, size); s < size {
				p, size = q, s
			}
		}
	}
	return p, size
}

// appendExceptions writes the rows that don't fit their column's form, with their bits.
func appendExceptions(dst []byte, vs []float64, rows []int32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(rows)))
	last := int32(0)
	for _, r := range rows {
		dst = binary.AppendUvarint(dst, uint64(r-last))
		last = r
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(vs[r]))
	}
	return dst
}

// trySplit stores the front bits of the values as codes of up to eight frequent ones, and the rest as it is.
func (e *Encoder) trySplit(c *candidates, vs []float64) {
	s, ok := chooseSplit(vs, c.limit())
	if !ok {
		return
	}
	c.offer(valuesSplit, s.append(c.space(), e, vs))
}

func log2(n int) uint { return uint(bits.Len(uint(n - 1))) }
