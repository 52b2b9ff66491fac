package encoding

import "math"

// Hint remembers the form of a series' last block, so that the search starts there. The zero value means that nothing is known. It
// may be lost at any time, at the price of one longer search.
type Hint uint64

// SetHint has the encoder read and update h for the first column of the blocks that follow, until the next SetHint. Nil ends that.
func (e *Encoder) SetHint(h *Hint) { e.hint = h }

// A hint's bits, lowest first: 4 for the form, 4 for the blocks left until the next full search, 8 for the size of a sample in
// quarters of a bit (0 for larger ones), 48 for the scale: the divisor, or the upper bits of the base's float.
const (
	hintNone = iota
	hintExact
	hintNear
	hintBits
	hintSplit
	hintXor
	hintDict

	hintForm  = 15
	hintBase  = 8 // flag of the form: the scale is a base
	hintTurns = 15
)

// set remembers the form that a search chose.
func (h *Hint) set(codec byte, s scale, payload []byte) {
	form, top := uint64(hintNone), s.den
	switch codec {
	case valuesInts:
		form = hintExact
		if payload[0]&intsUlps != 0 {
			form = hintNear
		}
		if s.kind == scaleBits {
			form = hintBits
		}
	case valuesSplit:
		form = hintSplit
	case valuesXor:
		form = hintXor
	case valuesDict:
		form = hintDict
	}
	if s.kind == scaleBase {
		form |= hintBase
		top = math.Float64bits(s.base) >> 16
	}
	*h = Hint(form | hintTurns<<4 | top<<16)
}

// remember notes the size of the block just encoded.
func (h *Hint) remember(bytes, rows int) {
	size := bytes * 32 / rows
	if size > 255 {
		size = 0
	}
	*h = *h&^0xff00 | Hint(size)<<8
}

// get returns the form and the scale.
func (h Hint) get() (form int, s scale) {
	if h>>4&15 == 0 {
		return hintNone, s
	}
	form = int(h & hintForm)
	if form&hintBase != 0 {
		return form &^ hintBase, scale{kind: scaleBase, base: math.Float64frombits(uint64(h) >> 16 << 16)}
	}
	return form, scale{den: max(1, uint64(h)>>16)}
}

// used counts down to the next full search.
func (h *Hint) used() { *h -= 1 << 4 }

// goodEnough tells whether a block encoded by the hint is not much larger than the last.
func (h Hint) goodEnough(bytes, rows int) bool {
	last := int(h >> 8 & 0xff)
	return last == 0 || bytes*32/rows <= last+last/4+8
}
