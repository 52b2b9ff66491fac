package engine

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/rollup"
)

// A metric gets another archive policy: the samples that are at hand, in raw blocks and in the tail, go through sealing once more, under
// the new policy, and older points stay where the new policy has their granularity and method. Everything that the metric had is deleted, and
// what it has now written, in the batch of the transaction: whoever looks sees all of the old or all of the new, and so does recovery.
//
// As with sealing, the long part runs beside appends. They add to the old series' tail, and what they added goes to the end of the new
// one when the transaction commits. If a late sample has rewritten the tail meanwhile, all is done again.

// rebuild makes a metric's series anew.
type rebuild struct {
	db      *DB
	id      UUID
	ref     Ref
	was, is *plan
	meta    *metricState // under the new policy

	old   *series // in the head, and marked as being sealed from begin to end
	edits uint32  // its, when it was read
	known int     // samples of its tail that were read

	wb   *writeBatch // indexed: blocks are joined to those written before
	sl   *sealer
	now  *series // what becomes of it
	low  []int64 // per new width: groups that begin before it keep the points that they have; noTime: none do
	edge int64   // up to where groups go to blocks; noTime: nowhere
	held *lateSample
}

// rebuilds returns what the transaction changes the policies of. Metrics that it makes or deletes are none of its business.
func (tx *Tx) rebuilds() (all []*rebuild, err error) {
	for _, c := range tx.metrics {
		if c.old == nil || c.now == nil || c.old.Ref != c.now.Ref || c.old.policy == c.now.policy {
			continue
		}
		p, err := tx.policies().policy(c.now.Policy)
		if err != nil {
			return nil, err
		}
		all = append(all, &rebuild{db: tx.db, id: c.now.ID, ref: c.now.Ref, was: c.old.policy.now.Load().plan, is: p.plan,
			meta: &metricState{id: c.now.ID, policy: p.policyEntry}})
	}
	return all, nil
}

// begin brings the series into the head and keeps sealing away from it.
func (r *rebuild) begin() error {
	for {
		ok, err := r.mark()
		if ok || err != nil {
			return err
		}
		time.Sleep(time.Millisecond) // the background is at it
	}
}

func (r *rebuild) mark() (bool, error) {
	r.db.head.lockOne(r.ref)
	defer r.db.head.unlockOne(r.ref)
	r.db.visible.RLock()
	defer r.db.visible.RUnlock()
	s, err := r.db.load(r.ref)
	if err != nil || s.sealing {
		return false, err
	}
	s.sealing = true
	r.old = s
	return true, nil
}

// end takes back what begin and prepare did.
func (r *rebuild) end() {
	r.discard()
	if r.old == nil {
		return
	}
	r.db.head.lockOne(r.ref)
	defer r.db.head.unlockOne(r.ref)
	r.old.sealing = false
}

func (r *rebuild) discard() {
	if r.wb != nil {
		r.wb.Close()
		sealers.Put(r.sl)
		r.wb, r.sl = nil, nil
	}
}

// prepareBeside builds the new series from the present state of the old one, to which appends may add meanwhile.
func (r *rebuild) prepareBeside(ctx context.Context) error {
	r.db.head.lockOne(r.ref)
	v, err := r.pin()
	r.db.head.unlockOne(r.ref)
	if err != nil {
		return err
	}
	defer v.Close()
	return r.prepare(ctx, v)
}

// prepareLocked is prepareBeside for who holds the lock.
func (r *rebuild) prepareLocked(ctx context.Context) error {
	v, err := r.pin()
	if err != nil {
		return err
	}
	defer v.Close()
	return r.prepare(ctx, v)
}

// pin makes a view of the old series as it is. The caller holds its lock.
func (r *rebuild) pin() (*View, error) {
	if err := r.db.placeLocked(r.ref); err != nil {
		return nil, err
	}
	if len(r.old.late) > 0 {
		return nil, &CorruptError{Metric: r.id, Err: fmt.Errorf("%w: late samples belong to damaged blocks", ErrCorrupt)}
	}
	if err := r.db.begin(); err != nil {
		return nil, err
	}
	v := &View{db: r.db, series: []viewSeries{{ref: r.ref}}, scratch: scratches.Get().(*scratch)}
	err := v.resolve()
	if err == nil {
		_, err = v.pin(false)
	}
	if err != nil {
		v.release()
		r.db.end()
		return nil, fmt.Errorf("tsdb: reading: %w", err)
	}
	r.edits, r.known = r.old.edits, r.old.tail.n
	return v, nil
}

// prepare fills the batch, and now but for what may still come.
func (r *rebuild) prepare(ctx context.Context, v *View) error {
	r.discard()
	r.wb, r.sl = r.db.p.NewIndexedBatch(), sealers.Get().(*sealer)
	r.now, r.held = emptySeries(r.ref, r.meta, r.is), nil
	r.low, r.edge = slices.Repeat([]int64{noTime}, len(r.is.widths)), noTime
	if err := r.dropBlocks(v.it); err != nil {
		return err
	}
	s := &v.series[0]
	in := &SampleReader{v: v, ctx: ctx}
	in.open(s, 0, math.MaxInt64, SampleQuery{OldestFirst: true})
	in.from = min(in.from, s.tailFirst()) // what the back window needs may be older than what is shown
	for first := true; in.Next(); first = false {
		c := in.Columns()
		if first {
			oldest := c.Times[0]
			if s.carry.t != noTime && oldest >= s.tailFirst() { // known for the sake of differences: it is at hand, too
				oldest = s.carry.t
				r.put(lateSample{t: s.carry.t, value: floatOf(s.carry.bits)})
			}
			if err := r.keepPoints(ctx, v, oldest); err != nil {
				return err
			}
		}
		for i, t := range c.Times {
			r.put(lateSample{t, c.Values[i], note{c.Contexts[i], c.Arrivals[i]}.of(t)})
		}
		if r.now.tail.n >= rebuildRows {
			if err := r.seal(min(r.edge, r.now.tail.last.t)); err != nil {
				return err
			}
		}
	}
	if in.Err() != nil {
		return in.Err()
	}
	return r.seal(r.edge)
}

// rebuildRows is how many samples go to blocks at a time.
const rebuildRows = 16 * maxBlockRows

// dropBlocks deletes the blocks of the old policy.
func (r *rebuild) dropBlocks(it *pebble.Iterator) error {
	drop := func(kind byte, width int64) error {
		return partitions(it, kind, width, func(p uint32) (bool, error) {
			return true, deleteBlocks(it, r.wb, blockKey{kind, width, p, r.ref, 0}, blockKey{kind, width, p, r.ref, math.MaxInt64})
		})
	}
	if err := drop(keyRaw, r.was.widths[0]); err != nil {
		return err
	}
	for _, w := range r.was.widths {
		if err := drop(keyAgg, w); err != nil {
			return err
		}
	}
	return nil
}

// keepPoints finds out which groups can be computed when the oldest sample at hand is at first, and takes over the points of those before.
// A group of a granularity that the old policy lacks has no points to be kept, and is computed of what there is.
func (r *rebuild) keepPoints(ctx context.Context, v *View, first int64) error {
	s, n := &v.series[0], r.now
	n.ends = make([]blockEnd, 1+len(r.is.widths))
	// All there ever was is at hand if nothing has left the tail, or raw samples are and were kept for ever.
	if s.sealed != noTime && (r.was.raw >= 0 || r.old.from != noTime) {
		common := false
		for wi, width := range r.is.widths {
			methods := r.kept(width)
			if len(methods) == 0 {
				continue
			}
			common = true
			if err := r.keepWidth(ctx, v, wi, methods, min(groupFloor(first, width)+width, sealEnd(s.sealed, width))); err != nil {
				return err
			}
		}
		if !common {
			if err := r.mayForget(ctx, v, first); err != nil {
				return err
			}
		}
	}
	n.from = r.edge
	if f := r.is.floor(s.maxT); f > 0 {
		r.edge = max(r.edge, f)
	}
	return nil
}

// kept returns the methods of a granularity that both policies have.
func (r *rebuild) kept(width int64) []rollup.Method {
	if r.was.width(width) < 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.is.methods), func(m rollup.Method) bool { return !slices.Contains(r.was.methods, m) })
}

// keepWidth takes over the points of one granularity that begin before low.
func (r *rebuild) keepWidth(ctx context.Context, v *View, wi int, methods []rollup.Method, low int64) error {
	if low <= 0 {
		return nil
	}
	r.low[wi], r.edge = low, max(r.edge, low)
	width := r.is.widths[wi]
	points, err := v.Measures(ctx, r.ref, time.Duration(width), methods, 0, low)
	if err != nil {
		return err
	}
	rows := rowsOfPoints(points)
	w := blockWriter{db: r.db, sl: r.sl, wb: r.wb, s: r.now, ends: r.now.ends}
	return w.aggregates(&r.now.ends[1+wi], width, rows.starts, rows.columns(0, len(rows.starts), methods))
}

// rowsOfPoints puts the points of several methods side by side.
func rowsOfPoints(points []Points) *groupRows {
	g := newGroupRows(len(points))
	for _, p := range points {
		g.starts = append(g.starts, p.Times...)
	}
	slices.Sort(g.starts)
	g.starts = slices.Compact(g.starts)
	for c, p := range points {
		g.values[c], g.has[c] = make([]float64, len(g.starts)), make([]bool, len(g.starts))
		i := 0
		for k, t := range p.Times {
			for g.starts[i] < t {
				i++
			}
			g.values[c][i], g.has[c][i] = p.Values[k], true
		}
	}
	return g
}

// mayForget refuses a change that leaves nothing of points whose samples are gone.
func (r *rebuild) mayForget(ctx context.Context, v *View, first int64) error {
	for _, w := range r.was.widths {
		points, err := v.Measures(ctx, r.ref, time.Duration(w), r.was.methods, 0, groupFloor(first, w))
		if err != nil {
			return err
		}
		if slices.ContainsFunc(points, func(p Points) bool { return len(p.Times) > 0 }) {
			return &Error{Kind: KindMetric, Name: r.id.String(), Err: ErrUnsupported, Detail: fmt.Sprintf("its samples from before %s are not kept, and of its"+
				" points from then nothing would be left: give it an archive policy that has a granularity and an aggregation method of the present one", formatNanos(first))}
		}
	}
	return nil
}

// put adds the next sample. The last one is held back: if not all samples are kept, one at the same instant takes its place.
func (r *rebuild) put(x lateSample) {
	if r.held != nil && (r.is.keepAll || r.held.t != x.t) {
		r.release()
	}
	r.held = &x
}

// release appends the sample that is held back.
func (r *rebuild) release() {
	n, x := r.now, r.held
	if r.held = nil; x == nil {
		return
	}
	n.tail.append(x.t, x.value)
	n.maxT = x.t
	if x.annotation != (annotation{}) || n.notes != nil {
		n.annotate(x.annotation)
	}
}

// seal puts what lies before f into blocks.
func (r *rebuild) seal(f int64) error {
	n := r.now
	if f <= n.sealed || f <= 0 {
		return nil
	}
	st := sealState{tail: n.tail, sealed: n.sealed, carry: n.carry, ends: n.ends, hint: n.hint, notes: n.copyNotes(), low: r.low}
	carry, err := r.db.writeBlocks(r.sl, r.wb, n, &st, r.is, f, true)
	if err != nil {
		return err
	}
	n.tail, n.notes = n.tail.without(st.blocks), n.notes.cut(st.blocks.n)
	n.sealed, n.carry, n.ends, n.hint = f, carry, st.ends, st.hint
	if most := r.db.opts.MemoryBytes; int64(r.wb.Len()) > most {
		return &Error{Kind: KindMetric, Name: r.id.String(), Err: ErrUnsupported,
			Detail: fmt.Sprintf("rebuilding it at once takes more than the %d bytes of memory that the database may use", most)}
	}
	return nil
}

// finish adds what has been appended since the old series was read, and the record; false if it has changed in another way. The caller holds
// the lock until the transaction is committed, or given up.
func (r *rebuild) finish() (bool, error) {
	s, n := r.old, r.now
	if s.edits != r.edits || s.hasLate() {
		return false, nil
	}
	ts, vs, ok := s.tail.appendTo(nil, nil)
	notes, noted := s.notes.appendTo(nil, s.tail.n)
	if !ok || !noted {
		return false, &CorruptError{Key: seriesKey(nil, r.ref), Metric: r.id, To: s.maxT, Err: ErrCorrupt}
	}
	for i := r.known; i < len(ts); i++ {
		r.put(lateSample{ts[i], vs[i], notes[i]})
	}
	r.release()
	n.seq, n.sealAt, n.touched = s.seq, int32(n.tail.n+maxBlockRows), true
	return true, r.wb.Set(seriesKey(nil, r.ref), n.appendRecord(nil, n.sealed, n.carry, n.ends, nil, &n.tail, n.notes, nil), nil)
}

// install puts the new series in place of the old one. The transaction is committed; the caller holds the lock, and visible for writing.
func (r *rebuild) install() {
	db := r.db
	r.old.gone = true
	r.old.firstSeq.Store(0)
	db.head.remove(r.old)
	db.head.put(r.now)
	db.last.changed(r.ref, r.was)
	db.last.changed(r.ref, r.is)
	db.cat.states.drop(r.ref)
	db.moves.Add(1) // not before: who sees it looks up the new policy
	db.oldest.stale.Store(true)
}
