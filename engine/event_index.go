package engine

import (
	"encoding/binary"
	"math/bits"

	"github.com/telemetrydb/tsdb/index"
)

// Fields of events in their index. A name begins with the day, 3 bytes, for ordinals are a day's own; then
//
//	'e'                          the type: Bytes, uvarint of its number. Every event has one
//	'0'+kind  uvarint name       traits of that name and kind. Text: Bytes, the first 512. Integers and times: Bytes that sort as the
//	                             numbers do. Floats: Number. None: a Bool
//
// A field's posting without a value has all events with such a trait.
const (
	spaceEvents    = 1
	fieldEventType = "e"
)

func traitField(day eventDay, kind TraitKind, name uint32) string {
	return string(appendUvarint32(append(day.append(nil), '0'+byte(kind)), name))
}

func eventTypeValue(typ uint32) index.Value { return textValue(string(appendUvarint32(nil, typ))) }

// indexed returns the value that the index has of a trait.
func (t *Trait) indexed() index.Value {
	switch t.Kind {
	case TraitText:
		return textValue(cutIndexed(t.Text))
	case TraitInt, TraitTime:
		return textValue(sortableInt(t.Int))
	case TraitFloat:
		return index.Value{Kind: index.Number, Num: t.Float}
	}
	return index.Value{Kind: index.Bool}
}

// sortableInt returns bytes that sort as the numbers do: 0x80+n and n bytes of a number that is not negative, 0x7f-n and the low n bytes of
// one that is; n is as small as can be.
func sortableInt(v int64) string {
	u, first := uint64(v), byte(0x80)
	if v < 0 {
		u = ^u
	}
	n := (bits.Len64(u) + 7) / 8
	if first += byte(n); v < 0 {
		first = 0x7f - byte(n)
	}
	return string(append([]byte{first}, binary.BigEndian.AppendUint64(nil, uint64(v))[8-n:]...))
}

// indexEvent puts a new event into the index.
func indexEvent(ch *index.Change, ref eventRef, e *storedEvent) {
	ch.Set(spaceEvents, ref.ord, ref.day.field()+fieldEventType, index.Value{}, eventTypeValue(e.typ))
	type entry struct {
		field string
		v     index.Value
	}
	seen := make(map[entry]struct{}, len(e.traits))
	first := make(map[string]struct{}, len(e.traits))
	for i := range e.traits {
		t := &e.traits[i]
		field, v := traitField(ref.day, t.Kind, t.name), t.indexed()
		if _, ok := seen[entry{field, v}]; ok {
			continue
		}
		seen[entry{field, v}] = struct{}{}
		if _, ok := first[field]; !ok {
			first[field] = struct{}{}
			ch.Set(spaceEvents, ref.ord, field, index.Value{}, v)
		} else {
			ch.Also(spaceEvents, ref.ord, field, v)
		}
	}
}
