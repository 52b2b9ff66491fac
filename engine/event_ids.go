package engine

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// idMerge goes through the message ids behind one in the order of their texts: those of one form are in this order in the store.
type idMerge struct {
	after string // "": from the beginning
	desc  bool
	forms []idForm
}

// idForm stands on a message id of one form.
type idForm struct {
	it *pebble.Iterator
	ok bool
	id string
}

// newIDMerge begins behind the id; close it.
func newIDMerge(r pebble.Reader, after string, desc bool) (*idMerge, error) {
	m := &idMerge{after: after, desc: desc}
	from, _ := packText(after)
	for form := range byte(textForms) {
		it, err := r.NewIter(&pebble.IterOptions{LowerBound: []byte{keyEventID, form}, UpperBound: []byte{keyEventID, form + 1}})
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		f := idForm{it: it}
		switch seek := after != "" && form == from; {
		case seek && desc:
			f.ok = it.SeekLT(eventIDKey(nil, after))
		case seek:
			f.ok = it.SeekGE(append(eventIDKey(nil, after), 0))
		case desc:
			f.ok = it.Last()
		default:
			f.ok = it.First()
		}
		m.forms = append(m.forms, f)
		if err := m.stand(&m.forms[form]); err != nil {
			return nil, errors.Join(err, m.close())
		}
	}
	return m, nil
}

func (m *idMerge) close() (err error) {
	for i := range m.forms {
		err = errors.Join(err, m.forms[i].it.Close())
	}
	return err
}

// before tells whether a comes before b.
func (m *idMerge) before(a, b string) bool {
	if m.desc {
		a, b = b, a
	}
	return a < b
}

// stand reads the id where the iterator was moved to, and passes over those up to after.
func (m *idMerge) stand(f *idForm) error {
	for ; f.ok; f.move(m.desc) {
		id, ok := parseEventID(f.it.Key())
		if !ok {
			return corruptRecord(f.it.Key(), formatError("key of a message id"))
		}
		if f.id = id; m.after == "" || m.before(m.after, id) {
			return nil
		}
	}
	return f.it.Error()
}

func (f *idForm) move(desc bool) {
	if desc {
		f.ok = f.it.Prev()
	} else {
		f.ok = f.it.Next()
	}
}

// next returns the place of the event with the next id.
func (m *idMerge) next() (ref eventRef, ok bool, err error) {
	var first *idForm
	for i := range m.forms {
		if f := &m.forms[i]; f.ok && (first == nil || m.before(f.id, first.id)) {
			first = f
		}
	}
	if first == nil {
		return ref, false, nil
	}
	rec, err := first.it.ValueAndErr()
	if err != nil {
		return ref, false, err
	}
	if ref, err = decodeEventRef(rec); err != nil {
		return ref, false, corruptRecord(first.it.Key(), err)
	}
	first.move(m.desc)
	return ref, true, m.stand(first)
}
