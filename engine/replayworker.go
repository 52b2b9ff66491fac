package engine

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// replayWorker decodes a block of the log after the other, and then applies the rows of one bucket after the other.
type replayWorker struct {
	r      *replayer
	app    appender
	busy   bool         // there may be more of the chunk for it
	reader replayReader // of what follows of the bucket
	rows   []row        // a piece of the bucket
	record []uint32     // of each row
	rest   []uint64     // what is to be applied of the piece, by ref and then as in the log: replayWorker.key
	keys   []uint64
	spare  []uint64
	bytes  []byte      // what is to be appended to a tail
	grown  int64       // bytes that series take more, not yet counted
	dirty  []dirtyItem // series that are so now
	err    error
}

// replayPiece is how many rows a worker sorts at once, at most.
const replayPiece = 1 << 16

// key is what rows of a bucket are sorted by: what distinguishes its refs << 32 | index of the row.
func (w *replayWorker) key(ref Ref, i int) uint64 {
	run := w.r.run
	return uint64(ref>>run/replayBuckets<<run|ref&(1<<run-1))<<32 | uint64(i)
}

func (w *replayWorker) ref(key uint64) Ref { return w.rows[uint32(key)].ref }

func (w *replayWorker) seq(key uint64) uint64 { return w.r.chunk.records[w.record[uint32(key)]].seq }

// work applies rows of the chunk until there are no more or memory runs over.
func (w *replayWorker) work() {
	db := w.r.db
	if !w.busy {
		w.busy, w.app.notes = true, w.r.chunk.notes
	}
	for first := true; w.err == nil && (first || db.head.bytes.Load() <= db.headBudget()); first = false {
		if len(w.rest) == 0 && !w.piece() {
			w.busy = false
			return
		}
		w.slice()
	}
}

// piece takes further rows, of the next bucket if need be, and sorts them; false if there are none.
func (w *replayWorker) piece() bool {
	c := &w.r.chunk
	for !w.reader.turn() {
		bucket := int(c.taken.Add(1)) - 1
		if bucket >= replayBuckets {
			return false
		}
		w.reader = replayReader{blocks: c.blocks, bucket: bucket}
	}
	w.rows, w.record = w.reader.read(w.rows, w.record, replayPiece)
	n := len(w.rows)
	w.keys, w.spare = slices.Grow(w.keys[:0], n)[:n], slices.Grow(w.spare[:0], n)[:n]
	for i := range w.rows {
		w.keys[i] = w.key(w.rows[i].ref, i)
	}
	w.rest = sortByRef(w.keys, w.spare)
	return true
}

// slice applies the rows of some series.
func (w *replayWorker) slice() {
	db := w.r.db
	n := w.preload(max(int(db.headBudget()/4/seriesBytes)/len(w.r.workers), 256))
	w.err = w.apply(w.rest[:n])
	w.rest = w.rest[n:]
	db.head.bytes.Add(w.grown)
	w.grown = 0
}

// preload brings up to most series of the rows that follow into memory, in the order of their keys: one by one as they
// come in the log, a million series took twenty seconds. It returns how many of the rows are of series that are there or were brought.
func (w *replayWorker) preload(most int) int {
	db, last := w.r.db, ^uint64(0)
	var refs []Ref
	n := 0
	for ; n < len(w.rest); n++ {
		key := w.rest[n]
		if key>>32 == last {
			continue
		}
		last = key >> 32
		if ref := w.ref(key); !db.head.holds(ref) {
			if len(refs) == most {
				break
			}
			refs = append(refs, ref)
		}
	}
	db.preloadPart(refs, db.headBudget()*5/4)
	return n
}

// apply applies rows.
func (w *replayWorker) apply(order []uint64) error {
	c, db := &w.r.chunk, w.r.db
	for len(order) > 0 {
		ref, n := w.ref(order[0]), 1
		for n < len(order) && order[n]>>32 == order[0]>>32 {
			n++
		}
		s, err := db.load(ref)
		switch {
		case errors.Is(err, ErrNotFound): // deleted after the record was written
		case err != nil:
			rec := &c.records[w.record[uint32(order[0])]]
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
	if w.seq(order[0]) <= s.seq {
		if int(s.ref) < len(w.r.has) {
			w.r.has[s.ref] = s.seq
		}
		for len(order) > 0 && w.seq(order[0]) <= s.seq {
			order = order[1:]
		}
		if len(order) == 0 {
			return
		}
	}
	if s.firstSeq.Load() == 0 { // here, or DB.apply would push to the queue out of order
		s.firstSeq.Store(w.seq(order[0]))
		w.dirty = append(w.dirty, dirtyItem{s.ref, w.seq(order[0])})
	}
	if pl := s.plan(); (pl.hasRate || !pl.nested) && !pl.keepAll || !w.follow(s, order) {
		w.records(s, order)
		return
	}
	// Where DB.apply would have nothing to do but to append, records make no difference.
	mem := int64(cap(s.tail.buf)) + s.notes.memBytes()
	w.bytes = slices.Grow(w.bytes[:0], len(order)*maxSampleLen+8)
	aside := s.tail
	aside.buf = w.bytes
	for _, k := range order {
		row := &w.rows[uint32(k)]
		aside.append(row.t, row.value)
		if row.note != 0 || s.notes != nil {
			s.tail.n = aside.n // it counts them
			s.annotate(w.app.annotation(row))
		}
	}
	s.tail.take(&aside, len(aside.buf)*w.r.ahead)
	s.maxT, s.seq, s.touched = s.tail.last.t, w.seq(order[len(order)-1]), true
	w.grown += int64(cap(s.tail.buf)) + s.notes.memBytes() - mem
}

// records applies the rows of one series record by record, as they were applied when they came.
func (w *replayWorker) records(s *series, order []uint64) {
	a, c := &w.app, &w.r.chunk
	for len(order) > 0 {
		rec, n := w.record[uint32(order[0])], 1
		for n < len(order) && w.record[uint32(order[n])] == rec {
			n++
		}
		a.batch, a.series = a.batch[:0], a.series[:0]
		for _, k := range order[:n] {
			a.batch = append(a.batch, w.rows[uint32(k)])
			a.series = append(a.series, s)
		}
		w.r.db.apply(a, a.batch, c.records[rec].seq)
		order = order[n:]
	}
}

// follow tells whether rows are all newer than what the series has, in order.
func (w *replayWorker) follow(s *series, order []uint64) bool {
	newest := s.maxT
	for _, k := range order {
		t := w.rows[uint32(k)].t
		if t <= newest && !(s.all && t == newest) {
			return false
		}
		newest = t
	}
	return true
}

// merge puts items, in any order, into the queue. They may belong before the newest ones of it.
func (q *dirtyQueue) merge(items []dirtyItem) {
	if len(items) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	slices.SortFunc(items, func(x, y dirtyItem) int { return cmp.Compare(x.seq, y.seq) })
	at := len(q.items)
	for at > q.first && q.items[at-1].seq > items[0].seq {
		at--
	}
	later := slices.Clone(q.items[at:])
	q.items = q.items[:at]
	for _, it := range items {
		n := 0
		for n < len(later) && later[n].seq <= it.seq {
			n++
		}
		q.items = append(append(q.items, later[:n]...), it)
		later = later[n:]
	}
	q.items = append(q.items, later...)
}
