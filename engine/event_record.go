package engine

import (
	"encoding/binary"
	"math"
)

// Records of events, version 1, framed as those of the catalogue (catalogue_record.go). In between:
//
//	name      uvarint, the number that the text of a type or of a trait's name has
//	id?       uvarint: 0, 1, 2 and the 16 bytes of a UUID in one of the spellings of event_key.go (dashed, 32 digits, req-); or
//	          length plus 3, bytes
//
//	event (keyEvent + day + ordinal)
//	  id? message id; uvarint generated, ns into the day; name of the type
//	  uvarint n; n times: uvarint name<<3 | kind; of text: id?; of an integer: varint; of a float: 8 bytes IEEE 754 LE; of a time:
//	    varint ns after generated
//	  how raw is stored, 1 byte: 0 none; 1 as it is; 2 zstd, with the JSON under keyEventRaw as a raw dictionary. Then, to the end, raw
//	place of an event (keyEventID + message id)
//	  3 bytes day; ordinal
//	day (keyEventDay + day)
//	  uvarint number of events, which is the last ordinal given
//	number of a name (keyEventName + text), last number given to one (keyMeta metaEvents)
//	  ordinal
//	text of a name (keyEventNameOf + number), JSON to compress against (keyEventRaw + number of a type)
//	  text
//
// Readers answer another version with ErrVersion. testdata/events_v1.golden shows one of each; TestEventsGolden keeps it true.

// How raw is stored.
const (
	rawNone  = 0
	rawPlain = 1
	rawZstd  = 2
)

// storedTrait is a trait with its name's number.
type storedTrait struct {
	name uint32
	Trait
}

// storedEvent is an event as its record has it: of names there are numbers, and raw is packed.
type storedEvent struct {
	id        string
	generated int64
	typ       uint32
	traits    []storedTrait
	how       byte
	raw       string
}

func appendPacked(dst []byte, s string) []byte {
	form, packed := packText(s)
	if form == textPlain {
		return append(binary.AppendUvarint(dst, uint64(len(s))+textForms-1), s...)
	}
	return append(append(dst, form-1), packed...)
}

func (r *recordReader) packed(what string) string {
	n := r.uvarint(what)
	if n >= textForms-1 {
		return r.bytes(n-(textForms-1), what)
	}
	s := r.bytes(16, what)
	if r.err != nil {
		return ""
	}
	return unpackText(byte(n)+1, s)
}

func appendEvent(dst []byte, e *storedEvent) []byte {
	at := len(dst)
	_, offset := dayOf(e.generated)
	dst = appendPacked(beginRecord(dst), e.id)
	dst = appendUvarint32(binary.AppendUvarint(dst, uint64(offset)), e.typ)
	dst = binary.AppendUvarint(dst, uint64(len(e.traits)))
	for i := range e.traits {
		t := &e.traits[i]
		dst = binary.AppendUvarint(dst, uint64(t.name)<<3|uint64(t.Kind))
		switch t.Kind {
		case TraitText:
			dst = appendPacked(dst, t.Text)
		case TraitInt:
			dst = binary.AppendVarint(dst, t.Int)
		case TraitFloat:
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(t.Float))
		case TraitTime:
			dst = binary.AppendVarint(dst, t.Int-e.generated) // may wrap around, and back
		}
	}
	return endRecord(append(append(dst, e.how), e.raw...), at)
}

// decodeEvent reads the record of an event of the day.
func decodeEvent(day eventDay, rec []byte) (*storedEvent, error) {
	r, e := beginEvent(day, rec)
	e.typ = r.ordinal("type")
	n := r.count(1, "traits")
	e.traits = make([]storedTrait, 0, n)
	for range n {
		e.traits = append(e.traits, r.trait(e.generated))
	}
	if e.how = r.byte("raw"); e.how > rawZstd || e.how == rawNone && r.src != "" {
		r.fail("raw")
	}
	e.raw, r.src = r.src, ""
	return e, r.close()
}

// decodeEventKeys reads what events are ordered by.
func decodeEventKeys(day eventDay, rec []byte) (id string, generated int64, err error) {
	r, e := beginEvent(day, rec)
	return e.id, e.generated, r.err
}

func beginEvent(day eventDay, rec []byte) (recordReader, *storedEvent) {
	r := openRecord(rec)
	e := &storedEvent{id: r.packed("message id")}
	offset := int64(r.uvarint("generated"))
	e.generated = int64(day)*dayNanos + offset // may wrap around in the first and last day
	if d, o := dayOf(e.generated); d != day || o != offset {
		r.fail("generated")
	}
	return r, e
}

func (r *recordReader) trait(generated int64) (t storedTrait) {
	n := r.uvarint("trait")
	t.Kind = TraitKind(n & 7)
	if n >>= 3; n > math.MaxUint32 || t.Kind > TraitTime {
		r.fail("trait")
		return t
	}
	t.name = uint32(n)
	switch t.Kind {
	case TraitText:
		t.Text = r.packed("trait")
	case TraitInt:
		t.Int = r.varint("trait")
	case TraitFloat:
		if s := r.bytes(8, "trait"); s != "" {
			t.Float = math.Float64frombits(binary.LittleEndian.Uint64([]byte(s)))
		}
	case TraitTime:
		t.Int = generated + r.varint("trait")
	}
	return t
}

func appendEventRef(dst []byte, ref eventRef) []byte {
	at := len(dst)
	return endRecord(appendUvarint32(ref.day.append(beginRecord(dst)), ref.ord), at)
}

func decodeEventRef(rec []byte) (eventRef, error) {
	r := openRecord(rec)
	var ref eventRef
	if s := r.bytes(dayKeyLen, "day"); s != "" {
		ref.day = parseDay([]byte(s))
	}
	ref.ord = r.ordinal("ordinal")
	return ref, r.close()
}

func appendTextRecord(dst []byte, s string) []byte {
	at := len(dst)
	return endRecord(appendText(beginRecord(dst), s), at)
}

func decodeTextRecord(rec []byte) (string, error) {
	r := openRecord(rec)
	s := r.text("text")
	return s, r.close()
}
