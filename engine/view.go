package engine

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/encoding"
	"github.com/telemetrydb/tsdb/rollup"
)

// Points are the points of one aggregation method: times (group starts, nanoseconds since the Unix epoch, ascending)
// and values, equally long. Times may be shared between the methods of one answer: read only.
type Points struct {
	Times  []int64
	Values []float64
}

// View is a consistent state of some metrics: what it shows never changes, and no Append is seen in part.
// It serves one goroutine. Close it soon: it pins old data, and DB.Close waits for it.
type View struct {
	db     *DB
	it     *pebble.Iterator // over series records and blocks
	series []viewSeries
	index  map[Ref]int // made when a metric is first asked for that is not the first
	epoch  uint64      // lastBlocks' when it was made
	moves  uint64      // DB.moves when the plans of its series were looked up

	*scratch
}

// scratch is memory that reading needs for a while.
type scratch struct {
	group grouper
	ts    []int64
	vs    []float64
	notes []annotation
}

// Growing these anew for each view took most of the time in which a month of minutes is read.
var scratches = sync.Pool{New: func() any { return new(scratch) }}

// maxScratch is how many samples scratch has room for, at most, when it is kept.
const maxScratch = 1 << 17

func (s *scratch) release() {
	if cap(s.ts) <= maxScratch && cap(s.notes) <= maxScratch {
		scratches.Put(s)
	}
}

// viewSeries is a copy of a series. Only its tail's bytes are shared with the writer, who never changes them.
type viewSeries struct {
	ref    Ref
	id     UUID
	plan   *plan
	tail   tail
	sealed int64
	carry  sampleState
	ends   []blockEnd // read only
	seams  []seam
	maxT   int64
	notes  *notes // of the tail; nil: none
	late   bool   // it has late samples to be placed
	held   bool   // it was in memory when the view was made
	absent bool   // read its record first
}

// View pins the present state of the metrics. ErrNotFound, ErrClosed.
func (db *DB) View(refs ...Ref) (*View, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	return db.view(refs, true)
}

// view is View of an operation that has begun; it ends with the view. Series that are not in memory may be brought there for later views.
func (db *DB) view(refs []Ref, admit bool) (*View, error) {
	v := &View{db: db, series: make([]viewSeries, len(refs)), scratch: scratches.Get().(*scratch)}
	for i, ref := range refs {
		v.series[i].ref = ref
	}
	if err := v.resolve(); err != nil {
		v.release()
		db.end()
		return nil, err
	}
	absent, err := v.pin(admit && db.roomToAdmit())
	if len(absent) > 0 {
		for _, ref := range absent {
			if !db.roomToAdmit() || !db.admitOne(ref) {
				break
			}
		}
		_, err = v.pin(false)
	}
	if err == nil {
		err = v.placeLate()
	}
	if err != nil {
		if v.it != nil {
			v.it.Close()
		}
		v.release()
		db.end()
		return nil, fmt.Errorf("tsdb: reading: %w", err)
	}
	return v, nil
}

// resolve looks up the plans of the view's series.
func (v *View) resolve() error {
	v.moves = v.db.moves.Load()
	for i := range v.series {
		s := &v.series[i]
		meta, err := v.db.cat.metricState(s.ref)
		if err != nil {
			return err
		}
		*s = absentSeries(s.ref, meta.id, meta.plan())
	}
	return nil
}

// settle locks visible for writing while the plans are those of the metrics' present policies.
func (v *View) settle() error {
	for {
		v.db.visible.Lock()
		if v.moves == v.db.moves.Load() {
			return nil
		}
		v.db.visible.Unlock()
		if err := v.resolve(); err != nil {
			return err
		}
	}
}

// pin copies what the head has and makes the iterator at the same moment. If complete is set and the head lacks series that were asked for
// before, it does nothing but tell which.
func (v *View) pin(complete bool) (absent []Ref, err error) {
	if err := v.settle(); err != nil {
		return nil, err
	}
	defer v.db.visible.Unlock()
	for i := range v.series {
		vs := &v.series[i]
		switch s := v.db.head.look(vs.ref); {
		case s != nil:
			vs.copyOf(s)
			vs.held = true
		case complete && v.db.last.again(vs.ref):
			absent = append(absent, vs.ref)
		case !vs.absent:
			*vs = absentSeries(vs.ref, vs.id, vs.plan) // evicted since the first try
		}
	}
	if len(absent) > 0 {
		return absent, nil
	}
	v.epoch = v.db.last.epoch.Load()
	v.it, err = v.db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keySeries}, UpperBound: []byte{keyEnd}})
	return nil, err
}

// roomToAdmit tells whether reading may bring series into the head: half of its budget is for that.
func (db *DB) roomToAdmit() bool { return db.head.bytes.Load() < db.headBudget()/2 }

// admitOne brings a series into the head. It counts as unused, to be the first to go when appends need the room. False if it cannot be had;
// whoever reads it finds out why.
func (db *DB) admitOne(ref Ref) bool {
	db.head.lockOne(ref)
	defer db.head.unlockOne(ref)
	db.visible.RLock()
	defer db.visible.RUnlock()
	if db.head.holds(ref) {
		return true
	}
	s, err := db.readSeries(db.p, ref)
	if err != nil {
		return false
	}
	db.head.put(s)
	return true
}

// absentSeries is a series whose record is to be read.
func absentSeries(ref Ref, id UUID, pl *plan) viewSeries {
	return viewSeries{ref: ref, id: id, plan: pl, absent: true, sealed: noTime, maxT: noTime, carry: sampleState{t: noTime}}
}

func (vs *viewSeries) copyOf(s *series) {
	vs.tail, vs.sealed, vs.carry, vs.ends, vs.maxT, vs.absent = s.tail, s.sealed, s.carry, s.ends, s.maxT, false
	vs.seams = slices.Clone(s.seams) // most have none
	vs.notes = s.copyNotes()
	vs.late = s.hasLate()
}

// end returns the last block of a tier: 0 for raw samples, else 1 more than the width's index. Its rows are 0 if there is none.
func (vs *viewSeries) end(tier int) blockEnd {
	if tier >= len(vs.ends) {
		return blockEnd{end: noTime}
	}
	return vs.ends[tier]
}

// Close releases what the view pins.
func (v *View) Close() {
	if v.it == nil {
		return
	}
	v.it.Close() // its error was seen by the reads
	v.it = nil
	v.release()
	v.scratch = nil
	v.db.end()
}

// find returns a series of the view, read from its record if it was not in memory.
func (v *View) find(m Ref) (*viewSeries, error) {
	i, ok := 0, len(v.series) > 0 && v.series[0].ref == m
	if !ok && len(v.series) > 1 {
		if v.index == nil {
			v.index = make(map[Ref]int, len(v.series))
			for i := range v.series {
				v.index[v.series[i].ref] = i
			}
		}
		i, ok = v.index[m]
	}
	if !ok {
		return nil, &Error{Kind: KindMetric, Name: fmt.Sprint("ref ", m), Err: ErrNotFound, Detail: "not in this view"}
	}
	s := &v.series[i]
	return s, s.ensure(v.it)
}

func (vs *viewSeries) ensure(it *pebble.Iterator) error {
	if !vs.absent {
		return nil
	}
	key := seriesKey(nil, vs.ref)
	if it.SeekGE(key) && slices.Equal(it.Key(), key) {
		val, err := it.ValueAndErr()
		if err != nil {
			return locate(err, vs.id)
		}
		var s series
		if err := s.decodeRecord(val); err != nil {
			return &CorruptError{Key: key, Metric: vs.id, Err: err}
		}
		vs.copyOf(&s)
	}
	if err := it.Error(); err != nil {
		return locate(err, vs.id)
	}
	vs.absent = false
	return nil
}

// Measures returns the aggregates of one metric and granularity with from <= time < to (from is first rounded down to
// the granularity) by method, in the order of methods, within the present retention of its policy (Gnocchi v1, measures
// and retention). ErrNotFound of KindGranularity or KindMethod if the policy lacks one.
func (v *View) Measures(ctx context.Context, m Ref, granularity time.Duration, methods []rollup.Method, from, to int64) ([]Points, error) {
	s, err := v.find(m)
	if err != nil {
		return nil, err
	}
	wi := s.plan.width(int64(granularity))
	if wi < 0 {
		return nil, &Error{Kind: KindGranularity, Name: granularity.String(), Err: ErrNotFound}
	}
	for _, method := range methods {
		if !slices.Contains(s.plan.methods, method) {
			return nil, &Error{Kind: KindMethod, Name: method.String(), Err: ErrNotFound}
		}
	}
	r := measureReader{v: v, s: s, ctx: ctx, wi: wi, width: int64(granularity), methods: methods, acc: make([]accumulator, len(methods)),
		ts: v.ts, vs: v.vs}
	out, err := r.read(groupFloor(max(from, 0), int64(granularity)), to)
	v.ts, v.vs = r.ts, r.vs // of which nothing is in what was read
	if err != nil {
		return nil, locate(err, s.id)
	}
	return out, nil
}

// locate fills in which metric a damaged block belongs to, or was read for when Pebble found a table damaged.
func locate(err error, id UUID) error {
	if c, ok := err.(*CorruptError); ok {
		if c.Metric == (UUID{}) {
			c.Metric = id
		}
		return err
	}
	if err != nil && pebble.IsCorruptionError(err) {
		return &CorruptError{Metric: id, Err: err}
	}
	return err
}

// Raw appends the raw samples that are kept with from <= time < to, in order of time, to ts and vs. A policy that keeps
// no raw samples shows those that its back window still needs.
func (v *View) Raw(ctx context.Context, m Ref, from, to int64, ts []int64, vs []float64) ([]int64, []float64, error) {
	s, err := v.find(m)
	if err != nil {
		return ts, vs, err
	}
	return v.rawOf(ctx, v.it, s, from, to, ts, vs)
}

// rawOf is Raw of a series by an iterator of the caller's.
func (v *View) rawOf(ctx context.Context, it *pebble.Iterator, s *viewSeries, from, to int64, ts []int64, vs []float64) ([]int64, []float64, error) {
	if err := s.ensure(it); err != nil || s.maxT == noTime {
		return ts, vs, err
	}
	switch {
	case s.plan.raw == 0:
		from = max(from, s.plan.floor(s.maxT))
	case s.plan.raw > 0:
		from = max(from, min(s.maxT-s.plan.raw+1, s.plan.floor(s.maxT)))
	}
	ts, vs, err := v.appendRaw(ctx, it, s, max(from, 0), to, ts, vs)
	return ts, vs, locate(err, s.id)
}

// appendRaw appends raw samples of blocks and tail.
func (v *View) appendRaw(ctx context.Context, it *pebble.Iterator, s *viewSeries, from, to int64, ts []int64, vs []float64) ([]int64, []float64, error) {
	first := int64(math.MaxInt64)
	if s.tail.n > 0 {
		r := s.tail.reader()
		r.next()
		first = r.st.t
	}
	if s.sealed != noTime && from < first {
		var err error
		if ts, vs, err = v.appendRawBlocks(ctx, it, s, from, min(to, first), ts, vs); err != nil {
			return ts, vs, err
		}
	}
	if to > first {
		var ok bool
		if ts, vs, ok = s.tail.appendRange(from, to, ts, vs); !ok {
			return ts, vs, &CorruptError{Key: seriesKey(nil, s.ref), Metric: s.id, From: first, To: s.maxT, Err: ErrCorrupt}
		}
	}
	return ts, vs, nil
}

// appendRawBlocks appends what lies in blocks.
func (v *View) appendRawBlocks(ctx context.Context, it *pebble.Iterator, s *viewSeries, from, to int64, ts []int64, vs []float64) ([]int64, []float64, error) {
	width, end := s.plan.widths[0], s.end(0)
	if end.rows != 0 && from > end.end {
		return ts, vs, nil
	}
	if k, b := v.lastBlock(keyRaw, width, s, end, from); b != nil {
		ts, vs, err := b.appendRaw(from, to, ts, vs)
		return ts, vs, corruptBlock(k, &b.block, err)
	}
	ahead := v.newReadAhead(it, s, width, from, to)
	err := blockRange(it, keyRaw, width, s.ref, from, to, func(k blockKey, val []byte) (bool, error) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		ahead.came(k)
		b, err := parseColumns(k, val)
		if err != nil {
			return false, err
		}
		if ts, vs, err = appendRange(&b, from, to, ts, vs); err != nil {
			return false, corruptBlock(k, &b, err)
		}
		v.keep(s, end, k, val)
		return b.Last() < to-1, nil
	})
	return ts, vs, err
}

// appendRange appends a raw block's samples with from <= t < to.
func appendRange(b *encoding.Block, from, to int64, ts []int64, vs []float64) ([]int64, []float64, error) {
	i, j, err := b.Range(from, to)
	if err == nil {
		if ts, err = b.AppendTimes(ts, i, j); err == nil {
			vs, err = b.AppendValues(vs, 0, i, j)
		}
	}
	return ts, vs, err
}

// lastBlock returns a series' last block of a tier if it is in memory and nothing before it is asked for.
func (v *View) lastBlock(kind byte, width int64, s *viewSeries, end blockEnd, from int64) (blockKey, *lastBlock) {
	k := blockKey{kind, width, 0, s.ref, end.end}
	if !s.held {
		return k, nil
	}
	b := v.db.last.get(k, from)
	if b == nil || v.epoch != v.db.last.epoch.Load() { // asked last: what was kept at a later epoch may have another content
		return k, nil
	}
	k.partition = uint32(end.end / span(width))
	return k, b
}

// keep keeps a block that was read without fault if it is the last one of a series that is in memory and was asked for before.
func (v *View) keep(s *viewSeries, end blockEnd, k blockKey, val []byte) {
	if s.held && k.end == end.end && v.db.last.again(s.ref) {
		v.db.last.keep(k, val, v.epoch)
	}
}

// parseColumns parses a block that must have columns.
func parseColumns(k blockKey, val []byte) (encoding.Block, error) {
	if val[0] != blockColumns {
		return encoding.Block{}, k.corrupt(fmt.Errorf("%w: block of kind %d", ErrVersion, val[0]))
	}
	b, err := encoding.ParseBlock(val[1:])
	if err != nil {
		return b, k.corrupt(err)
	}
	return b, nil
}

func corruptBlock(k blockKey, b *encoding.Block, err error) error {
	if err == nil {
		return nil
	}
	return &CorruptError{Key: k.append(nil), From: b.First(), To: b.Last(), Err: err}
}

// appendRange decodes the samples with from <= t < to; false means that the bytes break the format.
func (tl *tail) appendRange(from, to int64, ts []int64, vs []float64) ([]int64, []float64, bool) {
	r := tl.reader()
	for range tl.n {
		if !r.next() {
			return ts, vs, false
		}
		if r.st.t >= to {
			break
		}
		if r.st.t >= from {
			ts = append(ts, r.st.t)
			vs = append(vs, floatOf(r.st.bits))
		}
	}
	return ts, vs, true
}
