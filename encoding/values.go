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
	if effort == Fast && hint != nil && e.tryHint(&c, vs, *hint) {
		hint.used()
	} else {
		e.search(&c, vs, effort)
		if hint != nil {
			hint.set(c.codec, c.scale, c.best)
		}
	}
	if hint != nil {
		hint.remember(len(c.best), len(vs))
	}
	return c.codec, c.best
}

// candidates keeps the smallest of the payloads tried.
type candidates struct {
	e     *Encoder
	codec byte
	scale scale // valuesInts, valuesLZ
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
func (c *candidates) offer(codec byte, s scale, payload []byte) {
	slot := 0
	if c.best != nil {
		slot = 1 - c.used
	}
	c.e.tries[slot] = payload
	if c.best != nil && len(payload) >= len(c.best) {
		return
	}
	c.codec, c.scale, c.best, c.used = codec, s, payload, slot
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

// offerInts builds the integer form from e.fit and offers it.
func (e *Encoder) offerInts(c *candidates, s scale, vs []float64, ulps bool, effort Effort) {
	n := e.fit.n[:len(vs)]
	p := e.planInts(n, effort)
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
		c.offer(valuesInts, s, p.append(dst, grow(&e.u, miniMax), n))
		return
	}
	dst = e.appendStream(dst, &p, n)
	p = e.planFlat(e.fit.ulps[:len(vs)], effort)
	dst = p.append(dst, grow(&e.u, miniMax), e.fit.ulps[:len(vs)])
	c.offer(valuesInts, s, dst)
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
	if s, ok := chooseSplit(vs, c.limit()); ok {
		c.offer(valuesSplit, scale{}, s.append(c.space(), e, vs))
	}
}

// log2 is the number of bits that tell n things apart.
func log2(n int) uint { return uint(bits.Len(uint(n - 1))) }
