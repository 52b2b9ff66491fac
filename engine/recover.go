package engine

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// findLogs lists the files of the log before Pebble is opened, which goes on in a new one and asks for the removal of these.
func (db *DB) findLogs() error {
	nums, err := listLogs(db.opts.FS, db.dir)
	if err != nil {
		return err
	}
	db.log.recovering.Store(true)
	for _, num := range nums {
		info, err := db.opts.FS.Stat(logPath(db.opts.FS, db.dir, num))
		if err != nil {
			return fmt.Errorf("tsdb: %w", err)
		}
		db.log.found(num, info.Size())
	}
	return nil
}

// recover replays the log records that series records and blocks do not contain yet.
func (db *DB) recover() error {
	trimmed, err := readTrimmed(db.p)
	if err != nil {
		return err
	}
	// Numbers go on upwards although trimmed records are gone: series records remember theirs and would take a lower one for contained.
	db.seq.Store(trimmed)
	nums, logBytes := db.log.unread()
	r := newReplayer(db, trimmed, logBytes)
	if err := r.replay(nums); err != nil {
		return err
	}
	if err := r.end(nums); err != nil {
		return err
	}
	db.log.recovering.Store(false)
	return db.dropTrimmed(trimmed)
}

// end prepares for records of this process: those read must be as durable as these will be, and a file that breaks off must not look
// damaged when it is not the last one any more.
func (r *replayer) end(nums []uint64) error {
	for i, num := range nums {
		torn := int64(-1)
		for _, at := range r.log.torn {
			if at.num == num {
				torn = at.offset
			}
		}
		if torn < 0 && i < len(nums)-1 {
			continue
		}
		if err := endLog(r.db.opts.FS, r.db.dir, num, torn); err != nil {
			return err
		}
	}
	return nil
}

// readTrimmed returns the number of the newest record that was trimmed.
func readTrimmed(p pebble.Reader) (seq uint64, err error) {
	_, err = getRecord(p, seqKey, func(rec []byte) (err error) {
		seq, err = decodeTrimmed(rec)
		return err
	})
	return seq, err
}
