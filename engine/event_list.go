package engine

import (
	"context"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

// EventTypes returns the types of the events there are, in order.
func (db *DB) EventTypes() ([]string, error) {
	var out []string
	err := db.eachEventUse(0, func(u eventUse) (eventUse, error) {
		text, err := db.events.text(u.typ)
		out = append(out, text)
		return eventUse{typ: u.typ + 1, day: -dayBias}, err
	})
	slices.Sort(out)
	return out, err
}

// EventTraits returns the names and kinds of the traits that the events of a type have, in order. The values are not set. Nothing, if
// there are no such events.
func (db *DB) EventTraits(eventType string) ([]Trait, error) {
	var out []Trait
	err := db.ofEventType(eventType, func(typ uint32) error {
		return db.eachEventUse(typ, func(u eventUse) (eventUse, error) {
			if u.trait == 0 {
				return eventUse{typ: typ, trait: 1, day: -dayBias}, nil
			}
			text, err := db.events.text(u.trait)
			out = append(out, Trait{Name: text, Kind: u.kind})
			return eventUse{typ, u.trait, u.kind + 1, -dayBias}, err
		})
	})
	slices.SortFunc(out, func(a, b Trait) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return int(a.Kind) - int(b.Kind)
	})
	return out, err
}

// EventTraitValues goes through the traits by a name of all events of a type, by generated time. An error ends it.
func (db *DB) EventTraitValues(ctx context.Context, eventType, name string) iter.Seq2[Trait, error] {
	q := EventQuery{Type: eventType, Traits: []TraitFilter{{Trait: Trait{Name: name}}}, NoRaw: true}
	return func(yield func(Trait, error) bool) {
		for e, err := range db.Events(ctx, q) {
			if err != nil {
				yield(Trait{}, err)
				return
			}
			for _, t := range e.Traits {
				if t.Name == name && !yield(t, nil) {
					return
				}
			}
		}
	}
}

// ofEventType calls fn with the number of a type, if it has one.
func (db *DB) ofEventType(eventType string, fn func(typ uint32) error) error {
	if err := db.begin(); err != nil {
		return err
	}
	defer db.end()
	typ, err := db.events.number(eventType)
	if err != nil || typ == 0 {
		return err
	}
	return fn(typ)
}

// eachEventUse calls fn with uses of a type, 0 for all, each time with the first from where the last call says.
func (db *DB) eachEventUse(typ uint32, fn func(u eventUse) (next eventUse, err error)) error {
	if err := db.begin(); err != nil {
		return err
	}
	defer db.end()
	from, to := eventUse{typ: typ, day: -dayBias}, []byte{keyEventUse + 1}
	if typ != 0 && typ < math.MaxUint32 {
		to = eventUse{typ: typ + 1, day: -dayBias}.key(nil)
	}
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyEventUse}, UpperBound: to})
	if err != nil {
		return err
	}
	defer it.Close()
	for it.SeekGE(from.key(nil)) {
		u, ok := parseEventUse(it.Key())
		if !ok {
			return corruptRecord(it.Key(), formatError("use of a name"))
		}
		if from, err = fn(u); err != nil || from.typ < u.typ { // the numbers are used up
			return err
		}
	}
	return it.Error()
}
