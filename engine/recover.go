package engine

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// recover replays the log records that series records and blocks do not contain yet.
func (db *DB) recover() error {
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyLog}, UpperBound: []byte{keyLog + 1}})
	if err != nil {
		return fmt.Errorf("tsdb: reading the log: %w", err)
	}
	defer it.Close()
	a := new(appender)
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
		if err := db.replay(a, seq, v); err != nil {
			return fmt.Errorf("tsdb: log record %d: %w", seq, err)
		}
		db.seq.Store(seq)
		db.log.add(seq, int64(len(v)))
		if db.head.bytes.Load() > db.headBudget() {
			if err := db.relieve(); err != nil {
				return err
			}
		}
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("tsdb: reading the log: %w", err)
	}
	return db.restoreSeq()
}

// replay applies one record to the series that do not contain it yet.
func (db *DB) replay(a *appender, seq uint64, v []byte) error {
	var err error
	if a.rows, err = decodeLogRecord(a.rows[:0], v); err != nil {
		return &CorruptError{Key: logKey(nil, seq), Err: err}
	}
	rows := a.rows
	a.rows = nil // merge uses it
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
	a.rows = rows
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
