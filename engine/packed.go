package engine

import (
	"encoding/binary"

	"github.com/telemetrydb/tsdb/encoding"
)

// packedSeries is a series in memory as its record would have it and some numbers more: a quarter of what a series with a short tail takes
// otherwise. Where there are more active series than the head has room for, those that have not been used for longest are packed, so that a
// sample costs unpacking its series, some tenths of a microsecond, and not reading, sealing and writing it.
//
// A ref's series is in a slot of head.pages or in one of head.packs, or in neither. Only dirty ones are packed: a clean one can be dropped.
type packedSeries struct {
	meta *metricState
	data string // empty: there is none
}

// Data of a packed series: uv firstSeq, uv sealAt, 8 hint, sv delta and 8 bits of the newest sample in the tail, then the series record without its checksum.
// It is never written anywhere.

const (
	// packedBytes is what a packed series takes beside its data: two slots.
	packedBytes = 32
	// packTail is how long a packed tail may be, in bytes. Of a longer one most of its room is the tail's, and it is copied with each sample.
	packTail = 512
)

func (p *packedSeries) memBytes() int64 { return packedBytes + int64(len(p.data)+15)&^15 }

// packable tells whether a dirty series that is not being sealed may be packed.
func (s *series) packable() bool {
	return len(s.tail.buf)+int(s.notes.memBytes()) <= packTail && len(s.late) == 0 && !s.gone
}

// packed returns the packed series of ref, nil if there is none. The caller holds its lock, or DB.visible for writing.
func (h *head) packed(ref Ref) *packedSeries {
	page := h.packs.page(int(ref / seriesPageLen))
	if page == nil || page[ref%seriesPageLen].data == "" {
		return nil
	}
	return &page[ref%seriesPageLen]
}

// holds tells whether a series is in memory.
func (h *head) holds(ref Ref) bool { return h.get(ref) != nil || h.packed(ref) != nil }

// look returns a series that is in memory, to be read only: of a packed one a copy.
func (h *head) look(ref Ref) *series {
	if s := h.get(ref); s != nil {
		return s
	}
	if p := h.packed(ref); p != nil {
		return p.series(ref)
	}
	return nil
}

// dirtySince returns firstSeq of a series, 0 if it is not in memory.
func (h *head) dirtySince(ref Ref) uint64 {
	if s := h.get(ref); s != nil {
		return s.firstSeq.Load()
	}
	if p := h.packed(ref); p != nil {
		r := fieldReader{b: []byte(p.data[:min(len(p.data), binary.MaxVarintLen64)])}
		return r.uv()
	}
	return 0
}

// pack puts the packed form in place of a series. The caller holds its lock and DB.visible for reading.
func (h *head) pack(s *series) {
	var room [256]byte
	b := binary.AppendUvarint(room[:0], s.firstSeq.Load())
	b = binary.AppendUvarint(b, uint64(s.sealAt))
	b = binary.LittleEndian.AppendUint64(b, uint64(s.hint))
	b = binary.AppendVarint(b, s.tail.last.delta)
	b = binary.LittleEndian.AppendUint64(b, s.tail.last.bits)
	b = s.appendFields(b, s.sealed, s.carry, s.ends, s.seams, &s.tail, s.notes, nil)
	p := h.packs.slot(s.ref)
	*p = packedSeries{s.meta, string(b)}
	h.remove(s)
	h.count.Add(1)
	h.bytes.Add(p.memBytes())
}

// unpack puts a series in place of its packed form and returns it, as used now; nil if there is none. The caller holds its lock and
// DB.visible for reading.
func (h *head) unpack(ref Ref) *series {
	p := h.packed(ref)
	if p == nil {
		return nil
	}
	s := p.series(ref)
	s.touched = true
	h.dropPacked(ref)
	h.put(s)
	return s
}

// dropPacked forgets a packed series, if there is one.
func (h *head) dropPacked(ref Ref) {
	if p := h.packed(ref); p != nil {
		h.count.Add(-1)
		h.bytes.Add(-p.memBytes())
		*p = packedSeries{}
	}
}

// series returns the series.
func (p *packedSeries) series(ref Ref) *series {
	s := newSeries(ref, p.meta)
	var room [packTail + 256]byte
	r := fieldReader{b: append(room[:0], p.data...)}
	s.firstSeq.Store(r.uv())
	s.sealAt = int32(r.uv())
	s.hint = encoding.Hint(r.u64())
	delta, bits := r.sv(), r.u64()
	if version := r.take(1); version == nil || s.decodeFields(&r, version[0]) != nil || !s.notes.restore() {
		panic("tsdb: packed series does not decode") // written by this process
	}
	s.tail.last.delta, s.tail.last.bits = delta, bits
	return s
}

// unpackUnused is unpack for sealing, which is no use. The caller holds its lock.
func (db *DB) unpackUnused(ref Ref) *series {
	db.visible.RLock()
	defer db.visible.RUnlock()
	s := db.head.unpack(ref)
	s.touched = false
	return s
}
