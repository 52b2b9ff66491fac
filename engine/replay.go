package engine

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// replayer replays the log: read decodes it by chunks, replay applies one.
type replayer struct {
	db      *DB
	log     logReader
	trimmed uint64 // the records up to this one are contained in series records
	rows    int    // of a chunk, about
	workers []replayWorker
	has     []atomic.Uint64 // by ref, for the first so many: the series contains the records up to this one

	full, free chan *replayChunk
	stop       chan struct{} // closed when nothing more is wanted
}

// replayWorker applies the rows of its share of the series.
type replayWorker struct {
	r     *replayer
	app   appender
	chunk *replayChunk
	rest  []uint64 // what is to be applied of the chunk, by ref and then as in the log
	spare []uint64
	bytes []byte      // what is to be appended to a tail
	dirty []dirtyItem // series that are so now
	err   error
}

// replayChunk is what was read of the log at once, and its rows by worker. A worker sorts them: those of one series, from many records,
// are applied one after the other, so that a series comes into the processor's cache once a chunk and not once a record.
type replayChunk struct {
	rows    []row
	notes   []note
	records []replayRecord
	record  []uint32   // of each row
	order   [][]uint64 // by worker: ref << 32 | index of the row
}

// replayRecord is a log record among the decoded rows.
type replayRecord struct {
	seq   uint64
	bytes int64
	at    logPlace
}

func (c *replayChunk) seq(key uint64) uint64 { return c.records[c.record[uint32(key)]].seq }

func refOf(key uint64) Ref { return Ref(key >> 32) }

// workerRun is how many neighbouring series are one worker's: their records are read in the order of their keys.
const workerRun = 8

func newReplayer(db *DB, trimmed uint64, logBytes int64) *replayer {
	r := &replayer{db: db, log: logReader{fs: db.opts.FS, dir: db.dir}, trimmed: trimmed,
		rows:    int(min(max(db.opts.MemoryBytes>>9, 1<<14), 1<<18)),
		workers: make([]replayWorker, runtime.GOMAXPROCS(0)),
		full:    make(chan *replayChunk), free: make(chan *replayChunk, 2), stop: make(chan struct{})}
	for w := range r.workers {
		r.workers[w].r = r
	}
	r.has = make([]atomic.Uint64, min(db.opts.MemoryBytes>>9, logBytes/4))
	n := int(min(int64(r.rows), logBytes/4)) + 1024 // growing by steps would take as long as decoding
	for range cap(r.free) {
		c := &replayChunk{rows: make([]row, 0, n), record: make([]uint32, 0, n), order: make([][]uint64, len(r.workers))}
		for w := range c.order {
			c.order[w] = make([]uint64, 0, n/len(c.order)*5/4)
		}
		r.free <- c
	}
	return r
}

// read decodes the files and hands over what they hold, in order.
func (r *replayer) read(nums []uint64) error {
	c := <-r.free
	for _, num := range nums {
		last := uint64(0)
		err := r.log.each(num, func(at logPlace, payload []byte) (err error) {
			seq, fields, err := openLogRecord(payload)
			if err != nil {
				return r.log.corrupt(at, err)
			}
			last = max(last, seq)
			if seq <= r.trimmed {
				return nil
			}
			if c.rows, c.notes, err = decodeLogRows(c.rows, c.notes, fields); err != nil {
				return r.log.corrupt(at, err)
			}
			r.share(c, seq)
			c.records = append(c.records, replayRecord{seq, int64(len(payload)), at})
			if max(len(c.rows), len(c.records), len(c.notes)) >= r.rows { // of records, all rows may have been forgotten
				c, err = r.hand(c)
			}
			return err
		})
		if err == errUnwanted {
			return nil
		}
		if err != nil {
			return err
		}
		r.db.log.read(num, last)
	}
	_, _ = r.hand(c)
	return nil
}

var errUnwanted = errors.New("replay stopped") // nobody sees it

// hand gives a chunk away and returns an empty one.
func (r *replayer) hand(c *replayChunk) (*replayChunk, error) {
	select {
	case r.full <- c:
	case <-r.stop:
		return c, errUnwanted
	}
	c = <-r.free
	c.rows, c.notes, c.records, c.record = c.rows[:0], c.notes[:0], c.records[:0], c.record[:0]
	for w := range c.order {
		c.order[w] = c.order[w][:0]
	}
	return c, nil
}

// share gives the rows of the record that comes next to the workers, and forgets those of series that are known to contain it: half of
// the log, when series are sealed one after the other.
func (r *replayer) share(c *replayChunk, seq uint64) {
	rec, workers, n := uint32(len(c.records)), Ref(len(c.order)), len(c.record)
	for _, row := range c.rows[n:] {
		if int(row.ref) < len(r.has) && seq <= r.has[row.ref].Load() {
			continue
		}
		c.rows[n] = row
		order := &c.order[row.ref/workerRun%workers]
		*order = append(*order, uint64(row.ref)<<32|uint64(n))
		c.record = append(c.record, rec)
		n++
	}
	c.rows = c.rows[:n]
}

// replay applies the records of a chunk to the series that do not contain them yet. Where there are more series than should be brought
// into memory at once it goes by slices of them.
func (r *replayer) replay(c *replayChunk) error {
	db := r.db
	for i := range c.records {
		rec := &c.records[i]
		db.seq.Store(max(rec.seq, db.seq.Load()))
		db.log.add(rec.seq, rec.bytes)
	}
	for first, more := true, true; more; first = false {
		var done sync.WaitGroup
		for i := range r.workers {
			done.Go(func() {
				if first {
					r.workers[i].begin(c, i)
				}
				r.workers[i].slice()
			})
		}
		done.Wait()
		var dirty []dirtyItem
		var errs []error
		more = false
		for i := range r.workers {
			w := &r.workers[i]
			dirty, errs = append(dirty, w.dirty...), append(errs, w.err)
			w.dirty = w.dirty[:0]
			more = more || len(w.rest) > 0
		}
		db.head.queue.merge(dirty)
		if err := errors.Join(errs...); err != nil {
			return err
		}
		if db.head.bytes.Load() > db.headBudget() {
			if err := db.relieve(); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin takes what is the i-th worker's of a chunk.
func (w *replayWorker) begin(c *replayChunk, i int) {
	n := len(c.order[i])
	w.spare = slices.Grow(w.spare[:0], n)[:n]
	w.chunk, w.app.notes, w.rest = c, c.notes, sortByRef(c.order[i], w.spare)
}

// slice applies the rows of some series.
func (w *replayWorker) slice() {
	db := w.r.db
	n := db.preload(w.rest, max(int(db.headBudget()/4/seriesBytes)/len(w.r.workers), 256))
	w.err = w.apply(w.rest[:n])
	w.rest = w.rest[n:]
}

// sortDigit is how many bits of the refs a pass of sortByRef looks at, at most: its counters should stay in the processor's cache.
const sortDigit = 12

// sortByRef sorts keys by ref, by their digits, which keeps their order otherwise. It uses and returns one of the slices, which are of one length.
func sortByRef(keys, spare []uint64) []uint64 {
	all := uint64(0)
	for _, k := range keys {
		all |= k >> 32
	}
	width := bits.Len64(all)
	passes := (width + sortDigit - 1) / sortDigit
	for pass := range passes {
		shift, end := 32+width*pass/passes, 32+width*(pass+1)/passes
		mask := uint64(1)<<(end-shift) - 1
		var at [1 << sortDigit]uint32
		for _, k := range keys {
			at[k>>shift&mask]++
		}
		sum := uint32(0)
		for i, n := range at[:mask+1] {
			at[i] = sum
			sum += n
		}
		for _, k := range keys {
			p := &at[k>>shift&mask]
			spare[*p] = k
			*p++
		}
		keys, spare = spare, keys
	}
	return keys
}

// apply applies rows.
func (w *replayWorker) apply(order []uint64) error {
	c, db := w.chunk, w.r.db
	for len(order) > 0 {
		ref, n := refOf(order[0]), 1
		for n < len(order) && refOf(order[n]) == ref {
			n++
		}
		s, err := db.load(ref)
		switch {
		case errors.Is(err, ErrNotFound): // deleted after the record was written
		case err != nil:
			rec := &c.records[c.record[uint32(order[0])]]
			return fmt.Errorf("tsdb: log record %d at byte %d of %s: %w", rec.seq, rec.at.offset, logPath(db.opts.FS, db.dir, rec.at.num), err)
		default:
			w.series(s, order[:n])
		}
		order = order[n:]
	}
	return nil
}

// series applies the rows of one series.
func (w *replayWorker) series(s *series, order []uint64) {
	c := w.chunk
	if c.seq(order[0]) <= s.seq {
		if int(s.ref) < len(w.r.has) {
			w.r.has[s.ref].Store(s.seq)
		}
		for len(order) > 0 && c.seq(order[0]) <= s.seq {
			order = order[1:]
		}
		if len(order) == 0 {
			return
		}
	}
	if s.firstSeq.Load() == 0 { // here, or DB.apply would push to the queue out of order
		s.firstSeq.Store(c.seq(order[0]))
		w.dirty = append(w.dirty, dirtyItem{s.ref, c.seq(order[0])})
	}
	if pl := s.plan(); (pl.hasRate || !pl.nested) && !pl.keepAll || !c.follow(s, order) {
		w.records(s, order)
		return
	}
	// Where DB.apply would have nothing to do but to append, records make no difference.
	mem := int64(cap(s.tail.buf)) + s.notes.memBytes()
	w.bytes = slices.Grow(w.bytes[:0], len(order)*maxSampleLen+8)
	aside := s.tail
	aside.buf = w.bytes
	for _, k := range order {
		row := &c.rows[uint32(k)]
		aside.append(row.t, row.value)
		if row.note != 0 || s.notes != nil {
			s.tail.n = aside.n // it counts them
			s.annotate(w.app.annotation(row))
		}
	}
	s.tail.take(&aside)
	s.maxT, s.seq, s.touched = s.tail.last.t, c.seq(order[len(order)-1]), true
	w.r.db.head.bytes.Add(int64(cap(s.tail.buf)) + s.notes.memBytes() - mem)
}

// records applies the rows of one series record by record, as they were applied when they came.
func (w *replayWorker) records(s *series, order []uint64) {
	a, c := &w.app, w.chunk
	for len(order) > 0 {
		rec, n := c.record[uint32(order[0])], 1
		for n < len(order) && c.record[uint32(order[n])] == rec {
			n++
		}
		a.batch, a.series = a.batch[:0], a.series[:0]
		for _, k := range order[:n] {
			a.batch = append(a.batch, c.rows[uint32(k)])
			a.series = append(a.series, s)
		}
		w.r.db.apply(a, a.batch, c.records[rec].seq)
		order = order[n:]
	}
}

// follow tells whether rows are all newer than what the series has, in order.
func (c *replayChunk) follow(s *series, order []uint64) bool {
	newest := s.maxT
	for _, k := range order {
		t := c.rows[uint32(k)].t
		if t <= newest && !(s.all && t == newest) {
			return false
		}
		newest = t
	}
	return true
}

// merge puts items into the queue that may belong before the newest ones of it.
func (q *dirtyQueue) merge(items []dirtyItem) {
	if len(items) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	bySeq := func(x, y dirtyItem) int { return cmp.Compare(x.seq, y.seq) }
	least := slices.MinFunc(items, bySeq).seq
	at := len(q.items)
	for at > q.first && q.items[at-1].seq > least {
		at--
	}
	q.items = append(q.items, items...)
	slices.SortStableFunc(q.items[at:], bySeq)
}
