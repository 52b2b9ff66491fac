package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/index"
)

// AppendEvents stores events: all of them or, on an error, none, and returns how many are new. An event whose message id is known, or
// comes twice, is left out, and so is one that is older than Options.KeepEvents. When it returns the events are as durable as samples
// are after Append, and visible. It keeps nothing of what it is given.
//
// ErrInvalid (see Event.Check), ErrFull, ErrReadOnly, ErrClosed.
func (db *DB) AppendEvents(ctx context.Context, events []Event) (stored int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	raws := make([][]byte, len(events))
	for i := range events {
		if err := events[i].Check(); err != nil {
			return 0, err
		}
		if raws[i], err = compactRaw(events[i].Raw); err != nil { // Check has seen that it is JSON
			return 0, err
		}
	}
	if err := db.begin(); err != nil {
		return 0, err
	}
	defer db.end()
	if err := db.room(); err != nil {
		return 0, err
	}
	wb, stored, err := db.putEvents(events, raws)
	if err != nil || wb == nil {
		return 0, err
	}
	return stored, db.wait(wb) // without the lock: those that wait at one time share a sync
}

// putEvents returns the batch that brings the new events, applied but not yet durable; nil: none is new.
func (db *DB) putEvents(events []Event, raws [][]byte) (wb *writeBatch, stored int, err error) {
	s := &db.events
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := &eventTx{s: s, batch: db.p.NewBatch(), change: s.ix.NewChange(), lastName: s.lastName, ids: map[string]struct{}{},
		numbers: map[string]uint32{}, days: map[eventDay]uint32{}, uses: map[eventUse]struct{}{}, packers: map[uint32]*rawPacker{}}
	defer func() {
		if wb == nil {
			tx.batch.Close()
		}
	}()
	fresh, err := tx.fresh(events, max(s.expired, db.oldestEventDay()))
	if err != nil || len(fresh) == 0 {
		return nil, 0, err
	}
	for _, i := range fresh {
		if err := tx.add(&events[i], raws[i]); err != nil {
			return nil, 0, err
		}
	}
	if err := tx.finish(); err != nil {
		return nil, 0, err
	}
	if err := db.commit(tx.batch); err != nil {
		return nil, 0, err
	}
	tx.publish()
	return tx.batch, tx.stored, nil
}

// eventTx collects what one append changes. It holds the store's mutex.
type eventTx struct {
	s        *eventStore
	batch    *writeBatch
	change   *index.Change
	stored   int
	lastName uint32

	ids     map[string]struct{}
	numbers map[string]uint32   // names that are new
	days    map[eventDay]uint32 // number of events of the days touched
	uses    map[eventUse]struct{}
	packers map[uint32]*rawPacker // of types whose prototype is new
	event   storedEvent
	key     []byte
	rec     []byte
}

func (tx *eventTx) set(key, rec []byte) error { return tx.batch.Set(key, rec, nil) }

// fresh returns the places of the events that are to be stored. Those of a type come together: coders are few.
func (tx *eventTx) fresh(events []Event, oldest eventDay) ([]int, error) {
	var out []int
	doubles := uint64(0)
	it, err := tx.s.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyEventID}, UpperBound: []byte{keyEventID + 1}})
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for i := range events {
		if day, _ := dayOf(events[i].Generated); day < oldest {
			continue
		}
		known, err := tx.known(it, events[i].MessageID)
		if err != nil {
			return nil, err
		}
		if known {
			doubles++
		} else {
			out = append(out, i)
		}
	}
	tx.s.doubles.Add(doubles)
	slices.SortStableFunc(out, func(i, j int) int { return strings.Compare(events[i].Type, events[j].Type) })
	return out, nil
}

func (tx *eventTx) add(e *Event, raw []byte) error {
	day, offset := dayOf(e.Generated)
	ord, err := tx.nextOrdinal(day, e.MessageID)
	if err != nil {
		return err
	}
	ref := eventRef{day, ord}
	if err := tx.resolve(e, raw); err != nil {
		return err
	}
	tx.key, tx.rec = ref.key(tx.key[:0]), appendEvent(tx.rec[:0], &tx.event)
	if err := tx.set(tx.key, tx.rec); err != nil {
		return err
	}
	tx.key, tx.rec = eventIDKey(tx.key[:0], e.MessageID), appendEventRef(tx.rec[:0], ref)
	if err := tx.set(tx.key, tx.rec); err != nil {
		return err
	}
	tx.key = eventTime{day, offset, ord}.key(tx.key[:0])
	if err := tx.set(tx.key, nil); err != nil {
		return err
	}
	if err := tx.noteUses(day); err != nil {
		return err
	}
	indexEvent(tx.change, ref, &tx.event)
	tx.stored++
	return nil
}

// known tells whether there is an event with the message id, or was one in this batch.
func (tx *eventTx) known(it *pebble.Iterator, id string) (bool, error) {
	if _, known := tx.ids[id]; known {
		return true, nil
	}
	tx.ids[id] = struct{}{}
	tx.key = eventIDKey(tx.key[:0], id)
	return seekRecord(it, tx.key, func(rec []byte) error {
		_, err := decodeEventRef(rec)
		return err
	})
}

func (tx *eventTx) nextOrdinal(day eventDay, id string) (uint32, error) {
	n, ok := tx.days[day]
	if !ok {
		_, err := getRecord(tx.s.p, eventDayKey(day), func(rec []byte) (err error) {
			n, err = decodeLastContext(rec)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	ord, err := nextOrdinal(&n, KindEvent, id)
	tx.days[day] = ord
	return ord, err
}

// resolve makes event of e: numbers of names, raw packed.
func (tx *eventTx) resolve(e *Event, raw []byte) (err error) {
	s := &tx.event
	*s = storedEvent{id: e.MessageID, generated: e.Generated, traits: slices.Grow(s.traits[:0], len(e.Traits))}
	if s.typ, err = tx.number(e.Type); err != nil {
		return err
	}
	for _, t := range e.Traits {
		n, err := tx.number(t.Name)
		if err != nil {
			return err
		}
		s.traits = append(s.traits, storedTrait{n, t})
	}
	if raw == nil {
		return nil
	}
	p, err := tx.packer(s.typ, raw)
	if err == nil {
		s.how, s.raw = p.pack(raw)
	}
	return err
}

// number returns the number of a name, and gives it the next if it has none.
func (tx *eventTx) number(text string) (uint32, error) {
	if n, ok := tx.numbers[text]; ok {
		return n, nil
	}
	n, err := tx.s.number(text)
	if err != nil || n != 0 {
		return n, err
	}
	if n, err = nextOrdinal(&tx.lastName, "name of events", text); err != nil {
		return 0, err
	}
	tx.numbers[text] = n
	if err := tx.set(nameKey(text), appendOrdinalRecord(n)); err != nil {
		return 0, err
	}
	return n, tx.set(ordinalKey(keyEventNameOf, n), appendTextRecord(nil, text))
}

// packer returns the packer of a type, and makes one of raw if that is long enough and there is none.
func (tx *eventTx) packer(typ uint32, raw []byte) (*rawPacker, error) {
	if p := tx.packers[typ]; p != nil {
		return p, nil
	}
	p, err := tx.s.packer(typ)
	if err != nil || p != nil || len(raw) < minPrototype {
		return p, err
	}
	prototype := string(raw[:min(len(raw), maxPrototype)])
	if p, err = newRawPacker(prototype); err != nil {
		return nil, err
	}
	tx.packers[typ] = p
	return p, tx.set(ordinalKey(keyEventRaw, typ), appendTextRecord(nil, prototype))
}

// noteUses writes which types and traits the day has, where that is not known to be written.
func (tx *eventTx) noteUses(day eventDay) error {
	note := func(u eventUse) error {
		if _, ok := tx.uses[u]; ok {
			return nil
		}
		if _, ok := tx.s.used.get(u); ok {
			return nil
		}
		tx.uses[u] = struct{}{}
		tx.key = u.key(tx.key[:0])
		return tx.set(tx.key, nil)
	}
	if err := note(eventUse{typ: tx.event.typ, day: day}); err != nil {
		return err
	}
	for i := range tx.event.traits {
		t := &tx.event.traits[i]
		if err := note(eventUse{tx.event.typ, t.name, t.Kind, day}); err != nil {
			return err
		}
	}
	return nil
}

// finish puts into the batch what the events have in common.
func (tx *eventTx) finish() error {
	for day, n := range tx.days {
		if err := tx.set(eventDayKey(day), appendOrdinalRecord(n)); err != nil {
			return err
		}
	}
	if tx.lastName != tx.s.lastName {
		if err := tx.set(lastNameKey, appendOrdinalRecord(tx.lastName)); err != nil {
			return err
		}
	}
	return eventIndexError(tx.change.Write(tx.batch, tx.s.p))
}

// publish brings what is in memory to the committed state.
func (tx *eventTx) publish() {
	s := tx.s
	s.lastName = tx.lastName
	for text, n := range tx.numbers {
		s.numbers.set(text, n, int64(len(text)))
		s.texts.set(n, text, int64(len(text)))
	}
	for u := range tx.uses {
		s.used.set(u, struct{}{}, 0)
	}
	for typ, p := range tx.packers {
		s.packers.set(typ, p)
	}
	s.count.Add(int64(tx.stored))
	s.additions.Add(uint64(tx.stored))
	tx.change.Publish()
}
