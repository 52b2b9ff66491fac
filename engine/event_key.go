package engine

import (
	"encoding/binary"
	"encoding/hex"
	"math"
)

// eventDay is a day of events, by generated time: days since the Unix epoch. A day's events have ordinals, keys and postings of
// their own, so that a query reads the days it asks for, and expiry deletes ranges.
type eventDay int32

const (
	dayNanos  = int64(86400e9)
	dayBias   = 1 << 23 // keys are 3 bytes; days of all int64 times fit
	dayKeyLen = 3
	firstDay  = eventDay(math.MinInt64/dayNanos - 1)
	lastDay   = eventDay(math.MaxInt64 / dayNanos)
)

// dayOf returns the day and the time within it.
func dayOf(t int64) (day eventDay, offset int64) {
	d := t / dayNanos
	if offset = t % dayNanos; offset < 0 {
		d, offset = d-1, offset+dayNanos
	}
	return eventDay(d), offset
}

func (d eventDay) append(dst []byte) []byte {
	n := uint32(d + dayBias)
	return append(dst, byte(n>>16), byte(n>>8), byte(n))
}

// field is the beginning of the names of the day's fields in the index.
func (d eventDay) field() string { return string(d.append(nil)) }

func parseDay(b []byte) eventDay {
	return eventDay(int32(b[0])<<16|int32(b[1])<<8|int32(b[2])) - dayBias
}

// eventRef is where an event is: its day, and its number among the events of that day, which begin at 1.
type eventRef struct {
	day eventDay
	ord uint32
}

const eventKeyLen = 1 + dayKeyLen + 4

func (r eventRef) key(dst []byte) []byte {
	return binary.BigEndian.AppendUint32(r.day.append(append(dst, keyEvent)), r.ord)
}

func parseEventKey(key []byte) (eventRef, bool) {
	if len(key) != eventKeyLen || key[0] != keyEvent {
		return eventRef{}, false
	}
	return eventRef{parseDay(key[1:]), binary.BigEndian.Uint32(key[4:])}, true
}

// eventTime is a place in the order of times.
type eventTime struct {
	day    eventDay
	offset int64 // into the day, ns
	ord    uint32
}

const (
	offsetLen       = 6
	eventTimeKeyLen = 1 + dayKeyLen + offsetLen + 4
)

func (t eventTime) key(dst []byte) []byte {
	dst = t.day.append(append(dst, keyEventTime))
	b := binary.BigEndian.AppendUint64(nil, uint64(t.offset))
	return binary.BigEndian.AppendUint32(append(dst, b[8-offsetLen:]...), t.ord)
}

func parseEventTime(key []byte) (t eventTime, ok bool) {
	if len(key) != eventTimeKeyLen || key[0] != keyEventTime {
		return t, false
	}
	var b [8]byte
	copy(b[8-offsetLen:], key[4:])
	t = eventTime{parseDay(key[1:]), int64(binary.BigEndian.Uint64(b[:])), binary.BigEndian.Uint32(key[4+offsetLen:])}
	return t, t.offset < dayNanos
}

func eventDayKey(d eventDay) []byte { return d.append([]byte{keyEventDay}) }

// eventUse says that events of a type, with a trait of a name and kind, are in a day. Trait 0: whatever traits they have.
type eventUse struct {
	typ, trait uint32
	kind       TraitKind
	day        eventDay
}

const eventUseKeyLen = 1 + 4 + 4 + 1 + dayKeyLen

func (u eventUse) key(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, keyEventUse), u.typ)
	dst = binary.BigEndian.AppendUint32(dst, u.trait)
	return u.day.append(append(dst, byte(u.kind)))
}

func parseEventUse(key []byte) (eventUse, bool) {
	if len(key) != eventUseKeyLen || key[0] != keyEventUse {
		return eventUse{}, false
	}
	return eventUse{binary.BigEndian.Uint32(key[1:]), binary.BigEndian.Uint32(key[5:]), TraitKind(key[9]), parseDay(key[10:])}, true
}

// Texts that are UUIDs in one of the usual spellings are stored as 16 bytes.
const (
	textPlain  = iota
	textDashed // 8-4-4-4-12
	textHex    // 32 digits, as projects and users have
	textReq    // req- and 8-4-4-4-12, as requests have
	textForms
)

// packText returns how a text is stored: the form, and 16 bytes or the text itself.
func packText(s string) (form byte, packed string) {
	switch {
	case len(s) == 36:
		if u, ok := packDashed(s); ok {
			return textDashed, u
		}
	case len(s) == 32:
		if u, ok := packHex(s); ok {
			return textHex, u
		}
	case len(s) == 40 && s[:4] == "req-":
		if u, ok := packDashed(s[4:]); ok {
			return textReq, u
		}
	}
	return textPlain, s
}

func packDashed(s string) (string, bool) {
	if s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return "", false
	}
	return packHex(s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:])
}

func packHex(s string) (string, bool) {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') { // capitals would not come back
			return "", false
		}
	}
	b, err := hex.DecodeString(s)
	return string(b), err == nil
}

// unpackText is packText's inverse. What is not plain has 16 bytes.
func unpackText(form byte, packed string) string {
	if form == textPlain {
		return packed
	}
	h := hex.EncodeToString([]byte(packed))
	if form == textHex {
		return h
	}
	d := h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	if form == textReq {
		return "req-" + d
	}
	return d
}

// eventIDKey names an event by its message id. Ids of one form sort as their texts do.
func eventIDKey(dst []byte, id string) []byte {
	form, packed := packText(id)
	return append(append(dst, keyEventID, form), packed...)
}

func parseEventID(key []byte) (string, bool) {
	if len(key) < 3 || key[0] != keyEventID || key[1] >= textForms || key[1] != textPlain && len(key) != 18 {
		return "", false
	}
	return unpackText(key[1], string(key[2:])), true
}
