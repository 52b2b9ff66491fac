package encoding

import "encoding/binary"

// intReader reads an integer stream, one mini block at a time. It is a value: a copy remembers a place.
type intReader struct {
	src    []byte
	o      int // offset of the next mini block
	row    int // its first row
	n      int // rows in all
	kind   uint8
	zigzag bool
	log    uint8
	ref    uint64
	c      chain
}

// mini is a parsed mini block.
type mini struct {
	rows, count, patches int // rows; numbers packed; patches
	width, highWidth     uint
	data, pos, high, end int // offsets
	base, diff           uint64
}

// newIntReader reads the head of a stream of n numbers; src may have more behind it.
func newIntReader(src []byte, n int) (r intReader, err error) {
	if len(src) == 0 {
		return r, corruptf("integer stream is empty")
	}
	f := src[0]
	r = intReader{src: src, o: 1, n: n, kind: f & 3, zigzag: f&streamZigzag != 0, log: f>>3&3 + miniLogMin}
	if f >= 1<<5 || r.kind > kindDelta2 || r.log > miniLogMax {
		return r, versionf("integer stream of kind %#x", f)
	}
	if r.kind == kindDelta {
		z, o := uvarint(src, 1)
		if o == 0 {
			return r, corruptf("integer stream: reference is cut off")
		}
		r.ref, r.o = unzigzag(z), o
	}
	return r, nil
}

// header parses the mini block that comes next and steps behind it.
func (r *intReader) header() (m mini, err error) {
	src, o := r.src, r.o
	m.rows = min(1<<r.log, r.n-r.row)
	if m.rows <= 0 || o >= len(src) {
		return m, corruptf("integer stream ends at row %d of %d", r.row, r.n)
	}
	m.count = m.rows - skipped(r.kind, m.rows)
	m.width = uint(src[o])
	o++
	if m.width&miniPatched != 0 {
		if o+2 > len(src) {
			return m, corruptf("integer stream is cut off at row %d", r.row)
		}
		m.width &^= miniPatched
		m.patches, m.highWidth = int(src[o])+1, uint(src[o+1])
		o += 2
	}
	if m.width+m.highWidth > 64 || m.patches > m.count {
		return m, corruptf("mini block at row %d: width %d+%d, %d patches", r.row, m.width, m.highWidth, m.patches)
	}
	var b, d uint64
	if b, o = uvarint(src, o); o == 0 {
		return m, corruptf("mini block at row %d: base is cut off", r.row)
	}
	if r.kind == kindDelta2 {
		if d, o = uvarint(src, o); o == 0 {
			return m, corruptf("mini block at row %d: difference is cut off", r.row)
		}
	}
	r.c.unstep(r.kind, b, d)
	m.base, m.diff = r.c.base, r.c.diff
	m.data = o
	m.pos = o + packedLen(m.count, m.width)
	m.high = m.pos + packedLen(m.patches, uint(r.log))
	m.end = m.high + packedLen(m.patches, m.highWidth)
	if m.end > len(src) {
		return m, corruptf("mini block at row %d is cut off", r.row)
	}
	r.o = m.end
	r.row += m.rows
	return m, nil
}

// skip moves to the mini block of the row. Only headers are read.
func (r *intReader) skip(row int) error {
	for r.row+1<<r.log <= row {
		if _, err := r.header(); err != nil {
			return err
		}
	}
	return nil
}

// rows parses the mini block that comes next and returns which of its rows lie in [i,j), at least one.
func (r *intReader) rows(i, j int) (m mini, from, to int, err error) {
	row := r.row
	if m, err = r.header(); err != nil {
		return m, 0, 0, err
	}
	from, to = max(i-row, 0), min(j-row, m.rows)
	if from >= to {
		return m, 0, 0, corruptf("rows %d to %d lie outside the mini block at row %d", i, j, row)
	}
	return m, from, to, nil
}

// chunk decodes rows [i,j) as far as they lie in the mini block that comes next, at least one, into buf. Numbers that stand for
// themselves are decoded alone, differences from the mini block's first row on.
func (r *intReader) chunk(buf *[miniMax]uint64, i, j int) (x []uint64, err error) {
	m, from, to, err := r.rows(i, j)
	if err != nil {
		return nil, err
	}
	return r.numbers(buf, &m, from, to)
}

// packed returns what is packed for rows [from,to) of a mini block of kindValue, which has one for each row.
func (r *intReader) packed(buf *[miniMax]uint64, m *mini, from, to int) ([]uint64, error) {
	u := buf[:to-from]
	unpack(u, r.src[m.data:], uint(from)*m.width, m.width)
	return u, r.patch(u, m, from)
}

// numbers decodes rows [from,to) of the mini block m.
func (r *intReader) numbers(buf *[miniMax]uint64, m *mini, from, to int) (x []uint64, err error) {
	if r.kind == kindValue {
		x, err = r.packed(buf, m, from, to)
		r.restore(x, m)
		return x, err
	}
	x = buf[:to]
	s := min(m.rows-m.count, to)
	unpack(x[s:], r.src[m.data:], 0, m.width)
	err = r.patch(x[s:], m, 0)
	r.restore(x, m)
	return x[from:], err
}

// patch adds the high parts of the outliers among the numbers u, which begin at number from of the mini block.
func (r *intReader) patch(u []uint64, m *mini, from int) error {
	if m.patches == 0 {
		return nil
	}
	for q := range m.patches {
		p, high := r.patchAt(m, uint(q))
		if p >= uint64(m.count) {
			return corruptf("patch at %d of %d", p, m.count)
		}
		if p -= uint64(from); p < uint64(len(u)) {
			u[p] |= high << m.width
		}
	}
	return nil
}

// patchAt returns the place and the high part of patch q.
func (r *intReader) patchAt(m *mini, q uint) (p, high uint64) {
	pb, hb := q*uint(r.log), q*m.highWidth
	po, ho := uint(m.pos)+pb>>3, uint(m.high)+hb>>3
	if src := r.src; ho+8 <= uint(len(src)) && po+8 <= ho+8 && m.highWidth <= 56 { // a word has all of either
		p = binary.LittleEndian.Uint64(src[po:]) >> (pb & 7) & (1<<r.log - 1)
		return p, binary.LittleEndian.Uint64(src[ho:]) >> (hb & 7) & (1<<m.highWidth - 1)
	}
	return bitsAt(r.src[m.pos:], pb, uint(r.log)), bitsAt(r.src[m.high:], hb, m.highWidth)
}

// restore turns what was packed back into the numbers.
func (r *intReader) restore(x []uint64, m *mini) {
	base := m.base
	switch {
	case r.kind == kindValue && !r.zigzag:
		if base != 0 {
			for i, u := range x {
				x[i] = base + u
			}
		}
	case r.kind == kindValue:
		for i, u := range x {
			x[i] = base + unzigzag(u)
		}
	case r.kind == kindDelta && !r.zigzag:
		ref := r.ref
		x[0] = base
		x = x[1:]
		for i, u := range x {
			base += u + ref
			x[i] = base
		}
	case r.kind == kindDelta:
		ref := r.ref
		x[0] = base
		x = x[1:]
		for i, u := range x {
			base += unzigzag(u) + ref
			x[i] = base
		}
	default:
		x[0] = base
		if len(x) < 2 {
			return
		}
		d := m.diff
		base += d
		x[1] = base
		x = x[2:]
		for i, u := range x {
			d += unzigzag(u)
			base += d
			x[i] = base
		}
	}
}

// first returns the first number of the parsed mini block without decoding the rest.
func (r *intReader) first(m *mini) uint64 {
	if r.kind != kindValue {
		return m.base
	}
	return r.value(m, 0)
}

// value returns number k of the parsed mini block, of kindValue.
func (r *intReader) value(m *mini, k int) uint64 {
	u := bitsAt(r.src[m.data:], uint(k)*m.width, m.width)
	var pb uint
	for q := range m.patches {
		p := int(bitsAt(r.src[m.pos:], pb, uint(r.log)))
		if p == k {
			u |= bitsAt(r.src[m.high:], uint(q)*m.highWidth, m.highWidth) << m.width
		}
		if p >= k {
			break
		}
		pb += uint(r.log)
	}
	if r.zigzag {
		u = unzigzag(u)
	}
	return m.base + u
}
