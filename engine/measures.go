package engine

import (
	"context"
	"math"
	"slices"

	"github.com/telemetrydb/tsdb/encoding"
	"github.com/telemetrydb/tsdb/rollup"
)

// measureReader reads the aggregates of one series and width: first from blocks, then, what is not sealed, from the tail.
type measureReader struct {
	v       *View
	s       *viewSeries
	ctx     context.Context
	wi      int
	width   int64
	methods []rollup.Method
	acc     []accumulator
	times   []int64 // of every group read; accumulators without times of their own have all of them
	present []uint64
	ts      []int64
	vs      []float64
}

// accumulator collects the points of one method.
type accumulator struct {
	values []float64
	times  []int64
	sparse bool // times are its own, because some group has no point
}

func (r *measureReader) read(from, to int64) ([]Points, error) {
	out := make([]Points, len(r.methods))
	if r.s.maxT == noTime || from >= to {
		return out, nil
	}
	lows, low, err := r.retained(from)
	if err != nil {
		return nil, err
	}
	sealed := sealEnd(r.s.sealed, r.width)
	if low < sealed {
		if err := r.blocks(low, min(to, sealed)); err != nil {
			return nil, err
		}
	}
	if to > sealed && r.s.tail.n > 0 {
		r.readTail()
		in := samples{r.ts, r.vs, r.s.carry}
		lo := max(low, sealed)
		hi := int64(math.MaxInt64)
		if to <= r.s.maxT {
			hi = r.ceil(to)
		}
		starts, cols := r.v.group.compute(r.s.plan, r.wi, in, lo, hi, r.s.seams, r.methods)
		r.add(starts, cols)
	}
	for i := range out {
		out[i] = r.acc[i].points(r.times, lows[i], to)
	}
	return out, nil
}

// readTail decodes the samples that aggregates of the tail are made of.
func (r *measureReader) readTail() {
	r.ts, r.vs, _ = r.s.tail.appendTo(r.ts[:0], r.vs[:0])
	if r.s.plan.keepAll {
		r.ts, r.vs = lastOfEqual(r.ts, r.vs)
	}
}

// ceil rounds t up to the end of its group.
func (r *measureReader) ceil(t int64) int64 {
	f := groupFloor(t, r.width)
	if f == t {
		return t
	}
	if f > math.MaxInt64-r.width {
		return math.MaxInt64
	}
	return f + r.width
}

// retained returns for each method the first time that retention shows, not before from, and the least of them.
func (r *measureReader) retained(from int64) (lows []int64, low int64, err error) {
	lows = make([]int64, len(r.methods))
	low = math.MaxInt64
	keep := r.s.plan.keep[r.wi]
	for i, m := range r.methods {
		lows[i] = from
		if keep > 0 {
			newest := groupFloor(r.s.maxT, r.width)
			if m.MayLack() {
				if newest, err = r.newestPoint(m); err != nil {
					return nil, 0, err
				}
			}
			if newest != noTime {
				lows[i] = max(from, newest-keep+1)
			}
		}
		low = min(low, lows[i])
	}
	return lows, groupFloor(low, r.width), nil
}

// newestPoint finds the newest point of a method that some groups lack.
func (r *measureReader) newestPoint(m rollup.Method) (int64, error) {
	s := r.s
	r.readTail()
	lo := sealEnd(s.sealed, r.width)
	starts, cols := r.v.group.compute(s.plan, r.wi, samples{r.ts, r.vs, s.carry}, lo, math.MaxInt64, s.seams, []rollup.Method{m})
	if i := lastPresent(len(starts), &cols[0]); i >= 0 {
		return starts[i], nil
	}
	it, sp := r.v.it, span(r.width)
	at := blockKey{keyAgg, r.width, uint32(max(0, s.maxT) / sp), s.ref, math.MaxInt64}
	for it.SeekLT(at.append(nil)) {
		k, ok := parseBlockKey(it.Key())
		if !ok || k.kind != keyAgg || k.width != r.width {
			break
		}
		if k.ref != s.ref {
			if k.partition == at.partition {
				if k.partition == 0 {
					break
				}
				k.partition--
			}
			at = blockKey{keyAgg, r.width, k.partition, s.ref, math.MaxInt64}
			continue
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return 0, err
		}
		if len(v) > 0 && v[0] == blockColumns {
			b, err := parseColumns(k, v)
			if err != nil {
				return 0, err
			}
			if t, ok, err := newestIn(&b, m); err != nil || ok {
				return t, corruptBlock(k, &b, err)
			}
		} // a derived block has groups of one sample: no rates, no counters, no std
		at = k
	}
	return noTime, it.Error()
}

// newestIn returns the newest point of a method in a block.
func newestIn(b *encoding.Block, m rollup.Method) (int64, bool, error) {
	at, ok := b.Find(uint16(m))
	if !ok {
		return 0, false, nil
	}
	present, all, err := b.AppendPresent(nil, at, 0, b.Len())
	if err != nil {
		return 0, false, err
	}
	i := b.Len() - 1
	if !all {
		i = lastPresent(b.Len(), &encoding.Column{Present: present})
	}
	if i < 0 {
		return 0, false, nil
	}
	ts, err := b.AppendTimes(nil, i, i+1)
	if err != nil {
		return 0, false, err
	}
	return ts[0], true, nil
}

func lastPresent(n int, c *encoding.Column) int {
	for i := n - 1; i >= 0; i-- {
		if c.Present == nil || rollup.Has(c.Present, i) {
			return i
		}
	}
	return -1
}

// blocks reads sealed groups with start in [from, to).
func (r *measureReader) blocks(from, to int64) error {
	type span struct{ from, to int64 } // derived: read after the iterator has left this kind
	var pending span
	flush := func() error {
		if pending.from >= pending.to {
			return nil
		}
		p := pending
		pending = span{}
		return r.fromRaw(p.from, p.to)
	}
	// A derived block is read by moving the iterator, so from the first one on blocks are set aside.
	var keys []blockKey
	var vals [][]byte
	end := r.s.end(1 + r.wi)
	if k, b := r.v.lastBlock(keyAgg, r.width, r.s, end, from); b != nil {
		return corruptBlock(k, &b.block, r.columns(&b.block, from, to))
	}
	ahead := r.v.newReadAhead(r.v.it, r.s, r.width, from, to)
	err := blockRange(r.v.it, keyAgg, r.width, r.s.ref, from, to, func(k blockKey, v []byte) (bool, error) {
		if err := r.ctx.Err(); err != nil {
			return false, err
		}
		if ahead.came(k) && v[0] == blockDerived && len(keys) == 0 {
			ahead.bringRaw(r.s.plan.widths[0], k, from)
		}
		if len(keys) == 0 && v[0] != blockDerived {
			more, err := r.fromColumns(k, v, from, to)
			if err == nil {
				r.v.keep(r.s, end, k, v)
			}
			return more, err
		}
		keys = append(keys, k)
		vals = append(vals, slices.Clone(v))
		return true, nil
	})
	if err != nil {
		return err
	}
	for i, k := range keys {
		if vals[i][0] == blockDerived {
			_, first, err := decodeDerived(vals[i], k)
			if err != nil {
				return k.corrupt(err)
			}
			if pending.from == pending.to {
				pending.from = max(first, from)
			}
			pending.to = max(pending.from, min(k.end+r.width, r.ceil(to)))
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		if _, err := r.fromColumns(k, vals[i], from, to); err != nil {
			return err
		}
	}
	return flush()
}

// fromRaw computes groups of sealed raw samples.
func (r *measureReader) fromRaw(from, to int64) error {
	var err error
	if r.ts, r.vs, err = r.v.appendRawBlocks(r.ctx, r.v.it, r.s, from, to, r.ts[:0], r.vs[:0]); err != nil {
		return err
	}
	if r.s.plan.keepAll {
		r.ts, r.vs = lastOfEqual(r.ts, r.vs)
	}
	starts, cols := r.v.group.compute(r.s.plan, r.wi, samples{r.ts, r.vs, sampleState{t: noTime}}, from, to, nil, r.methods)
	r.add(starts, cols)
	return nil
}

// fromColumns adds a block's groups of the range; more tells whether later blocks may have some too.
func (r *measureReader) fromColumns(k blockKey, v []byte, from, to int64) (more bool, err error) {
	b, err := parseColumns(k, v)
	if err != nil {
		return false, err
	}
	if err := r.columns(&b, from, to); err != nil {
		return false, corruptBlock(k, &b, err)
	}
	return b.Last() < to-1, nil
}

func (r *measureReader) columns(b *encoding.Block, from, to int64) error {
	i, j, err := b.Range(from, to)
	if err != nil || i == j {
		return err
	}
	at := len(r.times)
	if r.times, err = b.AppendTimes(r.times, i, j); err != nil {
		return err
	}
	starts := r.times[at:]
	for c, m := range r.methods {
		acc := &r.acc[c]
		col, ok := b.Find(uint16(m))
		if !ok {
			acc.skip(r.times[:at])
			continue
		}
		var all bool
		if r.present, all, err = b.AppendPresent(r.present[:0], col, i, j); err != nil {
			return err
		}
		if acc.values, err = b.AppendValues(acc.values, col, i, j); err != nil {
			return err
		}
		if all {
			acc.addTimes(starts)
		} else {
			acc.addPresent(r.times[:at], starts, r.present)
		}
	}
	return nil
}

// add takes groups and one column a method.
func (r *measureReader) add(starts []int64, cols []encoding.Column) {
	at := len(r.times)
	r.times = append(r.times, starts...)
	for c := range cols {
		acc := &r.acc[c]
		acc.values = append(acc.values, cols[c].Values...)
		if cols[c].Present == nil {
			acc.addTimes(starts)
		} else {
			acc.addPresent(r.times[:at], starts, cols[c].Present)
		}
	}
}

// skip gives the accumulator times of its own; before are those that it has shared so far.
func (a *accumulator) skip(before []int64) {
	if !a.sparse {
		a.sparse = true
		a.times = slices.Clone(before)
	}
}

func (a *accumulator) addTimes(starts []int64) {
	if a.sparse {
		a.times = append(a.times, starts...)
	}
}

func (a *accumulator) addPresent(before, starts []int64, present []uint64) {
	a.skip(before)
	for i, t := range starts {
		if rollup.Has(present, i) {
			a.times = append(a.times, t)
		}
	}
}

// points cuts what was read to [low, to).
func (a *accumulator) points(shared []int64, low, to int64) Points {
	ts := shared
	if a.sparse {
		ts = a.times
	}
	i, _ := slices.BinarySearch(ts, low)
	j, _ := slices.BinarySearch(ts, to)
	j = max(i, j)
	return Points{Times: ts[i:j:j], Values: a.values[i:j:j]}
}
