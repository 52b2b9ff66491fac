package engine

import (
	"context"
	"math"
)

// NewestSample is a metric's newest sample.
type NewestSample struct {
	Time    int64 // nanoseconds since the Unix epoch
	Value   float64
	Context ContextRef // 0: none
	Arrival int64      // nanoseconds since the Unix epoch, whole milliseconds
}

// NewestTime returns the time of a metric's newest sample, also if samples are not kept; false if it never had one. It reads
// nothing but what the view has of the metric.
func (v *View) NewestTime(m Ref) (t int64, ok bool, err error) {
	s, err := v.find(m)
	if err != nil || s.maxT == noTime {
		return 0, false, err
	}
	return s.maxT, true, nil
}

// NewestSample returns the newest sample of a metric, of several at its instant the last; false if there is none. Mostly that reads
// nothing but what the view has of the metric.
func (v *View) NewestSample(ctx context.Context, m Ref) (n NewestSample, ok bool, err error) {
	s, err := v.find(m)
	if err != nil {
		return n, false, err
	}
	if s.held && s.tail.n > 0 { // the end of one that was read from its record is not known yet
		last := s.tail.last
		a := annotation{}
		if s.notes != nil {
			a = s.notes.last
		}
		return NewestSample{last.t, math.Float64frombits(last.bits), a.context, a.arrival(last.t)}, true, nil
	}
	r := v.Samples(ctx, m, 0, math.MaxInt64, SampleQuery{Limit: 1})
	if !r.Next() {
		return n, false, r.Err()
	}
	c := r.Columns()
	return NewestSample{c.Times[0], c.Values[0], c.Contexts[0], c.Arrivals[0]}, true, nil
}

// OldestTime returns the time of a metric's oldest raw sample that is kept; false if there is none.
func (v *View) OldestTime(m Ref) (t int64, ok bool, err error) {
	s, err := v.find(m)
	if err != nil {
		return 0, false, err
	}
	r := SampleReader{v: v}
	r.open(s, 0, math.MaxInt64, SampleQuery{OldestFirst: true})
	if r.left == 0 || r.from >= r.to {
		return 0, false, nil
	}
	first := s.tailFirst()
	if s.sealed == noTime || r.from >= first {
		return r.firstOfTail(first)
	}
	key := lastKey{keyRaw, s.plan.widths[0], s.ref}
	if known, ok := v.db.last.first.get(key); ok && known.moves == v.moves && known.from <= r.from && r.from <= known.t && known.t < r.to &&
		v.epoch == v.db.last.epoch.Load() { // asked last, as lastBlock does
		return known.t, true, nil
	}
	found := int64(noTime)
	err = blockRange(v.it, keyRaw, s.plan.widths[0], s.ref, r.from, min(first, r.to), func(k blockKey, val []byte) (bool, error) {
		b, err := parseColumns(k, val)
		if err != nil {
			return false, err
		}
		if found = b.First(); found >= r.from {
			return false, nil
		}
		i, j, err := b.Range(r.from, math.MaxInt64)
		if err == nil && i < j {
			var ts []int64
			if ts, err = b.AppendTimes(nil, i, i+1); err == nil {
				found = ts[0]
			}
		}
		return false, corruptBlock(k, &b, err)
	})
	if err == nil && found != noTime {
		v.db.last.first.put(key, firstTime{r.from, found, v.moves}, 0, &v.db.last.epoch, v.epoch)
	}
	if err != nil || found != noTime {
		return found, err == nil, locate(err, s.id)
	}
	return r.firstOfTail(first)
}

// firstOfTail returns the time of the tail's first sample that is kept; first is that of its first one.
func (r *SampleReader) firstOfTail(first int64) (int64, bool, error) {
	if first >= r.from {
		return first, first < r.to, nil
	}
	t := r.s.tail.reader()
	for range r.s.tail.n {
		if t.next(); t.st.t >= r.from {
			return t.st.t, t.st.t < r.to, nil
		}
	}
	return 0, false, nil
}
