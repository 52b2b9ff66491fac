package engine

import (
	"cmp"
	"context"
	"fmt"
	"hash/crc32"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/telemetrydb/tsdb/rollup"
)

// Batch collects samples of any number of metrics for one Append. The zero value is ready; Reset allows reuse.
// What one Append brings for a metric is one batch in the sense of Gnocchi's processing (late and equal timestamps).
// A Batch serves one goroutine at a time.
type Batch struct {
	// WantSeqs makes Append set Seqs: for each sample, in the order in which they were added, its place among those of its metric and
	// instant (see SampleIDs.Make), or NoSeq. It costs next to nothing for samples newer than all of their metric.
	WantSeqs bool
	Seqs     []uint32

	rows  []row
	notes []note
	mark  mark
	names []string // of the first rows; the others have none
}

// Add adds one sample: t in nanoseconds since the Unix epoch.
func (b *Batch) Add(m Ref, t int64, v float64) {
	b.rows = append(b.rows, row{ref: m, t: t, value: v})
}

// AddSample is Add with what is known beside: the context, 0 for none, and when the sample arrived, in nanoseconds since the Unix epoch, of
// which milliseconds are kept; 0 stands for the sample's own time.
func (b *Batch) AddSample(m Ref, t int64, v float64, c ContextRef, arrival int64) {
	n := note{c, arrival - arrival%nanosPerMilli}
	if n == (note{}) {
		b.Add(m, t, v)
		return
	}
	if k := len(b.notes); k == 0 || b.notes[k-1] != n {
		b.notes = append(b.notes, n)
	}
	b.rows = append(b.rows, row{ref: m, note: uint32(len(b.notes)), t: t, value: v})
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.rows, b.notes, b.Seqs, b.mark, b.names = b.rows[:0], b.notes[:0], b.Seqs[:0], mark{}, b.names[:0]
}

// Len is the number of samples.
func (b *Batch) Len() int { return len(b.rows) }

// AppendResult counts what became of the samples of a batch.
type AppendResult struct {
	Accepted  int // stored; visible in every granularity
	Late      int // dropped: older than the back window allows
	Duplicate int // of the same metric and time as another one, stored or of the same batch; one of them was kept
	Refused   int // broke a rule (time before the epoch); then nothing of the batch was stored and Append returned an error
}

// appender is the scratch space of one Append.
type appender struct {
	record  []byte    // for the log, without its number
	sum     uint32    // its checksum
	series  []*series // of each row
	absent  []Ref     // whose series are not in memory
	touched []touchedSeries
	ts      []int64
	vs      []float64
	rows    []row
	batch   []row  // of a record that is replayed
	notes   []note // that rows refer to
	noted   []annotation
	counts  map[sampleAt]uint32
	warm    int64 // keeps the loads of fetch
}

// touchedSeries is a series that a batch brings samples for, with its state before the batch.
type touchedSeries struct {
	s      *series
	n      int
	bufLen int
	last   sampleState
	maxT   int64
	bufCap int
	notes  int64 // their bytes
	slow   bool  // its rows are not all newer than what is stored, in order
	want   bool  // its tail has become long enough to seal
}

var appenders = sync.Pool{New: func() any { return new(appender) }}

// Append stores the batch: all of it or, on an error, none. When it returns without error the samples are durable
// (see Options.Sync) and visible in every granularity; they may be visible a moment before. The batch may be reused
// after. Concurrent Appends share syncs. The context is looked at before anything is stored.
//
// ErrInvalid, ErrNotFound (unknown Ref), ErrFull, ErrReadOnly, ErrClosed.
func (db *DB) Append(ctx context.Context, b *Batch) (AppendResult, error) {
	if err := ctx.Err(); err != nil {
		return AppendResult{}, err
	}
	if res, err := b.check(); err != nil || len(b.rows) == 0 {
		return res, err
	}
	if err := db.begin(); err != nil {
		return AppendResult{}, err
	}
	defer db.end()
	if err := db.room(); err != nil {
		return AppendResult{}, err
	}
	a := appenders.Get().(*appender)
	defer a.release()
	a.notes = b.notes
	if len(b.notes) > 0 {
		if err := db.checkContexts(b.notes); err != nil {
			return AppendResult{}, err
		}
		if err := db.noteUses(b.rows, b.notes); err != nil {
			return AppendResult{}, err
		}
	}
	a.record = appendLogBatch(a.record[:0], b.rows, b.notes)
	a.sum = crc32.Checksum(a.record, castagnoli)
	wb := db.p.NewBatchWithSize(len(a.record) + 64)
	res, err := db.store(a, b, wb)
	if err != nil {
		wb.Close()
		return AppendResult{}, err
	}
	if err := db.wait(wb); err != nil {
		return AppendResult{}, err
	}
	db.stats.count(res)
	db.pressure(a.touched)
	db.revive(b.rows)
	return res, nil
}

// maxSampleTime is the start of the year 2262: nanoseconds since the epoch end soon after it.
const maxSampleTime = 9_214_646_400_000_000_000

// annotation is what the batch says about a row.
func (a *appender) annotation(r *row) annotation {
	if r.note == 0 {
		return annotation{}
	}
	return a.notes[r.note-1].of(r.t)
}

// check refuses what no metric may hold.
func (b *Batch) check() (AppendResult, error) {
	refused, first := 0, int64(0)
	for i := range b.rows {
		if t := b.rows[i].t; t < 0 || t >= maxSampleTime {
			if refused == 0 {
				first = t
			}
			refused++
		}
	}
	if refused == 0 {
		return AppendResult{}, nil
	}
	return AppendResult{Refused: refused}, &Error{Kind: KindSample, Name: fmt.Sprint(first), Err: ErrInvalid,
		Detail: fmt.Sprintf("%d of %d timestamps (ns) lie before 1970 or after 2261; nothing was stored", refused, len(b.rows))}
}

// store logs the rows and applies them to the head, in one order for each series.
func (db *DB) store(a *appender, b *Batch, wb *writeBatch) (res AppendResult, err error) {
	rows := b.rows
	var locks lockSet
	for i := range rows {
		locks.add(rows[i].ref)
	}
	db.head.lock(&locks)
	defer db.head.unlock(&locks)
	db.visible.RLock()
	defer db.visible.RUnlock()
	if err := db.resolve(a, rows); err != nil {
		return res, err
	}
	var n *naming
	if len(b.names) > 0 {
		if n, err = db.named(a, b); err != nil {
			return res, err
		}
		if rows = n.kept; len(n.twice) > 0 {
			a.record = appendLogBatch(a.record[:0], rows, b.notes)
			a.sum = crc32.Checksum(a.record, castagnoli)
		}
	}
	if b.WantSeqs || n != nil {
		a.fetch()
		if b.Seqs, err = db.number(a, rows, b.Seqs[:0]); err != nil {
			return res, err
		}
	}
	if n != nil {
		if err := n.place(db, a, b, b.Seqs); err != nil {
			return res, err
		}
	}
	seq := db.seq.Add(1)
	a.record = endLogRecord(a.record, a.sum, seq)
	if err := wb.LogData(a.record, nil); err != nil {
		return res, err
	}
	if err := b.mark.set(wb); err != nil { // behind the record: see logData
		return res, err
	}
	if err := n.set(db, wb); err != nil {
		return res, err
	}
	if err := db.commit(wb); err != nil {
		return res, err
	}
	db.log.add(seq, int64(len(a.record)))
	if db.lazy == nil && len(rows) >= manyRows {
		db.makeWay(runtime.Gosched)
	}
	if !b.WantSeqs && n == nil {
		a.fetch()
	}
	res = db.apply(a, rows, seq)
	res.Duplicate += len(b.rows) - len(rows)
	return res, nil
}

// resolve finds the series of each row.
func (db *DB) resolve(a *appender, rows []row) error {
	a.series = slices.Grow(a.series[:0], len(rows))[:len(rows)]
	a.absent = a.absent[:0]
	for i := range rows {
		if i > 0 && rows[i].ref == rows[i-1].ref {
			a.series[i] = a.series[i-1]
			continue
		}
		s := db.head.get(rows[i].ref)
		if s == nil {
			s = db.head.unpack(rows[i].ref)
		}
		a.series[i] = s
		if s == nil {
			a.absent = append(a.absent, rows[i].ref)
		}
	}
	if len(a.absent) == 0 {
		return nil
	}
	return db.resolveAbsent(a, rows)
}

// fetch looks at the newest sample of each row's series and the end of its tail although it has no use for them: these loads do not
// wait for one another, those of apply do, and a batch of a thousand series would pay for a thousand cache misses in a row.
func (a *appender) fetch() {
	for _, s := range a.series {
		a.warm ^= s.maxT ^ int64(s.tail.n) // its two lines
		if n := len(s.tail.buf); n > 0 {
			a.warm ^= int64(s.tail.buf[n-1])
		}
	}
}

// resolveAbsent reads the series of rows that are not in memory.
func (db *DB) resolveAbsent(a *appender, rows []row) (err error) {
	if len(a.absent) >= 16 {
		slices.Sort(a.absent)
		db.preloadPart(slices.Compact(a.absent), db.headBudget()*5/4)
	}
	for i := range rows {
		if a.series[i] != nil {
			continue
		}
		if a.series[i], err = db.load(rows[i].ref); err != nil {
			return err
		}
	}
	return nil
}

// apply puts logged rows into the head. It decides by the stored state and the rows alone, so that recovery, which
// applies the same rows to the same states, comes to the same end.
func (db *DB) apply(a *appender, rows []row, seq uint64) (res AppendResult) {
	a.touched = a.touched[:0]
	slow := false
	for i := range rows {
		r, s := &rows[i], a.series[i]
		if s.seq != seq { // its first row
			s.seq, s.markIndex = seq, int32(len(a.touched))
			a.touched = append(a.touched, touchedSeries{s: s, n: s.tail.n, bufLen: len(s.tail.buf), last: s.tail.last,
				maxT: s.maxT, bufCap: cap(s.tail.buf), notes: s.notes.memBytes()})
		}
		if r.t <= s.maxT && !(s.all && r.t == s.maxT) {
			a.touched[s.markIndex].slow, slow = true, true
			s.maxT = math.MaxInt64 // the rest of its rows is for the slow way too
			continue
		}
		s.tail.append(r.t, r.value)
		s.maxT = r.t
		if r.note != 0 || s.notes != nil {
			s.annotate(a.annotation(r))
		}
	}
	res.Accepted = len(rows)
	grown := int64(0)
	for i := range a.touched {
		t := &a.touched[i]
		s, mem := t.s, int64(0)
		if pl := s.plan(); slow && t.slow {
			mem -= s.restBytes()
			s.maxT, s.groups = t.maxT, nil
			db.merge(a, t, rows, pl, &res)
			mem += s.restBytes()
		} else if (pl.hasRate || !pl.nested) && !pl.keepAll {
			mem -= s.restBytes()
			s.seamAhead(pl, t)
			mem += s.restBytes()
		}
		if (t.maxT == noTime || t.slow) && s.plan().raw != 0 {
			db.oldest.note(s.oldestUnsealed())
		}
		s.touched = true
		if s.firstSeq.Load() == 0 {
			s.firstSeq.Store(seq)
			db.head.queue.push(s, seq)
		}
		t.want = s.tail.n >= int(s.sealAt) && t.n < int(s.sealAt) || t.slow && len(s.late) >= maxLate
		grown += mem + int64(cap(s.tail.buf)-t.bufCap) + s.notes.memBytes() - t.notes
	}
	if grown != 0 {
		db.head.bytes.Add(grown) // once: other goroutines want it too
	}
	return res
}

// merge takes rows of one series that are not all newer than what is stored (Gnocchi v1, order and duplicates).
func (db *DB) merge(a *appender, t *touchedSeries, rows []row, pl *plan, res *AppendResult) {
	s := t.s
	s.tail.n, s.tail.buf, s.tail.last = t.n, s.tail.buf[:t.bufLen:t.bufLen], t.last
	s.notes = s.notes.first(t.n)
	a.rows = a.rows[:0]
	for i := range rows {
		if a.series[i] == s {
			a.rows = append(a.rows, rows[i])
		}
	}
	if pl.keepAll {
		s.mergeAll(a, pl, res)
		return
	}
	// Of equal times within a batch the smallest value is kept; NaN is greater than all.
	slices.SortStableFunc(a.rows, func(x, y row) int {
		return cmp.Or(cmp.Compare(x.t, y.t), compareNaNLast(x.value, y.value))
	})
	oldestNew := a.rows[0].t
	low := int64(noTime)
	if s.maxT != noTime {
		low = pl.floor(s.maxT)
		if s.sealed != noTime {
			low = max(low, pl.tailStart(s.sealed)) // differs only after the back window grew
		}
	}
	fresh := a.rows[sortedFrom(a.rows, max(low, s.sealed)):] // groups of other widths may end between the two
	late := len(a.rows) - len(fresh)
	res.Late += late
	res.Accepted -= late
	accepted := len(fresh)
	fresh = slices.CompactFunc(fresh, func(x, y row) bool { return x.t == y.t })
	res.Duplicate += accepted - len(fresh)
	if len(fresh) == 0 && !pl.hasRate && pl.nested {
		return
	}
	var ok bool
	if a.ts, a.vs, ok = s.tail.appendTo(a.ts[:0], a.vs[:0]); !ok {
		panic("tsdb: tail does not decode") // written by this process or checked when it was loaded
	}
	if len(fresh) > 0 {
		res.Duplicate += s.rebuild(a, fresh)
		a.ts, a.vs, _ = s.tail.appendTo(a.ts[:0], a.vs[:0])
	}
	if pl.hasRate || !pl.nested {
		s.seamWithin(pl, low, oldestNew, a.ts, fresh)
	}
}

// rebuild replaces the tail by the merge of its samples, which a has decoded, with fresh ones, which win at equal times unless all are
// kept, and returns how many were replaced.
func (s *series) rebuild(a *appender, fresh []row) (replaced int) {
	ts, vs := a.ts, a.vs
	nt := tail{buf: make([]byte, 0, len(s.tail.buf)+len(fresh)*8+64), base: s.tail.base, last: s.tail.base}
	noted := s.notesFor(a, fresh)
	put := func(i int) {
		nt.append(ts[i], vs[i])
		if noted != nil {
			noted.append(a.noted[i])
		}
	}
	i := 0
	for k := range fresh {
		r := &fresh[k]
		for ; i < len(ts) && (ts[i] < r.t || s.all && ts[i] == r.t); i++ {
			put(i)
		}
		if i < len(ts) && ts[i] == r.t {
			i++
			replaced++
		}
		nt.append(r.t, r.value)
		if noted != nil {
			noted.append(a.annotation(r))
		}
	}
	for ; i < len(ts); i++ {
		put(i)
	}
	s.tail, s.notes = nt, noted
	s.maxT = max(s.maxT, nt.last.t)
	s.edits++
	return replaced
}

// notesFor returns where the annotations of a rebuilt tail go, and decodes those of the present one; nil if there are none.
func (s *series) notesFor(a *appender, fresh []row) *notes {
	if s.notes == nil && !slices.ContainsFunc(fresh, func(r row) bool { return r.note != 0 }) {
		return nil
	}
	var ok bool
	if a.noted, ok = s.notes.appendTo(a.noted[:0], len(a.ts)); !ok {
		panic("tsdb: notes do not decode") // written by this process or checked when they were loaded
	}
	nt := &notes{}
	if s.notes != nil {
		nt.base, nt.last = s.notes.base, s.notes.base
	}
	return nt
}

// seamAhead notes, for a batch that is all newer than the newest stored sample, which groups are recomputed without the
// sample before them. t is the series before the batch.
func (s *series) seamAhead(pl *plan, t *touchedSeries) {
	s.findGroups(pl, t)
	r := tailReader{b: s.tail.buf[t.bufLen:], st: t.last}
	first := r
	if first.next(); t.maxT != noTime {
		low := pl.floor(t.maxT)
		for i, w := range pl.widths {
			start, before := rollup.Floor(first.st.t, w), t.maxT
			if g := s.groups[i]; g.start == start {
				before = g.before
			}
			s.seams = slices.DeleteFunc(s.seams, func(x seam) bool { return x.width == i && x.start >= start })
			if start < low || pl.hasRate && before != noTime && before < max(start-w, low) {
				s.seams = append(s.seams, seam{width: i, start: start, lo: low})
			}
		}
	}
	for before := t.maxT; r.next(); before = r.st.t {
		s.advanceGroups(pl, before, r.st.t)
	}
}

// newestGroup is the group of a width that the newest sample is in, and the time of the sample before it (noTime: none).
type newestGroup struct{ start, before int64 }

// findGroups makes groups true for the series as it was before the batch of t.
func (s *series) findGroups(pl *plan, t *touchedSeries) {
	if s.groups != nil {
		return
	}
	s.groups = make([]newestGroup, len(pl.widths))
	for i := range s.groups {
		s.groups[i].start = noTime
	}
	r := tailReader{b: s.tail.buf[:t.bufLen], st: s.tail.base}
	for before := s.carry.t; r.next(); before = r.st.t {
		s.advanceGroups(pl, before, r.st.t)
	}
}

func (s *series) advanceGroups(pl *plan, before, t int64) {
	for i, w := range pl.widths {
		if g := &s.groups[i]; g.start == noTime || t-g.start >= w {
			*g = newestGroup{rollup.Floor(t, w), before}
		}
	}
}

// seamWithin does the same for a batch that reaches back: ts are the samples after it, low the edge of the window
// before it, fresh the batch. Recomputing starts at the oldest sample of the batch, even one that was dropped, but not before the oldest
// in the window; groups that come out empty keep what they had.
func (s *series) seamWithin(pl *plan, low, oldestNew int64, ts []int64, fresh []row) {
	k, _ := slices.BinarySearch(ts, low)
	if k == len(ts) {
		return
	}
	from := max(ts[k], oldestNew)
	for i, w := range pl.widths {
		start := rollup.Floor(from, w)
		had := slices.ContainsFunc(s.seams, func(x seam) bool { return x.width == i && x.start == start })
		first, _ := slices.BinarySearch(ts, max(start, low))
		before := s.carry.t
		if first > 0 {
			before = ts[first-1]
		}
		// A group of one old sample comes out empty when that has no predecessor.
		alone := first+1 == len(ts) || first+1 < len(ts) && rollup.Floor(ts[first+1], w) != start
		if i := sortedFrom(fresh, ts[first]); i < len(fresh) && fresh[i].t == ts[first] {
			alone = false
		}
		cut := pl.hasRate && before != noTime && before < max(start-w, low)
		s.seams = slices.DeleteFunc(s.seams, func(x seam) bool {
			return x.width == i && (x.start > start || x.start == start && !(cut && alone))
		})
		if start < low || cut && !(alone && !had) {
			s.seams = slices.DeleteFunc(s.seams, func(x seam) bool { return x.width == i && x.start == start })
			s.seams = append(s.seams, seam{width: i, start: start, lo: low})
		}
	}
}

// release gives the scratch space back unless it has grown out of proportion.
func (a *appender) release() {
	if cap(a.series) > 1<<16 {
		return
	}
	clear(a.series)
	clear(a.touched)
	a.notes = nil // the caller's
	appenders.Put(a)
}

func compareNaNLast(x, y float64) int {
	switch nx, ny := x != x, y != y; {
	case nx && ny:
		return 0
	case nx:
		return 1
	case ny:
		return -1
	}
	return cmp.Compare(x, y)
}

// sortedFrom returns the index of the first row at or after t.
func sortedFrom(rows []row, t int64) int {
	i, _ := slices.BinarySearchFunc(rows, t, func(r row, t int64) int { return cmp.Compare(r.t, t) })
	return i
}
