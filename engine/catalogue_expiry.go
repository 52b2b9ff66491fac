package engine

import (
	"context"
	"time"

	"github.com/telemetrydb/tsdb/index"
)

// expireMany bounds what one transaction of expiry deletes, so that others need not wait long.
const expireMany = 500

// expireCatalogue deletes resources that ended, and past states that were over, longer ago than Options keep them. They go by
// the clock: nothing tells the time of a resource's data.
func (db *DB) expireCatalogue() error {
	now := db.opts.Now()
	if keep := db.opts.KeepEnded; keep > 0 {
		err := db.expireBefore(fieldEnded, now.Add(-keep), func(tx *Tx, f *index.Filter) (bool, error) {
			set, err := tx.eval(spaceResources, f)
			if err != nil {
				return false, err
			}
			it := set.Iterator()
			for n := 0; it.HasNext() && n < expireMany; n++ {
				r, err := tx.ownResourceAt(it.Next())
				if err == nil {
					err = tx.DeleteResource(r.ID)
				}
				if err != nil {
					return false, err
				}
			}
			return it.HasNext(), nil
		})
		if err != nil {
			return err
		}
	}
	if keep := db.opts.KeepRevisions; keep > 0 {
		return db.expireBefore(fieldRevisionEnd, now.Add(-keep), func(tx *Tx, f *index.Filter) (bool, error) {
			set, err := tx.eval(spaceRevisions, f)
			if err != nil {
				return false, err
			}
			it := set.Iterator()
			for n := 0; it.HasNext() && n < expireMany; n++ {
				number := it.Next()
				if _, err := tx.ownRevision(number); err != nil {
					return false, err
				}
				tx.revisions[number].now = nil
			}
			return it.HasNext(), nil
		})
	}
	return nil
}

// expireBefore runs transactions until one leaves nothing of what the field dates before the time.
func (db *DB) expireBefore(field string, t time.Time, some func(tx *Tx, f *index.Filter) (more bool, err error)) error {
	f := &index.Filter{Op: index.Lt, Field: field, Value: timeValue(t)}
	for more := true; more; {
		select {
		case <-db.bg.done:
			return nil
		default:
		}
		err := db.Update(context.Background(), func(tx *Tx) (err error) {
			more, err = some(tx, f)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
