package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

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
}

// recover replays the log records that series records and blocks do not contain yet.
func (db *DB) recover() error {
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyLog}, UpperBound: []byte{keyLog + 1}})
	if err != nil {
		return fmt.Errorf("tsdb: reading the log: %w", err)
	}
	defer it.Close()
	a := new(appender)
	var rows []row
	var records []replayRecord
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("tsdb: reading the log: %w", err)
		}
		if len(it.Key()) != 9 {
			return &CorruptError{Key: append([]byte(nil), it.Key()...), Err: fmt.Errorf("%w: log key", ErrCorrupt)}
		}
		seq := binary.BigEndian.Uint64(it.Key()[1:])
		if db.log.first == 0 {
			db.log.first = seq
		}
		if rows, err = decodeLogRecord(rows, v); err != nil {
			return fmt.Errorf("tsdb: log record %d: %w", seq, &CorruptError{Key: logKey(nil, seq), Err: err})
		}
		records = append(records, replayRecord{seq, len(rows), int64(len(v))})
		if len(rows) >= replayRows {
			if err := db.replay(a, rows, records); err != nil {
				return err
			}
			rows, records = rows[:0], records[:0]
		}
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("tsdb: reading the log: %w", err)
	}
	if err := db.replay(a, rows, records); err != nil {
		return err
	}
	return db.restoreSeq()
}

// replay applies records, one after the other, to the series that do not contain them yet.
func (db *DB) replay(a *appender, rows []row, records []replayRecord) error {
	db.preload(rows)
	from := 0
	for _, rec := range records {
		if err := db.replayOne(a, rows[from:rec.end], rec.seq); err != nil {
			return fmt.Errorf("tsdb: log record %d: %w", rec.seq, err)
		}
		from = rec.end
		db.seq.Store(rec.seq)
		db.log.add(rec.seq, rec.bytes)
		if db.head.bytes.Load() > db.headBudget() {
			if err := db.relieve(); err != nil {
				return err
			}
		}
	}
	return nil
}

// preload brings the series of the rows into memory, in the order of their keys and on all processors: one by one as they
// come in the log, a million series took twenty seconds. Errors are left to replayOne, which meets them again.
func (db *DB) preload(rows []row) {
	var refs []Ref
	for i := range rows {
		if (i == 0 || rows[i].ref != rows[i-1].ref) && db.head.get(rows[i].ref) == nil {
			refs = append(refs, rows[i].ref)
		}
	}
	slices.Sort(refs)
	refs = slices.Compact(refs)
	// What there is no room for is read when its turn comes.
	refs = refs[:min(len(refs), int(max(0, db.headBudget()-db.head.bytes.Load())/(2*seriesBytes)))]
	workers := runtime.GOMAXPROCS(0)
	var done sync.WaitGroup
	for w := range workers {
		part := refs[len(refs)*w/workers : len(refs)*(w+1)/workers]
		done.Go(func() {
			for _, ref := range part {
				_, _ = db.load(ref)
			}
		})
	}
	done.Wait()
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

// restoreSeq makes sure that record numbers go on upwards although trimmed records are gone: series records remember
// theirs and would take a lower one for contained.
func (db *DB) restoreSeq() error {
	var n uint64
	found, err := getRecord(db.p, seqKey, func(rec []byte) (err error) {
		n, err = decodeTrimmed(rec)
		return err
	})
	if err != nil || !found {
		return err
	}
	db.seq.Store(max(n, db.seq.Load()))
	if db.log.first == 0 {
		db.log.first = db.seq.Load() + 1
	}
	return nil
}
