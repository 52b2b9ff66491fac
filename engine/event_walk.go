package engine

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
)

// errStopped ends a walk that has given all it should.
var errStopped = errors.New("enough")

const (
	// sortFewEvents is how many events are sorted in memory, where that is cheaper than finding them in their order; more never are.
	sortFewEvents = 4096
	// sortAlways is how many always are.
	sortAlways = 128
)

// tick looks at the context now and then.
func (w *eventWalk) tick() error {
	if w.steps++; w.steps%1024 == 0 {
		return w.ctx.Err()
	}
	return nil
}

func (w *eventWalk) run() error {
	switch {
	case w.q.MessageID != "":
		return w.runOne()
	case w.q.Order.ByID:
		return w.runByID()
	}
	return w.runByTime()
}

// runOne gives the one event that has the message id asked for, if the rest of the query selects it.
func (w *eventWalk) runOne() error {
	ref, found, err := w.s.find(w.snap, w.q.MessageID)
	if err != nil || !found {
		return err
	}
	p, err := w.place(ref)
	if err != nil || p.generated < w.from || p.generated > w.to || w.after != nil && w.compare(&p, w.after) <= 0 {
		return err
	}
	set, err := w.selected(ref.day)
	if err != nil || !set.Contains(ref.ord) {
		return err
	}
	return w.emit(ref)
}

// emit gives an event that the index selects.
func (w *eventWalk) emit(ref eventRef) error {
	var e *storedEvent
	err := w.record(ref, func(rec []byte) (err error) {
		e, err = decodeEvent(ref.day, rec)
		return err
	})
	if err != nil {
		return err
	}
	if w.exact && !w.selects(e) {
		return nil
	}
	out, err := w.s.export(ref, e, !w.q.NoRaw)
	if err != nil {
		return err
	}
	if w.left--; !w.yield(out, nil) || w.left == 0 {
		return errStopped
	}
	return w.ctx.Err()
}

// record reads the record of an event, which is there.
func (w *eventWalk) record(ref eventRef, decode func(rec []byte) error) error {
	key := ref.key(nil)
	found, err := seekRecord(w.recs, key, decode)
	if err == nil && !found {
		err = corruptRecord(key, formatError("missing record of an event"))
	}
	return err
}

// place reads what an event is ordered by.
func (w *eventWalk) place(ref eventRef) (p eventPlace, err error) {
	p.ref = ref
	err = w.record(ref, func(rec []byte) (err error) {
		p.id, p.generated, err = decodeEventKeys(ref.day, rec)
		return err
	})
	return p, err
}

func (w *eventWalk) compare(a, b *eventPlace) int {
	o := w.q.Order
	c := 0
	if !o.ByID {
		c = cmp.Compare(a.generated, b.generated)
		if o.Desc {
			c = -c
		}
	}
	if c == 0 {
		c = strings.Compare(a.id, b.id)
		if o.ByID && o.Desc || !o.ByID && o.IDDesc {
			c = -c
		}
	}
	return c
}

// emitSorted sorts a few events of one or several days and gives those of the range that are behind the marker.
func (w *eventWalk) emitSorted(sets map[eventDay]*roaring.Bitmap) error {
	var places []eventPlace
	for day, set := range sets {
		for it := set.Iterator(); it.HasNext(); {
			if err := w.tick(); err != nil {
				return err
			}
			p, err := w.place(eventRef{day, it.Next()})
			if err != nil {
				return err
			}
			if p.generated >= w.from && p.generated <= w.to && (w.after == nil || w.compare(&p, w.after) > 0) {
				places = append(places, p)
			}
		}
	}
	slices.SortFunc(places, func(a, b eventPlace) int { return w.compare(&a, &b) })
	for i := range places {
		if err := w.emit(places[i].ref); err != nil {
			return err
		}
	}
	return nil
}

// runByTime goes from day to day.
func (w *eventWalk) runByTime() error {
	from, to := w.from, w.to
	if w.after != nil && w.q.Order.Desc {
		to = min(to, w.after.generated)
	} else if w.after != nil {
		from = max(from, w.after.generated)
	}
	if from > to {
		return nil
	}
	w.from, w.to = from, to
	return w.eachDay(w.q.Order.Desc, func(day eventDay, total uint64) error {
		set, err := w.selected(day)
		if err != nil {
			return err
		}
		n := set.GetCardinality()
		want := min(uint64(w.left), n)
		switch {
		case n == 0:
			return nil
		case n <= w.s.sortAlways || n <= w.s.sortFew && n*16 < total*want/n && !w.partial(day):
			return w.emitSorted(map[eventDay]*roaring.Bitmap{day: set})
		}
		return w.walkTimes(day, set)
	})
}

// eachDay calls fn for the days of the range that have events, with how many these are.
func (w *eventWalk) eachDay(desc bool, fn func(day eventDay, total uint64) error) error {
	first, _ := dayOf(w.from)
	last, _ := dayOf(w.to)
	lower, upper := eventDayKey(first), append(eventDayKey(last), 0)
	return eachKey(w.snap, lower, upper, desc, func(key, rec []byte) error {
		if len(key) != 1+dayKeyLen {
			return corruptRecord(key, formatError("key of a day"))
		}
		n, err := decodeLastContext(rec)
		if err != nil {
			return corruptRecord(key, err)
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		return fn(parseDay(key[1:]), uint64(n))
	})
}

// eachKey calls fn with the keys in the range.
func eachKey(r pebble.Reader, lower, upper []byte, desc bool, fn func(key, val []byte) error) error {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	defer it.Close()
	move, ok := it.Next, false
	if desc {
		move, ok = it.Prev, it.Last()
	} else {
		ok = it.First()
	}
	for ; ok; ok = move() {
		val, err := it.ValueAndErr()
		if err == nil {
			err = fn(it.Key(), val)
		}
		if err != nil {
			return err
		}
	}
	if err := it.Error(); err != nil {
		if pebble.IsCorruptionError(err) {
			err = corruptRecord(lower, err)
		}
		return err
	}
	return nil
}

// eachTime goes through the times of events from first to last, both included.
func (w *eventWalk) eachTime(first, last eventTime, desc bool, fn func(eventTime) error) error {
	return eachKey(w.snap, first.key(nil), append(last.key(nil), 0), desc, func(key, _ []byte) error {
		t, ok := parseEventTime(key)
		if !ok {
			return corruptRecord(key, formatError("key of an event's time"))
		}
		if err := w.tick(); err != nil {
			return err
		}
		return fn(t)
	})
}

// walkTimes gives the events of the set, which are many, in the order of their times. Those of one time are sorted by message id.
func (w *eventWalk) walkTimes(day eventDay, set *roaring.Bitmap) error {
	first, last := w.bounds(day)
	group, at := roaring.New(), int64(-1) // of one time
	flush := func() error {
		defer group.Clear()
		switch n := group.GetCardinality(); {
		case n == 0:
			return nil
		case n == 1 && (w.after == nil || w.after.generated != int64(day)*dayNanos+at):
			return w.emit(eventRef{day, group.Minimum()})
		case n <= w.s.sortFew:
			return w.emitSorted(map[eventDay]*roaring.Bitmap{day: group})
		}
		after := ""
		if w.after != nil && w.after.generated == int64(day)*dayNanos+at {
			after = w.after.id
		}
		return w.walkIDs(map[eventDay]*roaring.Bitmap{day: group}, after, w.q.Order.IDDesc)
	}
	left := set.GetCardinality()
	err := w.eachTime(first, last, w.q.Order.Desc, func(t eventTime) error {
		if t.offset != at {
			if err := flush(); err != nil {
				return err
			}
			if at = t.offset; left == 0 {
				return errWalked
			}
		}
		if set.Contains(t.ord) {
			group.Add(t.ord)
			left--
		}
		return nil
	})
	if err != nil && err != errWalked {
		return err
	}
	return flush()
}

// errWalked ends the walk of a day whose selected events are all found.
var errWalked = errors.New("all found")

// runByID gives the selected events of all days by message id.
func (w *eventWalk) runByID() error {
	sets, total := map[eventDay]*roaring.Bitmap{}, uint64(0)
	err := w.eachDay(false, func(day eventDay, _ uint64) error {
		set, err := w.selectedWithin(day)
		if err == nil && !set.IsEmpty() {
			sets[day] = set
			total += set.GetCardinality()
		}
		return err
	})
	if err != nil {
		return err
	}
	if total <= w.s.sortFew {
		return w.emitSorted(sets)
	}
	after := ""
	if w.after != nil {
		after = w.after.id
	}
	return w.walkIDs(sets, after, w.q.Order.Desc)
}

// walkIDs gives the events of the sets, which are many, by message id, those behind the id after.
func (w *eventWalk) walkIDs(sets map[eventDay]*roaring.Bitmap, after string, desc bool) error {
	m, err := newIDMerge(w.snap, after, desc)
	if err != nil {
		return err
	}
	defer m.close()
	for {
		if err := w.tick(); err != nil {
			return err
		}
		ref, ok, err := m.next()
		if err != nil || !ok {
			return err
		}
		if set := sets[ref.day]; set != nil && set.Contains(ref.ord) {
			if err := w.emit(ref); err != nil {
				return err
			}
		}
	}
}
