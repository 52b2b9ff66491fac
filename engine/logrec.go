package engine

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"
	"slices"
)

// row is one sample of a batch.
type row struct {
	ref   Ref
	note  uint32 // number of its note, 0: none
	t     int64
	value float64
}

// Log record, versions 1 and 2: one batch, in the caller's order, as a LogData record at the beginning of a batch of its own in Pebble's
// log, in which at most a mark (mark.go) and names (message_id.go) follow. uv and sv are the varints of encoding/binary.
//
//	bytes  field
//	1      version
//	uv     number of rows, then for each
//	1      control: low nibble n, the number of value bytes (0..8); bits 4..5 metric: 0 the ref before + 1,
//	       1 the same ref, 2 sv difference follows; bits 6..7 time: 0 the time before, 1 sv nanoseconds
//	       after it follow, 2 sv milliseconds
//	(sv)   metric difference
//	(sv)   time difference
//	n      the high n bytes of the value's bits, lowest byte first
//	...    version 2, of a batch with notes, has here: uv number of notes, then for each sv context and sv milliseconds of the arrival,
//	       both less those of the one before; and for each row sv number of its note (from 1, 0: none) less the one before's
//	8      number of the record, little-endian: greater for each metric from one record to the next
//	4      CRC-32C of every byte before it, little-endian
const (
	logVersion      = 1
	logVersionNotes = 2
)

// appendLogBatch appends a record up to its number; endLogRecord completes it.
func appendLogBatch(b []byte, rows []row, notes []note) []byte {
	if len(notes) == 0 {
		return appendLogRows(append(b, logVersion), rows)
	}
	b = appendLogRows(append(b, logVersionNotes), rows)
	b = binary.AppendUvarint(b, uint64(len(notes)))
	last := note{}
	for _, n := range notes {
		b = binary.AppendVarint(b, int64(n.context)-int64(last.context))
		b = binary.AppendVarint(b, millis(n.arrival)-millis(last.arrival))
		last = n
	}
	number := uint32(0)
	for i := range rows {
		b = binary.AppendVarint(b, int64(rows[i].note)-int64(number))
		number = rows[i].note
	}
	return b
}

func appendLogRows(b []byte, rows []row) []byte {
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

// logFields are the fields of an open log record before its number.
type logFields struct {
	fieldReader
	version byte
}

// openLogRecord checks a record and returns its number and the fields before that, for decodeLogRows.
func openLogRecord(src []byte) (seq uint64, r logFields, err error) {
	if r.fieldReader, r.version, err = checkedTo(src, logVersion, logVersionNotes); err != nil {
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

// decodeLogRows appends the rows of an open record to rows and their notes to notes.
func decodeLogRows(rows []row, notes []note, f logFields) ([]row, []note, error) {
	from, r := len(rows), &f.fieldReader
	n := r.uv()
	if n > uint64(len(r.b)) {
		return rows, notes, fmt.Errorf("%w: log record of %d rows in %d bytes", ErrCorrupt, n, len(r.b))
	}
	rows = slices.Grow(rows, int(n))
	rest, ok := decodeLogSamples(rows[from:from+int(n)], r.b)
	if !ok {
		return rows, notes, fmt.Errorf("%w: log record", ErrCorrupt)
	}
	r.b, rows = rest, rows[:from+int(n)]
	if f.version == logVersionNotes && !r.bad {
		notes = decodeLogNotes(rows[from:], notes, r)
	}
	if r.bad || len(r.b) != 0 {
		return rows, notes, fmt.Errorf("%w: log record", ErrCorrupt)
	}
	return rows, notes, nil
}

// decodeLogSamples fills rows but for their notes and returns what follows them; false if the bytes break the format. It is half of
// what replaying costs before rows are applied, hence no fieldReader.
func decodeLogSamples(rows []row, b []byte) ([]byte, bool) {
	ref, t := ^Ref(0), int64(0)
	for i := range rows {
		if len(b) == 0 {
			return b, false
		}
		ctl := b[0]
		b = b[1:]
		switch ctl >> 4 & 3 {
		case 0:
			ref++
		case 1:
		case 2:
			d, n := binary.Varint(b)
			if n <= 0 {
				return b, false
			}
			ref, b = Ref(int64(ref)+d), b[n:]
		default:
			return b, false
		}
		if scale := ctl >> 6; scale != 0 {
			if scale > 2 || len(b) == 0 {
				return b, false
			}
			x, n := uint64(b[0]), 1
			if x >= 0x80 {
				if x, n = binary.Uvarint(b); n <= 0 {
					return b, false
				}
			}
			d := unzigzag(x)
			if scale == 2 {
				d *= nanosPerMilli
			}
			t, b = t+d, b[n:]
		}
		k := int(ctl & 15)
		if k > 8 || k > len(b) {
			return b, false
		}
		vb := uint64(0)
		if k > 0 {
			vb = word(b, k) << (64 - 8*k)
		}
		b = b[k:]
		rows[i] = row{ref: ref, t: t, value: math.Float64frombits(vb)}
	}
	return b, true
}

// decodeLogNotes reads the notes of rows. What they refer to are places in notes.
func decodeLogNotes(rows []row, notes []note, r *fieldReader) []note {
	from := len(notes)
	count := r.uv()
	if count > uint64(len(r.b)) {
		r.bad = true
		return notes
	}
	last, arrival := note{}, int64(0) // in milliseconds
	for range count {
		last.context += ContextRef(r.sv())
		if arrival += r.sv(); arrival > math.MaxInt64/nanosPerMilli || arrival < math.MinInt64/nanosPerMilli {
			r.bad = true
			return notes
		}
		last.arrival = arrival * nanosPerMilli
		notes = append(notes, last)
	}
	number := int64(0)
	for i := range rows {
		if number += r.sv(); number < 0 || uint64(number) > count {
			r.bad = true
			return notes
		}
		if number > 0 {
			rows[i].note = uint32(int64(from) + number)
		}
	}
	return notes
}
