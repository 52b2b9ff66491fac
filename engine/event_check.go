package engine

import (
	"fmt"
)

// check says what is wrong with a key of events and what is stored under it, and what times it is about, read by a check of the whole
// store.
func (s *eventStore) check(key, rec []byte) (from, to int64, err error) {
	day := eventDay(0)
	switch key[0] {
	case keyEvent, keyEventTime, keyEventDay:
		if len(key) > dayKeyLen {
			day = parseDay(key[1:])
		}
		if day >= firstDay+1 && day < lastDay {
			from, to = int64(day)*dayNanos, int64(day+1)*dayNanos-1
		}
	}
	if err = s.checkKey(day, key, rec); err != nil {
		err = corruptRecord(key, err)
	}
	return from, to, err
}

func (s *eventStore) checkKey(day eventDay, key, rec []byte) (err error) {
	switch key[0] {
	case keyEvent:
		return s.checkEvent(key, rec)
	case keyEventID:
		return s.checkID(key, rec)
	case keyEventTime:
		t, ok := parseEventTime(key)
		if !ok || len(rec) != 0 {
			return formatError("time of an event")
		}
		e, err := s.read(s.p, eventRef{t.day, t.ord})
		switch {
		case err != nil: // the record is reported itself
		case e == nil:
			return formatError("time of an event that is not there")
		case e.generated != int64(t.day)*dayNanos+t.offset:
			return formatError("time of another event")
		}
	case keyEventDay:
		if len(key) != 1+dayKeyLen {
			return formatError("key of a day")
		}
		_, err = decodeLastContext(rec)
	case keyEventUse:
		if _, ok := parseEventUse(key); !ok || len(rec) != 0 {
			return formatError("use of a name")
		}
	case keyEventName:
		return s.checkName(string(key[1:]), rec)
	case keyEventNameOf, keyEventRaw:
		if len(key) != 5 {
			return formatError("key of a number")
		}
		_, err = decodeTextRecord(rec)
	case keyEventIndex:
		err = s.ix.CheckEntry(key, rec)
	}
	return err
}

func (s *eventStore) checkEvent(key, rec []byte) error {
	ref, ok := parseEventKey(key)
	if !ok {
		return formatError("key of an event")
	}
	e, err := decodeEvent(ref.day, rec)
	if err != nil {
		return err
	}
	if _, err = s.export(ref, e, true); err != nil {
		return err
	}
	at, found, err := s.find(s.p, e.id)
	if err == nil && (!found || at != ref) {
		err = formatError(fmt.Sprintf("message id %q leads to another place, or none", e.id))
	}
	return err
}

func (s *eventStore) checkID(key, rec []byte) error {
	if _, ok := parseEventID(key); !ok {
		return formatError("key of a message id")
	}
	ref, err := decodeEventRef(rec)
	if err != nil {
		return err
	}
	if e, err := s.read(s.p, ref); err == nil && e == nil {
		return formatError("message id of an event that is not there")
	}
	return nil
}

func (s *eventStore) checkName(text string, rec []byte) error {
	n, err := decodeLastContext(rec)
	if err != nil {
		return err
	}
	if there, err := s.text(n); err == nil && there != text {
		return formatError(fmt.Sprintf("number %d is that of %q", n, there))
	}
	return nil
}

// describeEvent is an event's line in a dump.
func describeEvent(key, rec []byte) string {
	ref, _ := parseEventKey(key)
	id, generated, err := decodeEventKeys(ref.day, rec)
	if err != nil {
		return fmt.Sprintf("event ordinal=%d damaged: %v", ref.ord, err)
	}
	return fmt.Sprintf("event ordinal=%d generated=%s id=%q", ref.ord, formatNanos(generated), id)
}
