package engine

import "slices"

// overWindows runs commit, which commits and publishes a transaction. If that changes back windows, the series concerned
// are persisted in the same batch: replaying their log records under another window would come to another state, and
// might drop as late what was accepted.
func (db *DB) overWindows(tx *Tx, commit func() error) error {
	if len(tx.windows) == 0 {
		return commit()
	}
	if err := db.checkpoint(sealNothing); err != nil { // most of the work, without holding anybody up
		return err
	}
	db.visible.Lock()
	defer db.visible.Unlock()
	var done []*series
	err := db.head.each(func(ref Ref) error {
		s := db.head.get(ref)
		if s == nil || s.gone || s.firstSeq.Load() == 0 || s.all || !slices.Contains(tx.windows, s.meta.policy) {
			return nil
		}
		done = append(done, s)
		return tx.batch.Set(seriesKey(nil, ref), s.appendRecord(nil, s.sealed, s.carry, s.ends, s.seams, &s.tail, s.notes, s.late), nil)
	})
	if err != nil {
		return err
	}
	if err := commit(); err != nil {
		return err
	}
	for _, s := range done {
		s.firstSeq.Store(0)
	}
	return nil
}
