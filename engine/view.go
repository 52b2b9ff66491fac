package engine

import (
	"context"
	"fmt"
	"math"
	"slices"
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
	index  map[Ref]int // nil for a view of one metric

	group grouper
	ts    []int64
	vs    []float64
}

// viewSeries is a copy of a series. Only its tail's bytes are shared with the writer, who never changes them.
type viewSeries struct {
	ref    Ref
	id     UUID
	plan   *plan
	tail   tail
	sealed int64
	carry  sampleState
	seams  []seam
	maxT   int64
	absent bool // not in memory when the view was made: read its record first
}

// View pins the present state of the metrics. ErrNotFound, ErrClosed.
func (db *DB) View(refs ...Ref) (*View, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	v := &View{db: db, series: make([]viewSeries, len(refs))}
	if len(refs) > 1 {
		v.index = make(map[Ref]int, len(refs))
	}
	for i, ref := range refs {
		meta, err := db.cat.metricState(ref)
		if err != nil {
			db.end()
			return nil, err
		}
		v.series[i] = viewSeries{ref: ref, id: meta.id, plan: meta.plan(), absent: true, sealed: noTime, maxT: noTime,
			carry: sampleState{t: noTime}}
		if v.index != nil {
			v.index[ref] = i
		}
	}
	db.visible.Lock()
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keySeries}, UpperBound: []byte{keyEnd}})
	if err == nil {
		for i, ref := range refs {
			if s := db.head.get(ref); s != nil {
				v.series[i].copyOf(s)
			}
		}
	}
	db.visible.Unlock()
	if err != nil {
		db.end()
		return nil, fmt.Errorf("tsdb: reading: %w", err)
	}
	v.it = it
	return v, nil
}

func (vs *viewSeries) copyOf(s *series) {
	vs.tail, vs.sealed, vs.carry, vs.maxT, vs.absent = s.tail, s.sealed, s.carry, s.maxT, false
	if len(s.seams) > 0 {
		vs.seams = slices.Clone(s.seams)
	}
}

// Close releases what the view pins.
func (v *View) Close() {
	if v.it == nil {
		return
	}
	v.it.Close() // its error was seen by the reads
	v.it = nil
	v.db.end()
}

// find returns a series of the view, read from its record if it was not in memory.
func (v *View) find(m Ref) (*viewSeries, error) {
	i, ok := 0, len(v.series) > 0 && v.series[0].ref == m
	if v.index != nil {
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
	r := measureReader{v: v, s: s, ctx: ctx, wi: wi, width: int64(granularity), methods: methods, acc: make([]accumulator, len(methods))}
	out, err := r.read(groupFloor(max(from, 0), int64(granularity)), to)
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
		if ts, vs, err = appendRawBlocks(ctx, it, s, from, min(to, first), ts, vs); err != nil {
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

func appendRawBlocks(ctx context.Context, it *pebble.Iterator, s *viewSeries, from, to int64, ts []int64, vs []float64) ([]int64, []float64, error) {
	err := blockRange(it, keyRaw, s.plan.widths[0], s.ref, from, to, func(k blockKey, val []byte) (bool, error) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		b, err := parseColumns(k, val)
		if err != nil {
			return false, err
		}
		i, j, err := b.Range(from, to)
		if err == nil {
			if ts, err = b.AppendTimes(ts, i, j); err == nil {
				vs, err = b.AppendValues(vs, 0, i, j)
			}
		}
		return b.Last() < to-1, corruptBlock(k, &b, err)
	})
	return ts, vs, err
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
