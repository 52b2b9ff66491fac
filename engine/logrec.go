package engine

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"
)

// row is one sample of a batch.
type row struct {
	ref   Ref
	t     int64
	value float64
}

// Log record, version 1: one batch, in the caller's order, as a LogData record of a batch of its own in Pebble's log. uv and sv
// are the varints of encoding/binary.
//
//	bytes  field
//	1      version = 1
//	uv     number of rows, then for each
//	1      control: low nibble n, the number of value bytes (0..8); bits 4..5 metric: 0 the ref before + 1,
//	       1 the same ref, 2 sv difference follows; bits 6..7 time: 0 the time before, 1 sv nanoseconds
//	       after it follow, 2 sv milliseconds
//	(sv)   metric difference
//	(sv)   time difference
//	n      the high n bytes of the value's bits, lowest byte first
//	8      number of the record, little-endian: greater for each metric from one record to the next
//	4      CRC-32C of every byte before it, little-endian
const logVersion = 1

// appendLogRows appends a record up to its number; endLogRecord completes it.
func appendLogRows(b []byte, rows []row) []byte {
	b = append(b, logVersion)
	b = binary.AppendUvarint(b, uint64(len(rows)))
	ref, t := ^Ref(0), int64(0)
	for i := range rows {
		r := &rows[i]
		vb := math.Float64bits(r.value)
		zero := bits.TrailingZeros64(vb|1<<63) >> 3 // of 8 bytes; 7 at most, so that +0 is 1 byte shorter only by the test below
		n := 8 - zero
		if vb == 0 {
			n = 0
		}
		ctl := byte(n)
		at := len(b)
		b = append(b, 0)
		switch r.ref {
		case ref + 1:
		case ref:
			ctl |= 1 << 4
		default:
			ctl |= 2 << 4
			b = binary.AppendVarint(b, int64(r.ref)-int64(ref))
		}
		if d := r.t - t; d != 0 {
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
		b = b[:len(b)-8+n]
		ref, t = r.ref, r.t
	}
	return b
}

// endLogRecord completes the record that b is, whose checksum so far is sum.
func endLogRecord(b []byte, sum uint32, seq uint64) []byte {
	b = binary.LittleEndian.AppendUint64(b, seq)
	return binary.LittleEndian.AppendUint32(b, crc32.Update(sum, castagnoli, b[len(b)-8:]))
}

// openLogRecord checks a record and returns its number and the fields before that, for decodeLogRows.
func openLogRecord(src []byte) (seq uint64, r fieldReader, err error) {
	if r, err = checked(src, logVersion); err != nil {
		return 0, r, err
	}
	n := len(r.b) - 8
	if n < 0 {
		return 0, r, fmt.Errorf("%w: log record of %d bytes", ErrCorrupt, len(src))
	}
	seq = binary.LittleEndian.Uint64(r.b[n:])
	r.b = r.b[:n]
	return seq, r, nil
}

// decodeLogRows appends the rows of an open record to rows.
func decodeLogRows(rows []row, r fieldReader) ([]row, error) {
	n := r.uv()
	if n > uint64(len(r.b)) {
		return rows, fmt.Errorf("%w: log record of %d rows in %d bytes", ErrCorrupt, n, len(r.b))
	}
	ref, t := ^Ref(0), int64(0)
	for range n {
		if len(r.b) == 0 {
			r.bad = true
			break
		}
		ctl := r.b[0]
		r.b = r.b[1:]
		switch ctl >> 4 & 3 {
		case 0:
			ref++
		case 1:
		case 2:
			ref = Ref(int64(ref) + r.sv())
		default:
			r.bad = true
		}
		switch ctl >> 6 {
		case 0:
		case 1:
			t += r.sv()
		case 2:
			t += r.sv() * nanosPerMilli
		default:
			r.bad = true
		}
		k := int(ctl & 15)
		if k > 8 || k > len(r.b) {
			r.bad = true
			break
		}
		var vb uint64
		if k > 0 {
			vb = word(r.b, k) << (64 - 8*k)
		}
		r.b = r.b[k:]
		rows = append(rows, row{ref: ref, t: t, value: math.Float64frombits(vb)})
	}
	if r.bad || len(r.b) != 0 {
		return rows, fmt.Errorf("%w: log record", ErrCorrupt)
	}
	return rows, nil
}
