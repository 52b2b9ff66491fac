package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/encoding"
)

// Finding is a damaged place that Check found.
type Finding struct {
	Key      []byte // nil: it is in the log, Err says where
	Metric   UUID   // zero if it belongs to no metric
	From, To int64  // time range of what cannot be read, nanoseconds since the Unix epoch; both 0 if unknown
	Err      error
}

// CheckSummary counts what Check read.
type CheckSummary struct {
	Keys, Bytes    int64 // Bytes also counts log records
	LogRecords     int64
	Blocks, Points int64 // blocks, and the rows in them
	Findings       int
}

// Check reads and verifies every byte of the database in dir, which must not be open, and reports each damaged place to
// report. The error says that checking itself could not go on, not that something was found.
func Check(dir string, o *Options, report func(Finding)) (CheckSummary, error) {
	var sum CheckSummary
	db, err := openForReading(dir, o)
	if err != nil {
		return sum, err
	}
	defer db.closeReading()
	found := func(f Finding) {
		sum.Findings++
		report(f)
	}
	// Tables first: Pebble verifies each of its blocks as it is read, and an error ends an iteration, so the walk goes on
	// behind the key it could not read.
	it, err := db.p.NewIter(nil)
	if err != nil {
		return sum, err
	}
	defer it.Close()
	var at []byte
	for ok := it.First(); ; {
		for ; ok; ok = it.Next() {
			at = append(at[:0], it.Key()...)
			v, err := it.ValueAndErr()
			if err != nil {
				found(Finding{Key: append([]byte(nil), at...), Err: err})
				continue
			}
			sum.Keys++
			sum.Bytes += int64(len(at) + len(v))
			db.checkValue(at, v, &sum, found)
		}
		if it.Error() == nil {
			break
		}
		found(Finding{Key: append([]byte(nil), at...), Err: fmt.Errorf("after this key: %w", it.Error())})
		next := append(append([]byte(nil), at...), 0)
		if ok = it.SeekGE(next); !ok {
			break
		}
	}
	return sum, db.checkLog(&sum, found)
}

// checkLog decodes the records of the log.
func (db *DB) checkLog(sum *CheckSummary, found func(Finding)) error {
	log := logReader{fs: db.opts.FS, dir: db.dir}
	return db.eachLog(&log, func(at logPlace, payload []byte) error {
		sum.LogRecords++
		sum.Bytes += int64(len(payload))
		_, fields, err := openLogRecord(payload)
		if err == nil {
			_, _, err = decodeLogRows(nil, nil, fields)
		}
		if err != nil {
			found(Finding{Err: log.corrupt(at, err)})
		}
		return nil
	}, func(err error) { found(Finding{Err: err}) })
}

// eachLog calls fn for the sample records of all files of the log, and damaged for a file that cannot be read to its end.
func (db *DB) eachLog(log *logReader, fn func(at logPlace, payload []byte) error, damaged func(error)) error {
	nums, err := listLogs(log.fs, log.dir)
	if err != nil {
		return err
	}
	for _, num := range nums {
		var c *CorruptError
		if err := log.each(num, fn); errors.As(err, &c) {
			damaged(err)
			log.torn = nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// checkValue decodes a value whole.
func (db *DB) checkValue(key, v []byte, sum *CheckSummary, found func(Finding)) {
	f := Finding{Key: append([]byte(nil), key...)}
	switch key[0] {
	case keySeries:
		if len(key) != 5 {
			f.Err = fmt.Errorf("%w: series key", ErrCorrupt)
			break
		}
		s := &series{}
		if f.Err = s.decodeRecord(v); f.Err == nil && !(s.tail.restore() && s.notes.restore()) {
			f.Err = fmt.Errorf("%w: tail of series record", ErrCorrupt)
		}
		f.Metric = db.idOf(Ref(beUint32(key[1:])))
	case keyRaw, keyAgg:
		k, ok := parseBlockKey(key)
		if !ok || len(v) == 0 {
			f.Err = fmt.Errorf("%w: block key or empty block", ErrCorrupt)
			break
		}
		f.Metric, f.From, f.To = db.idOf(k.ref), int64(k.partition)*span(k.width), k.end
		var rows int
		if rows, f.Err = checkBlock(k, v); f.Err == nil {
			sum.Blocks++
			sum.Points += int64(rows)
		}
	case keyNames:
		k, ok := parseBlockKey(key)
		if !ok {
			f.Err = fmt.Errorf("%w: key of names", ErrCorrupt)
			break
		}
		f.Metric, f.From, f.To = db.idOf(k.ref), k.end, k.end
		if _, err := decodeNames(v); err != nil {
			f.Err = corruptRecord(key, err)
		}
	case keyMeta:
		switch {
		case bytes.Equal(key, seqKey):
			_, f.Err = decodeTrimmed(v)
		case len(key) > 1 && key[1] == metaCold:
			_, f.Err = decodeCold(v)
		default:
			f.Err = db.cat.checkRecord(key, v)
		}
	case keyEvent, keyEventID, keyEventTime, keyEventDay, keyEventUse, keyEventName, keyEventNameOf, keyEventRaw, keyEventIndex:
		f.From, f.To, f.Err = db.events.check(key, v)
	default:
		f.Err = db.cat.checkRecord(key, v)
	}
	if f.Err != nil {
		found(f)
	}
}

// checkBlock decodes every column of a block and returns its number of rows.
func checkBlock(k blockKey, v []byte) (int, error) {
	if v[0] == blockDerived {
		n, _, err := decodeDerived(v, k)
		return n, err
	}
	b, err := parseColumns(k, v)
	if err != nil {
		return 0, err
	}
	ts, err := b.AppendTimes(nil, 0, b.Len())
	if err != nil {
		return 0, err
	}
	for i := 1; i < len(ts); i++ {
		if ts[i] < ts[i-1] || ts[i] == ts[i-1] && k.kind == keyAgg {
			return 0, fmt.Errorf("%w: times do not increase", ErrCorrupt)
		}
	}
	if last := ts[len(ts)-1]; last != k.end {
		return 0, fmt.Errorf("%w: block ends at %d, its key says %d", ErrCorrupt, last, k.end)
	}
	for c := range b.Columns() {
		if _, err := b.AppendValues(nil, c, 0, b.Len()); err != nil {
			return 0, err
		}
		if _, _, err := b.AppendPresent(nil, c, 0, b.Len()); err != nil {
			return 0, err
		}
	}
	return b.Len(), nil
}

func (db *DB) idOf(ref Ref) UUID {
	if m, err := db.cat.metricState(ref); err == nil {
		return m.id
	}
	return UUID{}
}

// openForReading opens a database that is not served: nothing is replayed or written.
func openForReading(dir string, o *Options) (*DB, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	db := &DB{dir: dir, opts: opts}
	db.fault.log = opts.Logger
	po := db.storeOptions(opts.FS)
	po.ReadOnly, po.ErrorIfNotExists = true, true
	if db.p, err = pebble.Open(dir, po); err != nil {
		return nil, lockedError(dir, err)
	}
	if db.cat, err = openCatalogue(db.p, &db.opts); err == nil {
		err = db.events.open(db.p, db.opts.MemoryBytes/32)
	}
	if err != nil {
		return nil, errors.Join(err, db.p.Close())
	}
	return db, nil
}

func (db *DB) closeReading() { db.p.Close() }

// DumpOptions says what Dump prints.
type DumpOptions struct {
	Metric *UUID // only this metric's series record and blocks; nil: everything
	Values bool  // annotated bytes of the values, not the keys alone
}

// Dump prints the keys of a database that is not open, in order, and the records of its log, and on demand their values with a
// label for each field.
func Dump(w io.Writer, dir string, o *Options, d DumpOptions) error {
	db, err := openForReading(dir, o)
	if err != nil {
		return err
	}
	defer db.closeReading()
	it, err := db.p.NewIter(nil)
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if err := db.dumpKey(w, it.Key(), v, d); err != nil {
			return err
		}
	}
	if err := it.Error(); err != nil || d.Metric != nil {
		return err
	}
	return db.dumpLog(w, d)
}

func (db *DB) dumpLog(w io.Writer, d DumpOptions) error {
	log := logReader{fs: db.opts.FS, dir: db.dir}
	var damage error
	err := db.eachLog(&log, func(at logPlace, payload []byte) error {
		seq, _, err := openLogRecord(payload)
		if err != nil {
			return log.corrupt(at, err)
		}
		_, err = fmt.Fprintf(w, "log seq=%d file=%06d.log offset=%d (%d bytes)\n", seq, at.num, at.offset, len(payload))
		if err == nil && d.Values {
			_, err = fmt.Fprintf(w, "  %x\n", payload)
		}
		return err
	}, func(err error) { damage = err })
	return errors.Join(err, damage)
}

func (db *DB) dumpKey(w io.Writer, key, v []byte, d DumpOptions) error {
	var id UUID
	line := fmt.Sprintf("%x", key)
	switch k, isBlock := parseBlockKey(key); {
	case isBlock:
		id = db.idOf(k.ref)
		kind := map[byte]string{keyRaw: "raw", keyAgg: "aggregates", keyNames: "names"}[k.kind]
		line = fmt.Sprintf("%s width=%dns partition=%d metric=%v end=%s", kind, k.width, k.partition, id, formatNanos(k.end))
	case key[0] == keyEvent && len(key) == eventKeyLen:
		line = describeEvent(key, v)
	case key[0] == keySeries && len(key) == 5:
		id = db.idOf(Ref(beUint32(key[1:])))
		line = fmt.Sprintf("series metric=%v", id)
	}
	if d.Metric != nil && id != *d.Metric {
		return nil
	}
	if _, err := fmt.Fprintf(w, "%s (%d bytes)\n", line, len(v)); err != nil || !d.Values {
		return err
	}
	if (key[0] == keyRaw || key[0] == keyAgg) && len(v) > 0 && v[0] == blockColumns {
		return encoding.Describe(w, v[1:])
	}
	_, err := fmt.Fprintf(w, "  %x\n", v)
	return err
}
