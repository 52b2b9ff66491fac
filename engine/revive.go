package engine

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/telemetrydb/tsdb/index"
)

// A resource that has ended lives again when one of its metrics gets a sample that is not older than its end. For this the index
// knows the metrics of ended resources, and the set of them stays in memory: looking at it costs an append nothing to speak of.

// fieldOfEnded is set for metrics of resources that have ended. No filter can name it.
const fieldOfEnded = "resource.ended"

var ofEnded = index.Value{Kind: index.Bool, Num: 1}

func (c *catalogue) loadEnded() error {
	view, err := c.ix.View(c.p, nil)
	if err != nil {
		return indexError(err)
	}
	set, err := view.Posting(spaceMetrics, fieldOfEnded, ofEnded)
	c.ended.Store(set)
	return indexError(err)
}

// endedChange is what a transaction changes about which metrics are of ended resources.
type endedChange struct{ was, is bool }

// noteEnded finds out what the transaction changes about the metrics of ended resources, before it is flushed.
func (tx *Tx) noteEnded(ch *index.Change) {
	tx.ended = make(map[Ref]endedChange)
	each := func(r *resource, fn func(c *endedChange)) {
		if r == nil || r.EndedAt == nil {
			return
		}
		for _, m := range r.metrics {
			c := tx.ended[m.Ref]
			fn(&c)
			tx.ended[m.Ref] = c
		}
	}
	for _, c := range tx.resources {
		each(c.old, func(c *endedChange) { c.was = true })
		each(c.now, func(c *endedChange) { c.is = true })
	}
	value := func(b bool) (v index.Value) {
		if b {
			v = ofEnded
		}
		return v
	}
	for ref, c := range tx.ended {
		if c.was == c.is {
			delete(tx.ended, ref)
			continue
		}
		ch.Set(spaceMetrics, uint32(ref), fieldOfEnded, value(c.was), value(c.is))
	}
}

// publishEnded brings the set in memory to the committed state.
func (tx *Tx) publishEnded() {
	if len(tx.ended) == 0 {
		return
	}
	set := tx.cat.ended.Load().Clone()
	for ref, c := range tx.ended {
		if c.is {
			set.Add(uint32(ref))
		} else {
			set.Remove(uint32(ref))
		}
	}
	tx.cat.ended.Store(set)
}

// revive takes back the end of resources that have got samples from after it. The samples are stored, so an error is only noted.
func (db *DB) revive(rows []row) {
	ended := db.cat.ended.Load()
	if ended.IsEmpty() {
		return
	}
	newest := newestOf(rows, ended)
	if len(newest) == 0 {
		return
	}
	found := false
	err := db.eachEnded(newest, db.cat.metric, db.cat.resource, func(*resource) error {
		found = true
		return nil
	})
	if err == nil && found {
		err = db.Update(context.Background(), func(tx *Tx) error {
			metric := func(ref Ref) (*metric, error) {
				m, err := tx.cat.metric(ref)
				if m == nil || err != nil {
					return nil, err
				}
				return tx.metric(m.ID)
			}
			return db.eachEnded(newest, metric, tx.resource, func(r *resource) error {
				alive := r.export()
				alive.EndedAt, alive.RevisionStart = nil, db.opts.Now()
				return tx.UpdateResource(alive)
			})
		})
	}
	db.note(err)
}

// newestOf returns the newest times of those of the rows' metrics that are in the set.
func newestOf(rows []row, set *roaring.Bitmap) map[Ref]int64 {
	var newest map[Ref]int64
	for i := range rows {
		r := &rows[i]
		if !set.Contains(uint32(r.ref)) {
			continue
		}
		if newest == nil {
			newest = make(map[Ref]int64)
		}
		newest[r.ref] = max(newest[r.ref], r.t)
	}
	return newest
}

// eachEnded calls fn with the resources that have ended and have a metric whose time is not before their end.
func (db *DB) eachEnded(times map[Ref]int64, metric func(Ref) (*metric, error), resource func(UUID) (*resource, error), fn func(r *resource) error) error {
	for ref, t := range times {
		m, err := metric(ref)
		if err != nil {
			return err
		}
		if m == nil || m.Resource == nil {
			continue
		}
		r, err := resource(m.resource)
		if err != nil {
			return err
		}
		if r != nil && r.EndedAt != nil && timeValue(r.ended).Time <= t {
			if err := fn(r); err != nil {
				return err
			}
		}
	}
	return nil
}
