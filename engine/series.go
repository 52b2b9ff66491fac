package engine

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"sync/atomic"

	"github.com/telemetrydb/tsdb/encoding"
)

// noTime stands for "no sample yet" and "nothing sealed yet".
const noTime = math.MinInt64

// seam marks a group whose computation did not see all stored samples: Gnocchi recomputes from the samples in
// the window when a batch arrives, so the group that the batch begins in may lack its predecessor.
type seam struct {
	width int   // index in the plan
	start int64 // of the group
	lo    int64 // samples before it were out of the window
}

// series is the state of one metric's samples that are not in blocks. What is persisted of it is the series
// record; what came after is in the log.
//
// All fields are guarded by the lock of ref and, against View, by holding DB.visible for reading.
type series struct {
	// What appending touches comes first, in two cache lines: a batch of a thousand series waits for memory and little else.
	maxT      int64         // newest sample ever stored; noTime if there is none
	seq       uint64        // log record that brought the newest samples
	firstSeq  atomic.Uint64 // oldest log record with samples not persisted in blocks or record; 0: none
	notes     *notes        // what is known of the tail's samples beside time and value; nil: nothing
	policy    *policyEntry  // that of meta
	ref       Ref
	markIndex int32  // of this series among those of the record being applied
	sealAt    int32  // samples in the tail at which it is worth sealing
	edits     uint32 // times the tail was rewritten rather than appended to
	sealing   bool   // one sealer at a time
	gone      bool   // the metric was deleted
	touched   bool   // used since the last eviction sweep
	all       bool   // its policy keeps all samples
	tail      tail

	meta   *metricState
	sealed int64       // groups that end at or before it are in blocks; noTime: none
	from   int64       // groups that begin before it may have points of samples that are gone (see rebuild.go); noTime: none
	carry  sampleState // newest sample before the tail; t is noTime if there is none
	ends   []blockEnd  // the last block of raw samples and of each width; nil: none
	seams  []seam
	late   []lateSample // accepted, and to be put where they belong; the first stuck ones cannot be, for damage
	stuck  int
	groups []newestGroup // per width, for policies that may have seams; nil: not worked out
	hint   encoding.Hint // how the last raw block was encoded
}

// blockEnd says which block of a kind and width is a series' last one, so that sealing need not look for it.
type blockEnd struct {
	end   int64 // of the block, as in its key
	rows  int   // in it, negative for a derived block; 0: there is none
	first int64 // time of a derived block
}

// newest is the time of the newest sample ever stored, noTime if there is none.
func (s *series) newest() int64 {
	if s.tail.n > 0 {
		return s.tail.last.t
	}
	return s.carry.t
}

// plan is meta's, without a look at meta.
func (s *series) plan() *plan { return s.policy.now.Load().plan }

// memBytes is what the series takes in memory.
func (s *series) memBytes() int64 {
	return int64(cap(s.tail.buf)) + seriesBytes + s.notes.memBytes() + s.restBytes()
}

// restBytes is what it takes besides tail and notes.
func (s *series) restBytes() int64 {
	return int64(cap(s.seams))*24 + int64(cap(s.late))*lateBytes
}

const seriesBytes = 352 // struct, its slot and the allocator's rounding

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Series record, versions 1 and 2. uv is an unsigned, sv a zigzag varint of encoding/binary; times are nanoseconds since the
// Unix epoch.
//
//	bytes  field
//	1      version
//	uv     seq: every log record up to it is contained for this metric
//	1      flags: 1 something is sealed, 2 there is a sample before the tail, 4 the tail's predictor is that sample,
//	       8 there are points of samples that are gone
//	sv     sealed: groups that end at or before it are in blocks (with flag 1)
//	sv 8   time and value bits of the newest sample before the tail (with flag 2)
//	sv     from - sealed: groups that begin before from may have such points (with flag 8)
//	uv     number of block ends (raw, then each width of the policy); each: sv end - sealed, sv rows, sv first if rows < 0
//	uv     number of seams; each: uv width index, sv group start - sealed, sv low edge - group start
//	uv     number of samples in the tail
//	sv 8   time and value bits of what the tail's first sample is relative to (without flag 4)
//	sv     the difference of times that goes with it
//	sv     time of the tail's last sample less that of what the first is relative to
//	uv     length of the tail, then the tail (see tail.go)
//	...    version 2: late samples and notes (see notes.go). A series without them gets version 1.
//	4      CRC-32C of every byte before it, little-endian
const (
	seriesVersion      = 1
	seriesVersionNotes = 2
)

const (
	flagSealed  = 1
	flagCarry   = 2
	flagRelated = 4
	flagFrom    = 8
)

// appendRecord appends the series record for a state whose tail is tl, with these notes and late samples.
func (s *series) appendRecord(b []byte, sealed int64, carry sampleState, ends []blockEnd, seams []seam, tl *tail, nt *notes, late []lateSample) []byte {
	from := len(b)
	b = s.appendFields(b, sealed, carry, ends, seams, tl, nt, late)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

// appendFields appends the record without its checksum.
func (s *series) appendFields(b []byte, sealed int64, carry sampleState, ends []blockEnd, seams []seam, tl *tail, nt *notes, late []lateSample) []byte {
	version := byte(seriesVersion)
	if nt != nil || len(late) > 0 {
		version = seriesVersionNotes
	}
	b = append(b, version)
	b = binary.AppendUvarint(b, s.seq)
	flags, near := byte(0), int64(0)
	if sealed != noTime {
		flags, near = flags|flagSealed, sealed
	}
	if carry.t != noTime {
		flags |= flagCarry
		if carry.t == tl.base.t && carry.bits == tl.base.bits {
			flags |= flagRelated
		}
	}
	if s.from != noTime {
		flags |= flagFrom
	}
	b = append(b, flags)
	if flags&flagSealed != 0 {
		b = binary.AppendVarint(b, sealed)
	}
	if flags&flagCarry != 0 {
		b = binary.LittleEndian.AppendUint64(binary.AppendVarint(b, carry.t), carry.bits)
	}
	if flags&flagFrom != 0 {
		b = binary.AppendVarint(b, s.from-near)
	}
	b = binary.AppendUvarint(b, uint64(len(ends)))
	for _, e := range ends {
		b = binary.AppendVarint(binary.AppendVarint(b, e.end-near), int64(e.rows))
		if e.rows < 0 {
			b = binary.AppendVarint(b, e.first)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(seams)))
	for _, x := range seams {
		b = binary.AppendUvarint(b, uint64(x.width))
		b = binary.AppendVarint(binary.AppendVarint(b, x.start-near), x.lo-x.start)
	}
	b = binary.AppendUvarint(b, uint64(tl.n))
	if flags&flagRelated == 0 {
		b = binary.LittleEndian.AppendUint64(binary.AppendVarint(b, tl.base.t), tl.base.bits)
	}
	b = binary.AppendVarint(binary.AppendVarint(b, tl.base.delta), tl.last.t-tl.base.t)
	b = binary.AppendUvarint(b, uint64(len(tl.buf)))
	b = append(b, tl.buf...)
	if version == seriesVersionNotes {
		b = s.appendNotes(b, nt, late)
	}
	return b
}

// fieldReader reads the fields of a record; after a field that is cut short bad is set and all others are zero.
type fieldReader struct {
	b   []byte
	bad bool
}

func (r *fieldReader) uv() uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *fieldReader) sv() int64 {
	return unzigzag(r.uv())
}

func (r *fieldReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	x := r.b[:n]
	r.b = r.b[n:]
	return x
}

func (r *fieldReader) u64() uint64 {
	if x := r.take(8); x != nil {
		return binary.LittleEndian.Uint64(x)
	}
	return 0
}

// checked strips and verifies the CRC-32C at the end of b and the version byte at its start.
func checked(b []byte, version byte) (fieldReader, error) {
	r, _, err := checkedTo(b, version, version)
	return r, err
}

// checkedTo is checked for several versions, and tells which it is.
func checkedTo(b []byte, least, most byte) (fieldReader, byte, error) {
	if len(b) < 5 {
		return fieldReader{}, 0, fmt.Errorf("%w: %d bytes", ErrCorrupt, len(b))
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return fieldReader{}, 0, fmt.Errorf("%w: checksum", ErrCorrupt)
	}
	if body[0] < least || body[0] > most {
		return fieldReader{}, 0, fmt.Errorf("%w %d", ErrVersion, body[0])
	}
	return fieldReader{b: body[1:]}, body[0], nil
}

// decodeRecord fills s from a series record; the tail's bytes are copied. It does not walk the tail: before it is
// appended to, tail.restore must.
func (s *series) decodeRecord(b []byte) error {
	r, version, err := checkedTo(b, seriesVersion, seriesVersionNotes)
	if err != nil {
		return err
	}
	return s.decodeFields(&r, version)
}

// decodeFields is decodeRecord from behind the version on, up to the checksum.
func (s *series) decodeFields(r *fieldReader, version byte) error {
	s.seq = r.uv()
	flags, near := byte(0), int64(0)
	if f := r.take(1); f != nil {
		flags = f[0]
	}
	s.sealed, s.from, s.carry = noTime, noTime, sampleState{t: noTime}
	if flags&flagSealed != 0 {
		s.sealed = r.sv()
		near = s.sealed
	}
	if flags&flagCarry != 0 {
		s.carry = sampleState{t: r.sv(), bits: r.u64()}
	}
	if flags&flagFrom != 0 {
		s.from = near + r.sv()
	}
	n := r.uv()
	if n > uint64(len(r.b)) {
		return fmt.Errorf("%w: %d block ends", ErrCorrupt, n)
	}
	s.ends = s.ends[:0]
	for range n {
		e := blockEnd{end: near + r.sv(), rows: int(r.sv())}
		if e.rows < 0 {
			e.first = r.sv()
		}
		s.ends = append(s.ends, e)
	}
	if n = r.uv(); n > uint64(len(r.b)) {
		return fmt.Errorf("%w: %d seams", ErrCorrupt, n)
	}
	s.seams = s.seams[:0]
	for range n {
		x := seam{width: int(r.uv()), start: near + r.sv()}
		x.lo = x.start + r.sv()
		s.seams = append(s.seams, x)
	}
	return s.decodeTail(r, flags, version)
}

func (s *series) decodeTail(r *fieldReader, flags, version byte) error {
	count := r.uv()
	s.tail.base = sampleState{t: s.carry.t, bits: s.carry.bits}
	if flags&flagRelated == 0 {
		s.tail.base = sampleState{t: r.sv(), bits: r.u64()}
	}
	s.tail.base.delta = r.sv()
	s.tail.last = s.tail.base
	s.tail.last.t += r.sv()
	buf := r.take(r.uv())
	s.notes, s.late = nil, nil
	if s.tail.n = int(count); version == seriesVersionNotes && count <= uint64(len(buf)) {
		if err := s.decodeNotes(r); err != nil {
			return err
		}
	}
	if r.bad || len(r.b) != 0 || count > uint64(len(buf)) {
		return fmt.Errorf("%w: series record", ErrCorrupt)
	}
	s.tail.buf = append([]byte(nil), buf...)
	s.maxT = s.newest()
	return nil
}
