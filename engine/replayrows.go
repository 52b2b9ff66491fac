package engine

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// replayRows are rows of a chunk of the log in its order, as bytes in pages: about as many as in the log, a sixth of what rows take, so that
// a chunk can be long. They live in memory alone. Each row is relative to the one before it:
//
//	1      control: low nibble n, the number of value bytes (0..8); bits 4..5 metric: 0 the ref before + 1, 1 the same ref, 2 sv
//	       difference follows, 3 the same behind another record and note; bits 6..7 time: 0 the time before, 1 sv nanoseconds
//	       after it follow, 2 sv milliseconds
//	(uv sv)  record and note, less those before
//	(sv)   metric difference
//	(sv)   time difference
//	n      the high n bytes of the value's bits, lowest byte first
type replayRows struct {
	pages [][]byte // full ones
	page  []byte   // the last one
	last  rowPlace // of the last row
}

// rowPlace is what the next row is relative to.
type rowPlace struct {
	ref          Ref
	record, note uint32
	t            int64
}

const maxReplayRow = 1 + 3*binary.MaxVarintLen32 + binary.MaxVarintLen64 + 8

// append adds a row of a record; a page is taken from c when it is needed.
func (rs *replayRows) append(c *replayChunk, r *row, record uint32) {
	b := rs.page
	if cap(b)-len(b) < maxReplayRow+8 {
		if len(b) > 0 {
			rs.pages = append(rs.pages, b)
		}
		b = c.newPage()
	}
	vb := math.Float64bits(r.value)
	n := (64 - bits.TrailingZeros64(vb) + 7) >> 3 // 0 for +0
	at, last := len(b), &rs.last
	ctl := byte(n)
	b = append(b, 0)
	switch d := int64(r.ref) - int64(last.ref); {
	case record != last.record || r.note != last.note:
		ctl |= 3 << 4
		b = binary.AppendUvarint(b, uint64(record-last.record))
		b = binary.AppendVarint(b, int64(r.note)-int64(last.note))
		b = binary.AppendVarint(b, d)
	case d == 1:
	case d == 0:
		ctl |= 1 << 4
	default:
		ctl |= 2 << 4
		b = binary.AppendVarint(b, d)
	}
	if d := r.t - last.t; d != 0 {
		if m := d / nanosPerMilli; m*nanosPerMilli == d {
			ctl |= 2 << 6
			d = m
		} else {
			ctl |= 1 << 6
		}
		b = binary.AppendVarint(b, d)
	}
	b[at] = ctl
	b = binary.LittleEndian.AppendUint64(b, vb>>(8*(8-n)&63))
	rs.page = b[:len(b)-8+n]
	*last = rowPlace{r.ref, record, r.note, r.t}
}

// replayReader reads rows from the first one on.
type replayReader struct {
	pages [][]byte
	b     []byte // the rest of the page being read
	last  []byte // the page behind pages
	at    rowPlace
}

func (rs *replayRows) reader() replayReader { return replayReader{pages: rs.pages, last: rs.page} }

// read fills rows and the number of the record of each, as far as there are any, and returns how many.
func (r *replayReader) read(rows []row, record []uint32) int {
	b, at := r.b, r.at
	record = record[:len(rows)]
	n := 0
	for ; n < len(rows); n++ {
		if len(b) == 0 {
			if b = r.turn(); len(b) == 0 {
				break
			}
		}
		ctl := b[0]
		b = b[1:]
		switch ctl >> 4 & 3 {
		case 0:
			at.ref++
		case 1:
		case 2:
			b, at.ref = shifted(b, at.ref)
		default:
			x, k := binary.Uvarint(b)
			at.record += uint32(x)
			b, at.note = shifted(b[k:], at.note)
			b, at.ref = shifted(b, at.ref)
		}
		if scale := ctl >> 6; scale != 0 {
			x, k := uint64(b[0]), 1
			if x >= 0x80 {
				x, k = binary.Uvarint(b)
			}
			d := unzigzag(x)
			if scale == 2 {
				d *= nanosPerMilli
			}
			at.t, b = at.t+d, b[k:]
		}
		vb := uint64(0)
		if k := int(ctl & 15); k > 0 {
			vb = word(b, k) << (64 - 8*k)
			b = b[k:]
		}
		rows[n] = row{at.ref, at.note, at.t, math.Float64frombits(vb)}
		record[n] = at.record
	}
	r.b, r.at = b, at
	return n
}

// within tells whether the next row is of the same record as the last one read.
func (r *replayReader) within() bool {
	if len(r.b) == 0 {
		r.b = r.turn()
	}
	return len(r.b) > 0 && (r.b[0]>>4&3 != 3 || r.b[1] == 0)
}

// turn returns the next page, empty if there is none.
func (r *replayReader) turn() (b []byte) {
	if len(r.pages) > 0 {
		b, r.pages = r.pages[0], r.pages[1:]
		return b
	}
	b, r.last = r.last, nil
	return b
}

func shifted[N ~uint32](b []byte, from N) ([]byte, N) {
	d, n := binary.Varint(b)
	return b[n:], N(int64(from) + d)
}
