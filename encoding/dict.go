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
	distinct, codes, ok := e.distinct(vs)
	if !ok {
		return
	}
	p := e.planInts(codes, effort)
	codec, table := e.encodeTable(distinct)
	dst := append(c.space(), byte(len(distinct)-1))
	dst = binary.AppendUvarint(dst, uint64(1+len(table)))
	dst = append(append(dst, codec), table...)
	c.offer(valuesDict, scale{}, p.append(dst, grow(&e.u, miniMax), codes))
}

// distinct returns the distinct values in order of their bits, and for each value its place among them; false if there are more
// than dictMax.
func (e *Encoder) distinct(vs []float64) (distinct []float64, codes []uint64, ok bool) {
	const slots = 4 * dictMax
	var at [slots]uint16 // number of the distinct value there, from 1
	var seen, sorted [dictMax]uint64
	codes = grow(&e.codes, len(vs))
	n := 0
	for i, v := range vs {
		b := math.Float64bits(v)
		h := b * 0x9e3779b97f4a7c15 >> 54
		for at[h] != 0 && seen[at[h]-1] != b {
			h = (h + 1) % slots
		}
		if at[h] == 0 {
			if n == dictMax {
				return nil, nil, false
			}
			seen[n] = b
			n++
			at[h] = uint16(n)
		}
		codes[i] = uint64(at[h] - 1)
	}
	copy(sorted[:], seen[:n])
	slices.Sort(sorted[:n])
	distinct = grow(&e.distincts, n)
	var rank [dictMax]uint64
	for i, b := range sorted[:n] {
		distinct[i] = math.Float64frombits(b)
		h := b * 0x9e3779b97f4a7c15 >> 54
		for seen[at[h]-1] != b {
			h = (h + 1) % slots
		}
		rank[at[h]-1] = uint64(i)
	}
	for i, c := range codes {
		codes[i] = rank[c&(dictMax-1)]
	}
	return distinct, codes, true
}

// encodeTable encodes the distinct values, with scratch space of its own as e's is in use.
func (e *Encoder) encodeTable(distinct []float64) (codec byte, payload []byte) {
	if e.inner == nil {
		e.inner = new(Encoder)
	}
	c := candidates{e: e.inner}
	var buf [sampleLen]float64
	smp := sample(&buf, distinct)
	if !e.inner.tryExact(&c, distinct, smp, Fast) && !e.inner.tryNear(&c, distinct, smp, Fast) {
		e.inner.tryBits(&c, distinct, Fast)
	}
	return c.codec, c.best
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
		most := uint64(0)
		out := dst[:len(codes)]
		for k, c := range codes {
			most = max(most, c)
			out[k] = table[c&(dictMax-1)]
		}
		if most >= uint64(count) {
			return corruptf("dictionary of %d: code out of range", count)
		}
		dst = dst[len(codes):]
	}
	return nil
}
