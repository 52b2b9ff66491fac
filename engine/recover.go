package engine

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// replayRows is up to how many samples of the log are decoded before they are applied: enough that the series they are
// for can be read in the order of their keys.
const replayRows = 1 << 18

// replayRecord is a log record among the decoded rows.
type replayRecord struct {
	seq   uint64
	end   int // of its rows
	bytes int64
	at    logPlace
}

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

// replayer replays the log.
type replayer struct {
	db      *DB
	log     logReader
	trimmed uint64 // the records up to this one are contained in series records
	last    uint64 // highest number in the file
	app     appender
	rows    []row
	records []replayRecord
}

// recover replays the log records that series records and blocks do not contain yet.
func (db *DB) recover() error {
	r := &replayer{db: db, log: logReader{fs: db.opts.FS, dir: db.dir}}
	var err error
	if r.trimmed, err = readTrimmed(db.p); err != nil {
		return err
	}
	// Numbers go on upwards although trimmed records are gone: series records remember theirs and would take a lower one for contained.
	db.seq.Store(r.trimmed)
	nums := db.log.unread()
	for _, num := range nums {
		r.last = 0
		if err := r.log.each(num, r.record); err != nil {
			return err
		}
		db.log.read(num, r.last)
	}
	if err := r.replay(); err != nil {
		return err
	}
	if err := r.end(nums); err != nil {
		return err
	}
	db.log.recovering.Store(false)
	return db.dropTrimmed(r.trimmed)
}

// record takes a record, and replays if enough have come together.
func (r *replayer) record(at logPlace, payload []byte) error {
	seq, fields, err := openLogRecord(payload)
	if err != nil {
		return r.log.corrupt(at, err)
	}
	r.last = max(r.last, seq)
	if seq <= r.trimmed {
		return nil
	}
	if r.rows, r.app.notes, err = decodeLogRows(r.rows, r.app.notes, fields); err != nil {
		return r.log.corrupt(at, err)
	}
	r.records = append(r.records, replayRecord{seq, len(r.rows), int64(len(payload)), at})
	if len(r.rows) < replayRows {
		return nil
	}
	return r.replay()
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

// replay applies the records taken, one after the other, to the series that do not contain them yet.
func (r *replayer) replay() error {
	db, from := r.db, 0
	db.preload(r.rows)
	for _, rec := range r.records {
		if err := db.replayOne(&r.app, r.rows[from:rec.end], rec.seq); err != nil {
			return fmt.Errorf("tsdb: log record %d at byte %d of %s: %w", rec.seq, rec.at.offset, logPath(db.opts.FS, db.dir, rec.at.num), err)
		}
		from = rec.end
		db.seq.Store(max(rec.seq, db.seq.Load()))
		db.log.add(rec.seq, rec.bytes)
		if db.head.bytes.Load() > db.headBudget() {
			if err := db.relieve(); err != nil {
				return err
			}
		}
	}
	r.rows, r.records, r.app.notes = r.rows[:0], r.records[:0], r.app.notes[:0]
	return nil
}

func (db *DB) replayOne(a *appender, rows []row, seq uint64) error {
	a.series = a.series[:0]
	for i := range rows {
		if i > 0 && rows[i].ref == rows[i-1].ref {
			a.series = append(a.series, a.series[i-1])
			continue
		}
		s, err := db.load(rows[i].ref)
		switch {
		case errors.Is(err, ErrNotFound): // deleted after the record was written
			s = nil
		case err != nil:
			return err
		case s.seq >= seq:
			s = nil
		}
		a.series = append(a.series, s)
	}
	db.apply(a, rows, seq)
	return nil
}
