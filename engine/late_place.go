package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/encoding"
	"github.com/telemetrydb/tsdb/rollup"
)

// Late samples of a policy that keeps all are put where they belong before anybody can look: before a view is made and before the series is
// sealed. Placing merges them into the blocks of raw samples, computes the groups that they touch afresh, and writes both and the series
// record in one batch, under the series' lock. So neither reading nor sealing knows of them, and a series record has none, but for those
// whose block is damaged.

// placeLate places the late samples of a series, if it has any.
func (db *DB) placeLate(ref Ref) error {
	db.head.lockOne(ref)
	defer db.head.unlockOne(ref)
	return db.placeLocked(ref)
}

// hasLate tells whether there are late samples that can be placed, as far as is known.
func (s *series) hasLate() bool { return len(s.late) > s.stuck }

// placeLocked is placeLate for who holds the lock.
func (db *DB) placeLocked(ref Ref) error {
	s := db.head.get(ref)
	if s == nil || s.gone || !s.hasLate() {
		return nil
	}
	p := placer{db: db, s: s, pl: s.meta.plan(), mem: s.memBytes(), wb: db.p.NewIndexedBatch(), sl: sealers.Get().(*sealer), ends: slices.Clone(s.ends)}
	defer sealers.Put(p.sl)
	tail, noted, edits := s.tail, s.notes, s.edits
	err := p.place()
	if err != nil {
		s.tail, s.notes, s.edits = tail, noted, edits
		p.wb.Close()
		return locate(err, s.meta.id)
	}
	return nil
}

// placer places the late samples of one series.
type placer struct {
	db    *DB
	s     *series
	pl    *plan
	mem   int64       // what the series took before
	wb    *writeBatch // indexed: blocks of aggregates are read through it, as several ranges of groups may meet one
	sl    *sealer
	it    *pebble.Iterator // over blocks as they were
	w     blockWriter
	ends  []blockEnd
	late  []lateSample // placed, by time
	stuck []lateSample // of damaged blocks
}

func (p *placer) place() (err error) {
	p.it, err = p.db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyRaw}, UpperBound: []byte{keyEnd}})
	if err != nil {
		return fmt.Errorf("tsdb: reading blocks: %w", err)
	}
	defer p.it.Close()
	if len(p.ends) == 0 {
		p.ends = make([]blockEnd, 1+len(p.pl.widths))
	}
	p.w = blockWriter{db: p.db, sl: p.sl, wb: p.wb, s: p.s, ends: p.ends}
	late := slices.Clone(p.s.late)
	slices.SortStableFunc(late, func(a, b lateSample) int { return int(min(1, max(-1, a.t-b.t))) })
	cut := p.pl.tailStart(p.s.sealed)
	n, _ := slices.BinarySearchFunc(late, cut, func(l lateSample, t int64) int { return int(min(1, max(-1, l.t-t))) })
	if err := p.toBlocks(late[:n]); err != nil {
		return err
	}
	if err := p.toTail(late[n:]); err != nil {
		return err
	}
	p.late = append(p.late, late[n:]...)
	carry := p.s.carry
	for _, l := range p.late {
		if l.t < cut && l.t >= carry.t {
			carry = sampleState{t: l.t, bits: bitsOf(l.value)}
		}
	}
	for wi := range p.pl.widths {
		if err := p.regroup(wi, cut); err != nil {
			return err
		}
	}
	return p.commit(carry)
}

// errTail ends placing altogether: unlike a damaged block, a tail is what the series' record is made of.
var errTail = fmt.Errorf("%w: tail", ErrCorrupt)

// toTail puts late samples into the tail: where widths do not nest, some groups before its end are sealed.
func (p *placer) toTail(late []lateSample) error {
	if len(late) == 0 {
		return nil
	}
	var a appender
	for _, l := range late {
		a.notes = append(a.notes, note{l.context, l.arrival(l.t)})
		a.rows = append(a.rows, row{ref: p.s.ref, note: uint32(len(a.notes)), t: l.t, value: l.value})
	}
	var ok bool
	if a.ts, a.vs, ok = p.s.tail.appendTo(nil, nil); !ok {
		return errTail
	}
	p.s.rebuild(&a, a.rows)
	return nil
}

// toBlocks merges late samples into the blocks of raw samples.
func (p *placer) toBlocks(late []lateSample) error {
	width := p.pl.widths[0]
	for len(late) > 0 {
		partition := uint32(late[0].t / span(width))
		k, v, last, err := p.target(keyRaw, width, partition, late[0].t)
		if err != nil {
			return err
		}
		n := 1
		for n < len(late) && late[n].t/span(width) == int64(partition) && (last || late[n].t <= k.end) {
			n++
		}
		err = p.toBlock(k, v, partition, late[:n])
		var damage *CorruptError
		if errors.As(err, &damage) {
			p.db.note(locate(err, p.s.meta.id))
			p.stuck = append(p.stuck, late[:n]...)
		} else if err != nil {
			return err
		} else {
			p.late = append(p.late, late[:n]...)
		}
		late = late[n:]
	}
	return nil
}

// target returns the series' first block of a partition that ends at t or later, or else its last one, or else no value, and whether
// there is none behind it. The value is a copy.
func (p *placer) target(kind byte, width int64, partition uint32, t int64) (k blockKey, v []byte, last bool, err error) {
	at := blockKey{kind, width, partition, p.s.ref, t}
	ours := func() bool {
		k, ok := parseBlockKey(p.it.Key())
		return ok && k.kind == kind && k.width == width && k.partition == partition && k.ref == p.s.ref
	}
	if !(p.it.SeekGE(at.append(nil)) && ours()) && !(p.it.SeekLT(at.append(nil)) && ours()) {
		at.end = -1
		return at, nil, true, p.it.Error()
	}
	k, _ = parseBlockKey(p.it.Key())
	if v, err = p.it.ValueAndErr(); err != nil {
		return k, nil, false, err
	}
	if v = slices.Clone(v); len(v) == 0 {
		return k, nil, false, k.corrupt(fmt.Errorf("%w: empty value", ErrCorrupt))
	}
	last = !(p.it.Next() && ours())
	return k, v, last, p.it.Error()
}

// toBlock merges late samples with a block, or with none, into one or several.
func (p *placer) toBlock(k blockKey, v []byte, partition uint32, late []lateSample) error {
	var old blockBuffer
	if v != nil {
		b, err := parseColumns(k, v)
		if err != nil {
			return err
		}
		if err := old.read(&b); err != nil {
			return corruptBlock(k, &b, err)
		}
		if k.end < late[0].t && len(old.ts)+len(late) > maxBlockRows {
			old, v = blockBuffer{}, nil // it is full, and they come after it
		}
	}
	var ts []int64
	var vs []float64
	var noted noteColumns
	old.noted.fill(len(old.ts))
	put := func(t int64, value, context, delay float64) {
		ts, vs = append(ts, t), append(vs, value)
		noted.contexts, noted.delays = append(noted.contexts, context), append(noted.delays, delay)
	}
	i := 0
	for _, l := range late {
		for ; i < len(old.ts) && old.ts[i] <= l.t; i++ {
			put(old.ts[i], old.values[i], old.noted.contexts[i], old.noted.delays[i])
		}
		put(l.t, l.value, float64(l.context), float64(l.delay))
	}
	for ; i < len(old.ts); i++ {
		put(old.ts[i], old.values[i], old.noted.contexts[i], old.noted.delays[i])
	}
	if v != nil {
		if err := p.w.drop(k.kind, k.width, k.partition, k.end); err != nil {
			return err
		}
	}
	at := func(i int) int64 { return ts[i] }
	return runs(len(ts), at, span(k.width), func(i, j int, partition uint32) error {
		if end := ts[j-1]; p.ends[0].rows == 0 || end >= p.ends[0].end {
			p.ends[0] = blockEnd{end: end, rows: j - i}
		}
		return p.w.putRaw(blockKey{keyRaw, k.width, partition, p.s.ref, ts[j-1]}, ts[i:j], vs[i:j], noted.rows(i, j))
	})
}

// read reads a block of raw samples.
func (buf *blockBuffer) read(b *encoding.Block) (err error) {
	if buf.ts, err = b.AppendTimes(buf.ts[:0], 0, b.Len()); err != nil {
		return err
	}
	if buf.values, err = b.AppendValues(buf.values[:0], columnValue, 0, b.Len()); err != nil {
		return err
	}
	return buf.noted.read(b, 0, b.Len())
}

// commit writes the batch and the series record, and makes the series what they say.
func (p *placer) commit(carry sampleState) error {
	s := p.s
	s.edits++ // a seal that is under way begins again
	p.sl.value = s.appendRecord(p.sl.value[:0], s.sealed, carry, p.ends, s.seams, &s.tail, s.notes, p.stuck)
	p.sl.key = seriesKey(p.sl.key[:0], s.ref)
	if err := p.wb.Set(p.sl.key, p.sl.value, nil); err != nil {
		return err
	}
	p.db.visible.RLock()
	defer p.db.visible.RUnlock()
	if err := p.db.expiring.noteBlocks(p.wb); err != nil {
		return err
	}
	if err := p.db.commitLazily(p.wb); err != nil {
		return err
	}
	s.carry, s.ends, s.late, s.stuck, s.groups = carry, p.ends, p.stuck, len(p.stuck), nil
	s.firstSeq.Store(0)
	p.db.head.bytes.Add(s.memBytes() - p.mem)
	p.db.last.changed(s.ref, p.pl)
	return nil
}

// regroup computes the sealed groups of a width that late samples touch afresh, and writes them.
func (p *placer) regroup(wi int, cut int64) error {
	width := p.pl.widths[wi]
	sealed := sealEnd(p.s.sealed, width)
	var from, to int64 // of groups to be computed together
	flush := func() error {
		if from >= to {
			return nil
		}
		err := p.recompute(wi, from, min(to, sealed), cut)
		var damage *CorruptError
		if errors.As(err, &damage) { // of aggregates or raw samples that nobody can read: the rest goes on
			p.db.note(locate(err, p.s.meta.id))
			return nil
		}
		return err
	}
	touch := func(t int64) error {
		g := groupFloor(t, width)
		if g >= sealed || g+width <= to {
			return nil
		}
		if to > from && g <= to+63*width && (g+width-from)/width <= 2*maxBlockRows {
			to = g + width
			return nil
		}
		if err := flush(); err != nil {
			return err
		}
		from, to = g, g+width
		return nil
	}
	for i, l := range p.late {
		if err := touch(l.t); err != nil {
			return err
		}
		if p.pl.before && (i+1 == len(p.late) || groupFloor(p.late[i+1].t, width) != groupFloor(l.t, width)) {
			next, err := p.next(groupFloor(l.t, width)+width, cut) // its difference or increase is from this one now
			if err != nil {
				return err
			}
			// A late sample before it is the next one itself, and touches its own group.
			if next != noTime && (i+1 == len(p.late) || next < p.late[i+1].t) {
				if err := touch(next); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// next returns the time of the first sample at t or later in blocks or the tail, noTime if there is none; late samples are touched anyway.
func (p *placer) next(t, cut int64) (int64, error) {
	next := int64(noTime)
	err := blockRange(p.it, keyRaw, p.pl.widths[0], p.s.ref, t, cut, func(k blockKey, v []byte) (bool, error) {
		b, err := parseColumns(k, v)
		if err != nil {
			return false, err
		}
		i, j, err := b.Range(t, cut)
		if err == nil && i < j {
			var ts []int64
			if ts, err = b.AppendTimes(nil, i, i+1); err == nil {
				next = ts[0]
			}
		}
		return false, corruptBlock(k, &b, err)
	})
	if next == noTime && err == nil {
		r := p.s.tail.reader()
		for range p.s.tail.n {
			if !r.next() {
				return next, errTail
			}
			if r.st.t >= t {
				return r.st.t, nil
			}
		}
	}
	return next, err
}

// raw returns the samples of a range, one an instant, and the groups of a width that had samples without the late ones.
func (p *placer) raw(from, to, cut, width int64) (ts []int64, vs []float64, had int, err error) {
	err = blockRange(p.it, keyRaw, p.pl.widths[0], p.s.ref, from, min(to, cut), func(k blockKey, v []byte) (bool, error) {
		b, err := parseColumns(k, v)
		if err != nil {
			return false, err
		}
		i, j, err := b.Range(from, min(to, cut))
		if err == nil {
			if ts, err = b.AppendTimes(ts, i, j); err == nil {
				vs, err = b.AppendValues(vs, columnValue, i, j)
			}
		}
		return b.Last() < to-1, corruptBlock(k, &b, err)
	})
	if err != nil {
		return nil, nil, 0, err
	}
	starts, _ := rollup.AppendGroups(nil, nil, ts, width)
	had = len(starts)
	for _, l := range p.late {
		if l.t >= from && l.t < min(to, cut) {
			ts, vs = append(ts, l.t), append(vs, l.value)
		}
	}
	ts, vs = byTime(ts, vs)
	if to > cut {
		var ok bool
		if ts, vs, ok = p.s.tail.appendRange(from, to, ts, vs); !ok {
			return nil, nil, 0, errTail
		}
		ts, vs = byTime(ts, vs)
	}
	ts, vs = lastOfEqual(ts, vs)
	return ts, vs, had, nil
}

// byTime sorts samples, leaving those of one instant in their order.
func byTime(ts []int64, vs []float64) ([]int64, []float64) {
	if slices.IsSorted(ts) {
		return ts, vs
	}
	at := make([]int, len(ts))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(i, j int) int { return int(min(1, max(-1, ts[i]-ts[j]))) })
	nt, nv := make([]int64, len(ts)), make([]float64, len(ts))
	for k, i := range at {
		nt[k], nv[k] = ts[i], vs[i]
	}
	return nt, nv
}

// before returns the newest sample before t, with the time noTime if there is none.
func (p *placer) before(t int64) (sampleState, error) {
	out := sampleState{t: noTime}
	width := p.pl.widths[0]
	k, b, ok, err := blockBefore(p.it, width, p.s.ref, 0, t)
	if err != nil {
		return out, err
	}
	if ok {
		_, j, err := b.Range(math.MinInt64, t)
		var ts []int64
		var vs []float64
		if err == nil {
			if ts, err = b.AppendTimes(nil, j-1, j); err == nil {
				vs, err = b.AppendValues(nil, columnValue, j-1, j)
			}
		}
		if err != nil {
			return out, corruptBlock(k, &b, err)
		}
		out = sampleState{t: ts[0], bits: bitsOf(vs[0])}
	}
	for _, l := range p.late {
		if l.t < t && l.t >= out.t {
			out = sampleState{t: l.t, bits: bitsOf(l.value)}
		}
	}
	r := p.s.tail.reader()
	for range p.s.tail.n {
		if !r.next() {
			return out, errTail
		}
		if r.st.t >= t {
			break
		}
		out = sampleState{t: r.st.t, bits: r.st.bits}
	}
	return out, nil
}

// changed says that blocks of a series have other content under their names. The caller holds visible for reading.
func (l *lastBlocks) changed(ref Ref, pl *plan) {
	l.epoch.Add(1)
	l.cache.drop(lastKey{keyRaw, pl.widths[0], ref})
	l.first.drop(lastKey{keyRaw, pl.widths[0], ref})
	for _, w := range pl.widths {
		l.cache.drop(lastKey{keyAgg, w, ref})
	}
}
