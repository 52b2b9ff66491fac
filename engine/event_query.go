package engine

import (
	"bytes"
	"context"
	"iter"
	"math"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/index"
)

// EventQuery selects events that meet all its conditions. The zero value selects all, by generated time and then message id.
type EventQuery struct {
	Type      string // "": any
	MessageID string // "": any
	From, To  *int64 // generated, both within, nanoseconds since the Unix epoch; nil: open
	Traits    []TraitFilter
	NoRaw     bool // leave Raw out: cheaper

	Order EventOrder
	After string // the message id of the event that the list goes on behind, whether it is selected or not; "": from the beginning
	Limit int    // 0: none
}

// EventOrder says how a list of events is sorted.
type EventOrder struct {
	ByID   bool // by message id alone
	Desc   bool // by generated time, newest first; with ByID by message id
	IDDesc bool // those of one time by message id, last first; without meaning with ByID
}

// TraitFilter is met by events of which some trait of a name and kind compares to a value. Texts compare by their bytes.
type TraitFilter struct {
	Op        index.Op // Eq, Ne, Lt, Le, Gt, Ge. 0: whatever value, and whatever kind
	Trait              // name, kind and value
	OrMissing bool     // events without any trait of that name meet it too
}

// Events goes through the events that a query selects, as they are when it begins. What it selects comes from postings and times: records
// are read of the events that it gives, and a few at the ends of the range and around the marker. It holds a few at a time. An error ends
// it: ErrNotFound (After), ErrInvalid, the context's.
func (db *DB) Events(ctx context.Context, q EventQuery) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		if err := db.begin(); err != nil {
			yield(nil, err)
			return
		}
		defer db.end()
		snap := db.p.NewSnapshot()
		defer snap.Close()
		w := &eventWalk{s: &db.events, ctx: ctx, snap: snap, q: q, yield: yield, from: math.MinInt64, to: math.MaxInt64, left: q.Limit}
		defer w.close()
		possible, err := w.begin()
		if possible && err == nil {
			err = w.run()
		}
		if err != nil && err != errStopped {
			yield(nil, err)
		}
	}
}

// eventWalk is the walk of one query.
type eventWalk struct {
	s     *eventStore
	ctx   context.Context
	snap  *pebble.Snapshot
	view  *index.View
	recs  *pebble.Iterator // of records
	q     EventQuery
	yield func(*Event, error) bool

	typ      uint32
	names    []uint32 // of q.Traits; 0: no trait has the name
	exact    bool     // the index does not tell all: what it selects has to be looked at
	from, to int64
	after    *eventPlace
	left     int // of the limit
	steps    int
}

// eventPlace is an event's place in all orders.
type eventPlace struct {
	ref       eventRef
	id        string
	generated int64
}

// begin prepares the walk, and tells whether anything can be selected; close it in any case.
func (w *eventWalk) begin() (possible bool, err error) {
	if w.left <= 0 {
		w.left = math.MaxInt
	}
	if w.q.From != nil {
		w.from = *w.q.From
	}
	if w.q.To != nil {
		w.to = *w.q.To
	}
	if w.recs, err = w.snap.NewIter(&pebble.IterOptions{LowerBound: []byte{keyEvent}, UpperBound: []byte{keyEvent + 1}}); err != nil {
		return false, err
	}
	if err := w.findMarker(); err != nil {
		return false, err
	}
	if possible, err = w.resolve(); err != nil || !possible || w.from > w.to {
		return false, err
	}
	w.view, err = w.s.ix.View(w.snap, nil)
	return true, eventIndexError(err)
}

func (w *eventWalk) close() {
	if w.recs != nil {
		w.recs.Close() // what it found wrong, seekRecord has told
	}
}

func (w *eventWalk) findMarker() error {
	if w.q.After == "" {
		return nil
	}
	ref, found, err := w.s.find(w.snap, w.q.After)
	if err != nil {
		return err
	}
	if !found {
		return noEvent(w.q.After)
	}
	p, err := w.place(ref)
	w.after = &p
	return err
}

// resolve finds the numbers of names, and whether the query can select anything.
func (w *eventWalk) resolve() (possible bool, err error) {
	if w.q.Type != "" {
		if w.typ, err = w.s.number(w.q.Type); err != nil || w.typ == 0 {
			return false, err
		}
	}
	w.names = make([]uint32, len(w.q.Traits))
	for i := range w.q.Traits {
		f := &w.q.Traits[i]
		if f.Op > index.Ge || f.Op != 0 && f.Op < index.Eq || f.Kind > TraitTime {
			return false, &Error{Kind: KindEvent, Name: f.Name, Err: ErrInvalid, Detail: "no such comparison of traits"}
		}
		if w.names[i], err = w.s.number(f.Name); err != nil || w.names[i] == 0 && !f.OrMissing {
			return false, err
		}
		w.exact = w.exact || f.Kind == TraitText && len(f.Text) >= maxIndexedText
	}
	return true, nil
}

// filter is the query in terms of the day's fields in the index.
func (w *eventWalk) filter(day eventDay) *index.Filter {
	all := &index.Filter{Op: index.Ne, Field: day.field() + fieldEventType}
	if w.typ != 0 {
		all.Op, all.Value = index.Eq, eventTypeValue(w.typ)
	}
	f := &index.Filter{Op: index.And, Subs: []*index.Filter{all}}
	for i := range w.q.Traits {
		if w.names[i] != 0 { // else what is missing everywhere is asked for
			f.Subs = append(f.Subs, w.q.Traits[i].filter(day, w.names[i]))
		}
	}
	return f
}

func (f *TraitFilter) filter(day eventDay, name uint32) *index.Filter {
	present := &index.Filter{Op: index.Or}
	for kind := TraitNone; kind <= TraitTime; kind++ {
		present.Subs = append(present.Subs, &index.Filter{Op: index.Ne, Field: traitField(day, kind, name)})
	}
	if f.Op == 0 {
		if f.OrMissing {
			return &index.Filter{Op: index.And}
		}
		return present
	}
	out := f.compare(traitField(day, f.Kind, name))
	if f.OrMissing {
		out = &index.Filter{Op: index.Or, Subs: []*index.Filter{out, {Op: index.Not, Subs: []*index.Filter{present}}}}
	}
	return out
}

// compare is the comparison with the values that the index has. Where a text may be longer than those, it selects more than is meant.
func (f *TraitFilter) compare(field string) *index.Filter {
	v, op := f.indexed(), f.Op
	if f.Kind == TraitNone {
		return &index.Filter{Op: index.Or} // nothing to compare with
	}
	if f.Kind == TraitText && len(f.Text) >= maxIndexedText {
		switch op {
		case index.Lt:
			op = index.Le
		case index.Gt:
			op = index.Ge
		case index.Ne:
			return &index.Filter{Op: index.Ne, Field: field} // has any
		}
	}
	if op == index.Ne { // an event may have the value and another one
		return &index.Filter{Op: index.Or, Subs: []*index.Filter{{Op: index.Lt, Field: field, Value: v}, {Op: index.Gt, Field: field, Value: v}}}
	}
	return &index.Filter{Op: op, Field: field, Value: v}
}

// selects tells whether the event meets the conditions of traits, by its traits themselves.
func (w *eventWalk) selects(e *storedEvent) bool {
	for i := range w.q.Traits {
		if !w.q.Traits[i].selects(w.names[i], e) {
			return false
		}
	}
	return true
}

func (f *TraitFilter) selects(name uint32, e *storedEvent) bool {
	missing := true
	for i := range e.traits {
		if t := &e.traits[i]; t.name == name {
			if f.Op == 0 || t.Kind == f.Kind && f.compares(&t.Trait) {
				return true
			}
			missing = false
		}
	}
	return missing && f.OrMissing
}

func (f *TraitFilter) compares(t *Trait) bool {
	if f.Kind == TraitNone {
		return false
	}
	var c int
	if f.Kind == TraitText {
		c = bytes.Compare([]byte(t.Text), []byte(f.Text))
	} else {
		c = index.Compare(t.indexed(), f.indexed())
	}
	switch f.Op {
	case index.Eq:
		return c == 0
	case index.Ne:
		return c != 0
	case index.Lt:
		return c < 0
	case index.Le:
		return c <= 0
	case index.Gt:
		return c > 0
	default:
		return c >= 0
	}
}

// selected returns the ordinals of the day's events that the query selects, whatever their times in the day; when exact is set, some
// more. Read only.
func (w *eventWalk) selected(day eventDay) (*roaring.Bitmap, error) {
	set, err := w.view.Eval(w.ctx, spaceEvents, w.filter(day))
	return set, eventIndexError(err)
}

// selectedWithin is selected without those out of the range of times.
func (w *eventWalk) selectedWithin(day eventDay) (*roaring.Bitmap, error) {
	set, err := w.selected(day)
	if err != nil || set.IsEmpty() || !w.partial(day) {
		return set, err
	}
	within := roaring.New()
	first, last := w.bounds(day)
	err = w.eachTime(first, last, false, func(t eventTime) error {
		within.Add(t.ord)
		return nil
	})
	within.And(set)
	return within, err
}

// bounds returns the part of the day that is in the range.
func (w *eventWalk) bounds(day eventDay) (first, last eventTime) {
	first, last = eventTime{day, 0, 0}, eventTime{day, dayNanos - 1, math.MaxUint32}
	if d, offset := dayOf(w.from); d == day {
		first.offset = offset
	}
	if d, offset := dayOf(w.to); d == day {
		last.offset = offset
	}
	return first, last
}

// partial tells whether only a part of the day is in the range.
func (w *eventWalk) partial(day eventDay) bool {
	first, last := w.bounds(day)
	return first.offset != 0 || last.offset != dayNanos-1
}
