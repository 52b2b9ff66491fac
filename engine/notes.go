package engine

import (
	"encoding/binary"
	"fmt"
)

// note is what a batch says about samples beside time and value.
type note struct {
	context ContextRef
	arrival int64 // nanoseconds since the Unix epoch; 0: the sample's own time
}

// annotation is a note as it is stored: the arrival as its distance from the sample's time. Its zero value says nothing.
type annotation struct {
	context ContextRef
	delay   int64 // milliseconds
}

func millis(t int64) int64 { return t / nanosPerMilli }

// of returns the annotation of a sample at t.
func (n note) of(t int64) annotation {
	a := annotation{context: n.context}
	if n.arrival != 0 {
		a.delay = millis(n.arrival) - millis(t)
	}
	return a
}

// arrival returns when a sample at t arrived, to the millisecond.
func (a annotation) arrival(t int64) int64 { return (millis(t) + a.delay) * nanosPerMilli }

// notes are the annotations of a tail's samples, a byte stream like it. Only a series that has got annotated samples has any. For each
// sample but the first skip ones:
//
//	uvarint  zigzag of the delay's change from the sample before << 1, and 1 if the context changes
//	(varint) the context less the one before
//
// Steady samples thus take a byte each.
type notes struct {
	buf  []byte
	n    int // samples
	skip int // samples at the beginning that have no annotation
	base annotation
	last annotation
}

const maxNoteLen = 2 * binary.MaxVarintLen64

func (nt *notes) append(a annotation) {
	b := nt.buf
	if cap(b)-len(b) < maxNoteLen { // by small steps, as tails
		nb := make([]byte, len(b), len(b)+maxNoteLen+min(max(len(b)/2, 16), max(256, len(b)/8)))
		copy(nb, b)
		b = nb
	}
	x := zigzag(a.delay-nt.last.delay) << 1
	if a.context == nt.last.context {
		nt.buf = binary.AppendUvarint(b, x)
	} else {
		nt.buf = binary.AppendVarint(binary.AppendUvarint(b, x|1), int64(a.context)-int64(nt.last.context))
	}
	nt.last = a
	nt.n++
}

// notesReader walks notes from the start.
type notesReader struct {
	b    []byte
	skip int
	st   annotation
}

func (nt *notes) reader() notesReader { return notesReader{nt.buf, nt.skip, nt.base} }

// next reads one sample's; false means that the bytes end within it.
func (r *notesReader) next() (annotation, bool) {
	if r.skip > 0 {
		r.skip--
		return annotation{}, true
	}
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		return r.st, false
	}
	r.b = r.b[n:]
	r.st.delay += unzigzag(x >> 1)
	if x&1 != 0 {
		d, n := binary.Varint(r.b)
		if n <= 0 {
			return r.st, false
		}
		r.b = r.b[n:]
		r.st.context += ContextRef(d)
	}
	return r.st, true
}

// appendTo decodes all of them; nil notes are those of n samples without any.
func (nt *notes) appendTo(dst []annotation, n int) ([]annotation, bool) {
	if nt == nil {
		return append(dst, make([]annotation, n)...), true
	}
	r := nt.reader()
	for range nt.n {
		a, ok := r.next()
		if !ok {
			return dst, false
		}
		dst = append(dst, a)
	}
	return dst, len(r.b) == 0 && nt.n == n
}

// restore walks notes that were read back and completes the state of the last sample; false if the bytes break the format.
func (nt *notes) restore() bool {
	if nt == nil {
		return true
	}
	r := nt.reader()
	for range nt.n {
		if _, ok := r.next(); !ok {
			return false
		}
	}
	nt.last = r.st
	return len(r.b) == 0
}

// cut returns notes without those of the first k samples, for k at most n. It shares nothing with nt.
func (nt *notes) cut(k int) *notes {
	if nt == nil {
		return nil
	}
	r := nt.reader()
	for range k {
		r.next()
	}
	return &notes{buf: append([]byte(nil), r.b...), n: nt.n - k, skip: r.skip, base: r.st, last: nt.last}
}

// first returns the notes of the first k samples, to be appended to by a writer that gives up what follows them.
func (nt *notes) first(k int) *notes {
	if nt == nil || nt.n == k {
		return nt
	}
	r := nt.reader()
	for range k {
		r.next()
	}
	end := len(nt.buf) - len(r.b)
	return &notes{buf: nt.buf[:end:end], n: k, skip: min(nt.skip, k), base: nt.base, last: r.st}
}

func (nt *notes) memBytes() int64 {
	if nt == nil {
		return 0
	}
	return int64(cap(nt.buf)) + notesBytes
}

const notesBytes = 96

// annotate notes what is known of the sample that was just appended to the tail.
func (s *series) annotate(a annotation) {
	if s.notes == nil {
		s.notes = &notes{n: s.tail.n - 1, skip: s.tail.n - 1}
	}
	s.notes.append(a)
}

// copyNotes returns notes that a reader may keep while the writer goes on.
func (s *series) copyNotes() *notes {
	if s.notes == nil {
		return nil
	}
	nt := *s.notes
	return &nt
}

// Second part of a series record of version 2, behind the tail:
//
//	uv     number of late samples (see late.go); each: sv time less that of the one before, 8 value bits, uv context, sv delay
//	1      1 if there are notes, else 0; then
//	uv uv sv  skip; context and delay that the first one is relative to
//	uv     length of the notes, then the notes

func (s *series) appendNotes(b []byte, nt *notes, late []lateSample) []byte {
	b = binary.AppendUvarint(b, uint64(len(late)))
	t := int64(0)
	for i := range late {
		l := &late[i]
		b = binary.LittleEndian.AppendUint64(binary.AppendVarint(b, l.t-t), bitsOf(l.value))
		b = binary.AppendVarint(binary.AppendUvarint(b, uint64(l.context)), l.delay)
		t = l.t
	}
	if nt == nil {
		return append(b, 0)
	}
	b = binary.AppendUvarint(append(b, 1), uint64(nt.skip))
	b = binary.AppendVarint(binary.AppendUvarint(b, uint64(nt.base.context)), nt.base.delay)
	return append(binary.AppendUvarint(b, uint64(len(nt.buf))), nt.buf...)
}

func (s *series) decodeNotes(r *fieldReader) error {
	n := r.uv()
	if n > uint64(len(r.b)) {
		return fmt.Errorf("%w: %d late samples", ErrCorrupt, n)
	}
	t := int64(0)
	for range n {
		t += r.sv()
		l := lateSample{t: t, value: floatOf(r.u64())}
		l.annotation = annotation{ContextRef(r.uv()), r.sv()}
		s.late = append(s.late, l)
	}
	if f := r.take(1); f != nil && f[0] == 1 {
		nt := &notes{n: s.tail.n, skip: int(r.uv())}
		nt.base = annotation{ContextRef(r.uv()), r.sv()}
		nt.buf = append([]byte(nil), r.take(r.uv())...)
		if nt.skip < 0 || nt.skip > nt.n || nt.n-nt.skip > len(nt.buf) {
			return fmt.Errorf("%w: notes of series record", ErrCorrupt)
		}
		s.notes = nt
	} else if f == nil || f[0] != 0 {
		r.bad = true
	}
	return nil
}
