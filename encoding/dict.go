package encoding

import (
	"encoding/binary"
	"math"
	"slices"
)

const dictMax = 256 // distinct values at most

// tryDict stores each value as the number of one of a few distinct ones. The distinct values are themselves a column, in
// increasing order of their bits.
func (e *Encoder) tryDict(c *candidates, vs []float64, effort Effort) {
	distinct, ok := e.distinct(vs)
	if !ok {
		return
	}
	codes := grow(&e.codes, len(vs))
	for i, v := range vs {
		k, _ := slices.BinarySearch(distinct, math.Float64bits(v))
		codes[i] = uint64(k)
	}
	p := e.planInts(codes, effort)
	table := e.encodeTable(distinct)
	dst := append(c.space(), byte(len(distinct)-1))
	dst = binary.AppendUvarint(dst, uint64(len(table)))
	dst = append(dst, table...)
	c.offer(valuesDict, scale{}, p.append(dst, grow(&e.u, miniMax), codes))
}

// distinct returns the bits of the distinct values in order; false if there are more than dictMax.
func (e *Encoder) distinct(vs []float64) ([]uint64, bool) {
	const slots = 4 * dictMax
	var seen [slots]uint64
	var full [slots]bool
	d := grow(&e.cells, dictMax+1)[:0]
	prev := ^math.Float64bits(vs[0])
	for _, v := range vs {
		b := math.Float64bits(v)
		if b == prev {
			continue
		}
		prev = b
		h := b * 0x9e3779b97f4a7c15 >> 54
		for full[h] && seen[h] != b {
			h = (h + 1) % slots
		}
		if full[h] {
			continue
		}
		if len(d) == dictMax {
			return nil, false
		}
		full[h], seen[h] = true, b
		d = append(d, b)
	}
	slices.Sort(d)
	return d, true
}

// encodeTable encodes the distinct values: the smallest of a few exact integer forms, the bits at worst.
func (e *Encoder) encodeTable(distinct []uint64) []byte {
	vs := make([]float64, len(distinct))
	for i, b := range distinct {
		vs[i] = math.Float64frombits(b)
	}
	if len(vs) == 1 {
		return append(e.table[:0], byte(valuesConst))
	}
	best := []byte(nil)
	for _, s := range []scale{{den: 1}, {den: 10}, {den: 100}, {den: 1000}, {den: 15}, {kind: scaleBits}} {
		if !s.exact(&e.fit, vs, len(vs)/8) {
			continue
		}
		p := e.planInts(e.fit.n[:len(vs)], Fast)
		var flags byte
		if len(e.fit.bad) > 0 {
			flags = intsExceptions
		}
		dst := s.append(append(e.table[:0], byte(valuesInts)), flags)
		if flags != 0 {
			dst = appendExceptions(dst, vs, e.fit.bad)
		}
		dst = p.append(dst, grow(&e.u, miniMax), e.fit.n[:len(vs)])
		e.table = dst
		if best == nil || len(dst) < len(best) {
			best = slices.Clone(dst)
		}
	}
	return best
}

// readDict fills dst with the values of rows [i, i+len(dst)) of n.
func readDict(dst []float64, src []byte, n, i int) error {
	if len(src) < 1 {
		return corruptf("dictionary is missing")
	}
	count := int(src[0]) + 1
	size, o := uvarint(src, 1)
	if o == 0 || size < 1 || size > uint64(len(src)-o) {
		return corruptf("dictionary is cut off")
	}
	if src[o] == valuesDict {
		return corruptf("dictionary of a dictionary")
	}
	var table [dictMax]float64
	if err := readValues(table[:count], src[o], src[o+1:o+int(size)], count, 0); err != nil {
		return err
	}
	r, err := newIntReader(src[o+int(size):], n)
	if err != nil {
		return err
	}
	if err := r.skip(i); err != nil {
		return err
	}
	j := i + len(dst)
	var buf [miniMax]uint64
	for len(dst) > 0 {
		codes, err := r.chunk(&buf, j-len(dst), j)
		if err != nil {
			return err
		}
		bad := false
		out := dst[:len(codes)]
		for k, c := range codes {
			bad = bad || c >= uint64(count)
			out[k] = table[c&(dictMax-1)]
		}
		if bad {
			return corruptf("dictionary of %d: code out of range", count)
		}
		dst = dst[len(codes):]
	}
	return nil
}
