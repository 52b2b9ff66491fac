package engine

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/telemetrydb/tsdb/index"
)

// eventStore keeps events. Names, and what raw is compressed against, never change once they are given, so its caches hold nothing old.
type eventStore struct {
	p  *pebble.DB
	ix *index.Index

	mu        sync.Mutex // held by the append or expiry that runs
	lastName  uint32     // number given; guarded by mu
	expired   eventDay   // days before it take no events any more; guarded by mu
	count     atomic.Int64
	additions atomic.Uint64
	doubles   atomic.Uint64

	numbers *clockCache[string, uint32]
	texts   *clockCache[uint32, string]
	used    *clockCache[eventUse, struct{}]    // whose key is written
	openers *clockCache[uint32, *zstd.Decoder] // of raw, by type
	packers packerCache

	sortFew, sortAlways uint64 // tests vary them
}

var lastNameKey = []byte{keyMeta, metaEvents}

func (s *eventStore) open(p *pebble.DB, maxBytes int64) (err error) {
	s.p, s.expired, s.sortFew, s.sortAlways = p, firstDay, sortFewEvents, sortAlways
	if s.ix, err = index.Open(p, index.Options{Prefix: keyEventIndex, CacheBytes: maxBytes / 2}); err != nil {
		return eventIndexError(err)
	}
	s.numbers = newClockCache[string, uint32](maxBytes/8, hashText)
	s.texts = newClockCache[uint32, string](maxBytes/8, hashOrdinal)
	s.used = newClockCache[eventUse, struct{}](maxBytes/8, func(u eventUse) uint32 {
		return hashOrdinal(u.typ*31 + u.trait*5 + uint32(u.day) + uint32(u.kind))
	})
	s.openers = newClockCache[uint32, *zstd.Decoder](maxBytes/8, hashOrdinal)
	s.packers.most = max(2, int(4*maxBytes/rawPackerBytes))
	if _, err = getRecord(p, lastNameKey, func(rec []byte) error {
		s.lastName, err = decodeLastContext(rec)
		return err
	}); err != nil {
		return err
	}
	return eachRecord(p, keyEventDay, func(key, rec []byte) error {
		n, err := decodeLastContext(rec)
		s.count.Add(int64(n))
		return err
	})
}

func hashText(s string) uint32 { return uint32(xxhash.Sum64String(s)) }

// eventIndexError gives errors of package index this package's kind.
func eventIndexError(err error) error {
	if err = indexError(err); err != nil {
		if c, ok := err.(*CorruptError); ok {
			c.Key = []byte{keyEventIndex}
		}
	}
	return err
}

func nameKey(text string) []byte { return append([]byte{keyEventName}, text...) }

// number returns the number of a name, 0 if it has none.
func (s *eventStore) number(text string) (n uint32, err error) {
	if n, ok := s.numbers.get(text); ok {
		return n, nil
	}
	found, err := getRecord(s.p, nameKey(text), func(rec []byte) error {
		n, err = decodeLastContext(rec)
		return err
	})
	if err == nil && found {
		s.numbers.set(text, n, int64(len(text)))
	}
	return n, err
}

// text returns the name of a number.
func (s *eventStore) text(n uint32) (text string, err error) {
	if text, ok := s.texts.get(n); ok {
		return text, nil
	}
	key := ordinalKey(keyEventNameOf, n)
	found, err := getRecord(s.p, key, func(rec []byte) error {
		text, err = decodeTextRecord(rec)
		return err
	})
	if err == nil && !found {
		err = corruptRecord(key, formatError("missing text of a name"))
	}
	if err == nil {
		s.texts.set(n, text, int64(len(text)))
	}
	return text, err
}

// prototype returns what raw of a type is compressed against, "" if there is nothing yet.
func (s *eventStore) prototype(typ uint32) (prototype string, err error) {
	_, err = getRecord(s.p, ordinalKey(keyEventRaw, typ), func(rec []byte) error {
		prototype, err = decodeTextRecord(rec)
		return err
	})
	return prototype, err
}

// packer returns the packer of a type, nil if there is nothing to compress against.
func (s *eventStore) packer(typ uint32) (*rawPacker, error) {
	if p := s.packers.get(typ); p != nil {
		return p, nil
	}
	prototype, err := s.prototype(typ)
	if err != nil || prototype == "" {
		return nil, err
	}
	p, err := newRawPacker(prototype)
	if err == nil {
		s.packers.set(typ, p)
	}
	return p, err
}

// unpack returns the raw of a stored event.
func (s *eventStore) unpack(e *storedEvent) ([]byte, error) {
	switch e.how {
	case rawNone:
		return nil, nil
	case rawPlain:
		return []byte(e.raw), nil
	}
	dec, ok := s.openers.get(e.typ)
	if !ok {
		prototype, err := s.prototype(e.typ)
		if err != nil {
			return nil, err
		}
		if dec, err = newRawOpener(prototype); err != nil {
			return nil, err
		}
		s.openers.set(e.typ, dec, rawOpenerBytes)
	}
	raw, err := dec.DecodeAll([]byte(e.raw), nil)
	if err != nil {
		return nil, formatError("raw: " + err.Error())
	}
	return raw, nil
}

// seekRecord is getRecord by an iterator, which keeps the tables' indexes at hand: for many records.
func seekRecord(it *pebble.Iterator, key []byte, decode func(rec []byte) error) (bool, error) {
	if !it.SeekGE(key) || !bytes.Equal(it.Key(), key) {
		err := it.Error()
		if err != nil && pebble.IsCorruptionError(err) {
			err = corruptRecord(key, err)
		}
		return false, err
	}
	rec, err := it.ValueAndErr()
	if err == nil {
		err = decode(rec)
	}
	if err != nil {
		err = corruptRecord(key, err)
	}
	return true, err
}

// read returns an event, nil if there is none at the place.
func (s *eventStore) read(r pebble.Reader, ref eventRef) (e *storedEvent, err error) {
	_, err = getRecord(r, ref.key(nil), func(rec []byte) error {
		e, err = decodeEvent(ref.day, rec)
		return err
	})
	return e, err
}

// export gives names to what was stored. The caller owns the result.
func (s *eventStore) export(ref eventRef, e *storedEvent, withRaw bool) (*Event, error) {
	out := &Event{MessageID: e.id, Generated: e.generated, Traits: make([]Trait, len(e.traits))}
	var err error
	if out.Type, err = s.text(e.typ); err != nil {
		return nil, err
	}
	for i := range e.traits {
		out.Traits[i] = e.traits[i].Trait
		if out.Traits[i].Name, err = s.text(e.traits[i].name); err != nil {
			return nil, err
		}
	}
	if !withRaw {
		return out, nil
	}
	if out.Raw, err = s.unpack(e); err != nil {
		return nil, corruptRecord(ref.key(nil), err)
	}
	return out, nil
}

// find returns the place of the event with the message id.
func (s *eventStore) find(r pebble.Reader, id string) (ref eventRef, found bool, err error) {
	found, err = getRecord(r, eventIDKey(nil, id), func(rec []byte) error {
		ref, err = decodeEventRef(rec)
		return err
	})
	return ref, found, err
}

func noEvent(id string) error { return &Error{Kind: KindEvent, Name: id, Err: ErrNotFound} }

// Event returns the event with the message id; it is the caller's. ErrNotFound.
func (db *DB) Event(id string) (*Event, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.end()
	s := &db.events
	snap := s.p.NewSnapshot()
	defer snap.Close()
	ref, found, err := s.find(snap, id)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, noEvent(id)
	}
	e, err := s.read(snap, ref)
	if err == nil && e == nil {
		err = corruptRecord(ref.key(nil), formatError(fmt.Sprintf("missing record of event %q", id)))
	}
	if err != nil {
		return nil, err
	}
	return s.export(ref, e, true)
}

// CountEvents returns how many events there are.
func (db *DB) CountEvents() int { return int(db.events.count.Load()) }
