package engine

import "slices"

// overSeries runs commit, which commits and publishes a transaction, together with what the transaction does to series.
//
// Where back windows change, the series concerned are persisted in the same batch: replaying their log records under another window would
// come to another state, and might drop as late what was accepted. Metrics that get another policy are rebuilt, in the same batch again.
func (db *DB) overSeries(tx *Tx, commit func() error) error {
	rebuilds, err := tx.rebuilds()
	if err != nil {
		return err
	}
	if len(tx.windows)+len(rebuilds) == 0 {
		return commit()
	}
	if len(tx.windows) > 0 {
		if err := db.checkpoint(sealNothing); err != nil { // most of the work, without holding anybody up
			return err
		}
	}
	for _, r := range rebuilds {
		defer r.end()
		if err := r.begin(); err != nil {
			return err
		}
	}
	for try := 0; ; try++ {
		done, err := db.commitSeries(tx, rebuilds, try == rebuildTries, commit)
		if done || err != nil {
			return err
		}
	}
}

// rebuildTries is how often metrics are rebuilt beside appends before these have to wait.
const rebuildTries = 3

// commitSeries does the work of overSeries; false means that appends came in between in a way that it has to be done again.
func (db *DB) commitSeries(tx *Tx, rebuilds []*rebuild, alone bool, commit func() error) (done bool, err error) {
	var locks lockSet
	if len(tx.windows) > 0 {
		locks.addAll() // any may be unpacked
	}
	for _, r := range rebuilds {
		locks.add(r.ref)
		if !alone {
			if err := r.prepareBeside(tx.ctx); err != nil {
				return false, err
			}
		}
	}
	db.head.lock(&locks)
	defer db.head.unlock(&locks)
	for _, r := range rebuilds {
		if alone {
			if err := r.prepareLocked(tx.ctx); err != nil {
				return false, err
			}
		}
		if ok, err := r.finish(); !ok || err != nil {
			return false, err
		}
	}
	db.visible.Lock()
	defer db.visible.Unlock()
	persisted, err := db.persistWindows(tx)
	if err != nil {
		return false, err
	}
	for _, r := range rebuilds {
		if err := tx.batch.Apply(r.wb, nil); err != nil {
			return false, err
		}
	}
	if err := db.expiring.noteBlocks(tx.batch); err != nil {
		return false, err
	}
	if err := commit(); err != nil {
		return false, err
	}
	for _, s := range persisted {
		s.firstSeq.Store(0)
	}
	for _, r := range rebuilds {
		r.install()
	}
	return true, nil
}

// persistWindows puts the records of the series whose back windows change into the transaction's batch. The caller holds all locks
// of series, and visible for writing.
func (db *DB) persistWindows(tx *Tx) (done []*series, err error) {
	if len(tx.windows) == 0 {
		return nil, nil
	}
	err = db.head.each(func(ref Ref) error {
		s := db.head.get(ref)
		if p := db.head.packed(ref); p != nil && slices.Contains(tx.windows, p.meta.policy) {
			s = db.head.unpack(ref)
		}
		if s == nil || s.gone || s.firstSeq.Load() == 0 || s.all || !slices.Contains(tx.windows, s.meta.policy) {
			return nil
		}
		done = append(done, s)
		return tx.batch.Set(seriesKey(nil, ref), s.appendRecord(nil, s.sealed, s.carry, s.ends, s.seams, &s.tail, s.notes, s.late), nil)
	})
	return done, err
}
