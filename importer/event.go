package importer

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// A document of the collection event, Ceilometer's and Panko's:
//
//	_id         string, the id of the message
//	event_type  string
//	timestamp   date, when it was generated
//	traits      array of documents: trait_name string; trait_type 0 none, 1 text, 2 integer, 3 float, 4 date; trait_value
//	raw         document; may be missing

const (
	rejectNoMessage = reject("event without an id that is a text")
	rejectNoEvent   = reject("no event_type")
	rejectTrait     = reject("a trait's value is not of its type")
	rejectTraits    = reject("traits are no array of documents")
)

// decodeEvent makes an event of a document. Errors are rejects, or wrap errBSON.
func decodeEvent(doc []byte) (e engine.Event, err error) {
	timed := false
	err = eachElement(doc, func(key string, v bsoncore.Value) (err error) {
		switch key {
		case "_id":
			e.MessageID, err = textOf(v, rejectNoMessage)
		case "event_type":
			e.Type, err = textOf(v, rejectNoEvent)
		case "timestamp":
			timed = true
			e.Generated, err = nanosOf(v)
		case "traits":
			e.Traits, err = decodeTraits(v)
		case "raw":
			if v.Type == bson.TypeEmbeddedDocument {
				e.Raw, err = appendDocument(nil, v.Data, unquoteKey, 1)
			}
		}
		return err
	})
	switch {
	case err != nil:
		return e, err
	case e.MessageID == "":
		return e, rejectNoMessage
	case e.Type == "":
		return e, rejectNoEvent
	case !timed:
		return e, rejectNoTime
	}
	return e, nil
}

func decodeTraits(v bsoncore.Value) (traits []engine.Trait, err error) {
	if v.Type != bson.TypeArray {
		return nil, rejectTraits
	}
	err = eachElement(v.Data, func(_ string, v bsoncore.Value) error {
		if v.Type != bson.TypeEmbeddedDocument {
			return rejectTraits
		}
		t, err := decodeTrait(v.Data)
		traits = append(traits, t)
		return err
	})
	return traits, err
}

// decodeTrait reads a trait. Of one without a type the value says what it is.
func decodeTrait(doc []byte) (t engine.Trait, err error) {
	var value bsoncore.Value
	kind := int64(-1)
	err = eachElement(doc, func(key string, v bsoncore.Value) (err error) {
		switch key {
		case "trait_name":
			t.Name, err = textOf(v, rejectTraits)
		case "trait_type":
			n, ok := v.AsInt64OK()
			if !ok || n < 0 || n > int64(engine.TraitTime) {
				return rejectTrait
			}
			kind = n
		case "trait_value":
			value = v
		}
		return err
	})
	if err != nil {
		return t, err
	}
	if kind < 0 {
		kind = int64(kindOf(value))
	}
	t.Kind = engine.TraitKind(kind)
	if !setTrait(&t, value) {
		return t, rejectTrait
	}
	return t, nil
}

func kindOf(v bsoncore.Value) engine.TraitKind {
	switch v.Type {
	case bson.TypeString:
		return engine.TraitText
	case bson.TypeInt32, bson.TypeInt64:
		return engine.TraitInt
	case bson.TypeDouble:
		return engine.TraitFloat
	case bson.TypeDateTime:
		return engine.TraitTime
	}
	return engine.TraitNone
}

// setTrait gives the trait its value, and reports whether that can be one of its kind.
func setTrait(t *engine.Trait, v bsoncore.Value) (ok bool) {
	switch t.Kind {
	case engine.TraitNone:
		return true
	case engine.TraitText:
		text, err := textOf(v, rejectTrait)
		t.Text = text
		return err == nil
	case engine.TraitInt:
		t.Int, ok = v.AsInt64OK()
		return ok
	case engine.TraitFloat:
		f, err := volumeOf(v)
		t.Float = f
		return err == nil
	}
	if v.Type == bson.TypeDateTime {
		t.Int = v.DateTime() * int64(time.Millisecond)
		return true
	}
	return false
}

// batchEvents is how many events are stored at once.
const batchEvents = 500

// events stores the events that are not in the database: it knows them by their ids, so an import that begins again doubles none.
func (r *run) events(ctx context.Context) (stored int64, err error) {
	c, err := r.src.Open(ctx, eventCollection, "")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var batch []engine.Event
	for {
		doc, err := c.Next(ctx)
		ended := errors.Is(err, io.EOF) || r.tolerated(err)
		if err != nil && !ended {
			return stored, err
		}
		if !ended {
			e, err := decodeEvent(doc)
			if err == nil {
				if err = e.Check(); err != nil {
					err = reject("event: " + invalidDetail(err))
				}
			}
			if reason, ok := rejectOf(err); ok {
				r.Rejected[string(reason)]++
			} else if err != nil {
				return stored, err
			} else {
				batch = append(batch, e)
			}
		}
		if len(batch) >= batchEvents || ended && len(batch) > 0 {
			n, err := r.db.AppendEvents(ctx, batch)
			if err != nil {
				return stored, err
			}
			stored += int64(n)
			batch = batch[:0]
			read, total := c.Progress()
			r.o.Progress("events", read, total)
		}
		if ended {
			return stored, nil
		}
	}
}

// invalidDetail gives what the engine says is wrong, without what it is wrong with, so that equal faults count as one.
func invalidDetail(err error) string {
	var e *engine.Error
	if errors.As(err, &e) {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, e.Detail)
	}
	return err.Error()
}
