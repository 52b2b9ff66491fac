package engine

import (
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/encoding"
	"github.com/telemetrydb/tsdb/rollup"
)

// groupRows are groups of one width, with a value or none for each method.
type groupRows struct {
	starts []int64
	values [][]float64 // by method, dense
	has    [][]bool
}

func newGroupRows(methods int) *groupRows {
	return &groupRows{values: make([][]float64, methods), has: make([][]bool, methods)}
}

// add appends rows [i,j) of groups with columns.
func (g *groupRows) add(starts []int64, cols []encoding.Column, i, j int) {
	g.starts = append(g.starts, starts[i:j]...)
	for c := range cols {
		col := &cols[c]
		at := i
		if col.Present != nil {
			at = countBits(col.Present, i)
		}
		for k := i; k < j; k++ {
			there := col.Present == nil || rollup.Has(col.Present, k)
			v := 0.0
			if there {
				v = col.Values[at]
				at++
			}
			g.values[c], g.has[c] = append(g.values[c], v), append(g.has[c], there)
		}
	}
}

// columns returns rows [i,j) as columns of a block.
func (g *groupRows) columns(i, j int, methods []rollup.Method) []encoding.Column {
	cols := make([]encoding.Column, len(methods))
	for c, m := range methods {
		cols[c].ID = uint16(m)
		present := make([]uint64, (j-i+63)/64)
		for k := i; k < j; k++ {
			if g.has[c][k] {
				cols[c].Values = append(cols[c].Values, g.values[c][k])
				present[(k-i)/64] |= 1 << ((k - i) % 64)
			}
		}
		if len(cols[c].Values) < j-i {
			cols[c].Present = present
		}
	}
	return cols
}

// tierBlock is a block of aggregates that recomputed groups meet.
type tierBlock struct {
	key   blockKey
	block encoding.Block // of columns
	rows  int            // negative: a marker
	first int64
}

// recompute works out the groups of a width that start in [from, to) and puts them in place of those in blocks.
func (p *placer) recompute(wi int, from, to, cut int64) error {
	width := p.pl.widths[wi]
	ts, vs, had, err := p.raw(from, to, cut, width)
	if err != nil {
		return err
	}
	prev := sampleState{t: noTime}
	if p.pl.before {
		if prev, err = p.before(from); err != nil {
			return err
		}
	}
	starts, cols := p.sl.group.compute(p.pl, wi, samples{ts, vs, prev}, from, to, nil, p.pl.methods)
	single := p.pl.derived[wi] && len(starts) == len(ts)
	starts = slices.Clone(starts)
	fresh := newGroupRows(len(cols))
	fresh.add(starts, cols, 0, len(starts))
	sp := span(width)
	for i := 0; i < len(starts); {
		partition := starts[i] / sp
		j := i + 1
		for j < len(starts) && starts[j]/sp == partition {
			j++
		}
		whole := i == 0 && j == len(starts)
		if err := p.replace(wi, uint32(partition), fresh, i, j, single && whole, had, cut); err != nil {
			return err
		}
		i = j
	}
	return nil
}

// replace puts rows [i,j) of fresh, groups of one partition, into its blocks. had is how many of them were there before, if single: all have
// one sample and the width may be derived.
func (p *placer) replace(wi int, partition uint32, fresh *groupRows, i, j int, single bool, had int, cut int64) error {
	width := p.pl.widths[wi]
	lo, hi := fresh.starts[i], fresh.starts[j-1]+width
	met, err := p.meet(width, partition, lo, hi, single)
	if err != nil {
		return err
	}
	if single && !slices.ContainsFunc(met, func(b tierBlock) bool { return b.rows > 0 }) {
		n := j - i
		first, last := lo, hi-width
		for _, b := range met {
			n -= b.rows
			first, last = min(first, b.first), max(last, b.key.end)
			if err := p.w.drop(keyAgg, width, partition, b.key.end); err != nil {
				return err
			}
		}
		p.newEnd(wi, blockEnd{end: last, rows: -(n - had), first: first})
		p.sl.key = blockKey{keyAgg, width, partition, p.s.ref, last}.append(p.sl.key[:0])
		p.sl.value = appendDerived(p.sl.value[:0], n-had, (last-first)/width)
		return p.wb.Set(p.sl.key, p.sl.value, nil)
	}
	return p.rewrite(wi, partition, fresh, i, j, met, cut)
}

// meet returns the blocks of a tier that have groups in [lo, hi) or, without any, the one before or behind it that may take them: a marker
// takes them only if all have one sample.
func (p *placer) meet(width int64, partition uint32, lo, hi int64, single bool) ([]tierBlock, error) {
	takes := func(b tierBlock) bool { return b.rows < maxBlockRows && (b.rows > 0 || single) }
	var met []tierBlock
	sp := span(width)
	end := (int64(partition)+1)*sp - 1
	if end < 0 {
		end = hi
	}
	it, err := p.wb.NewIter(&pebble.IterOptions{LowerBound: []byte{keyAgg}, UpperBound: []byte{keyEnd}})
	if err != nil {
		return nil, fmt.Errorf("tsdb: reading blocks: %w", err)
	}
	defer it.Close()
	err = blockRange(it, keyAgg, width, p.s.ref, lo, max(hi, end), func(k blockKey, v []byte) (bool, error) {
		if k.partition != partition {
			return false, nil
		}
		b, err := p.tierBlock(k, v)
		if err != nil || b.first >= hi {
			if err == nil && len(met) == 0 && takes(b) {
				met = append(met, b)
			}
			return false, err
		}
		met = append(met, b)
		return true, nil
	})
	if err != nil || len(met) > 0 {
		return met, err
	}
	at := blockKey{keyAgg, width, partition, p.s.ref, lo}
	if !it.SeekLT(at.append(nil)) {
		return nil, it.Error()
	}
	k, ok := parseBlockKey(it.Key())
	if !ok || k.kind != keyAgg || k.width != width || k.partition != partition || k.ref != p.s.ref {
		return nil, nil
	}
	v, err := it.ValueAndErr()
	if err != nil {
		return nil, err
	}
	b, err := p.tierBlock(k, v)
	if err != nil || !takes(b) {
		return nil, err
	}
	return []tierBlock{b}, nil
}

// tierBlock parses a block and copies what it needs of it.
func (p *placer) tierBlock(k blockKey, v []byte) (b tierBlock, err error) {
	b.key = k
	switch {
	case len(v) == 0:
		return b, k.corrupt(fmt.Errorf("%w: empty value", ErrCorrupt))
	case v[0] == blockDerived:
		if b.rows, b.first, err = decodeDerived(v, k); err != nil {
			return b, k.corrupt(err)
		}
		b.rows = -b.rows
		return b, nil
	}
	if b.block, err = parseColumns(k, slices.Clone(v)); err == nil {
		b.rows, b.first = b.block.Len(), b.block.First()
	}
	return b, err
}

// rewrite writes the groups of the blocks met, with rows [i,j) of fresh in place of those that start where these do.
func (p *placer) rewrite(wi int, partition uint32, fresh *groupRows, i, j int, met []tierBlock, cut int64) error {
	width, methods := p.pl.widths[wi], p.pl.methods
	lo, hi := fresh.starts[i], fresh.starts[j-1]+width
	all := newGroupRows(len(methods))
	done := false
	putFresh := func() {
		if !done {
			done = true
			all.addRows(fresh, i, j)
		}
	}
	for _, b := range met {
		starts, cols, err := p.rowsOf(wi, b, cut)
		if err != nil {
			return err
		}
		x, _ := slices.BinarySearch(starts, lo)
		y, _ := slices.BinarySearch(starts, hi)
		all.add(starts, cols, 0, x)
		if y < len(starts) {
			putFresh()
		}
		all.add(starts, cols, y, len(starts))
		if err := p.w.drop(keyAgg, width, partition, b.key.end); err != nil {
			return err
		}
	}
	putFresh()
	at := func(i int) int64 { return all.starts[i] }
	return runs(len(all.starts), at, span(width), func(a, b int, partition uint32) error {
		end := all.starts[b-1]
		p.newEnd(wi, blockEnd{end: end, rows: b - a})
		return p.w.put(blockKey{keyAgg, width, partition, p.s.ref, end}, all.starts[a:b], all.columns(a, b, methods))
	})
}

// addRows appends rows [i,j) of another.
func (g *groupRows) addRows(o *groupRows, i, j int) {
	g.starts = append(g.starts, o.starts[i:j]...)
	for c := range g.values {
		g.values[c], g.has[c] = append(g.values[c], o.values[c][i:j]...), append(g.has[c], o.has[c][i:j]...)
	}
}

// rowsOf returns the groups of a block; those of a marker are computed.
func (p *placer) rowsOf(wi int, b tierBlock, cut int64) ([]int64, []encoding.Column, error) {
	width := p.pl.widths[wi]
	if b.rows < 0 {
		ts, vs, _, err := p.raw(b.first, b.key.end+width, cut, width)
		if err != nil {
			return nil, nil, err
		}
		starts, cols := p.sl.group.compute(p.pl, wi, samples{ts, vs, sampleState{t: noTime}}, b.first, b.key.end+width, nil, p.pl.methods)
		return starts, cols, nil
	}
	starts, stored, err := wholeBlock(&b.block)
	if err != nil {
		return nil, nil, corruptBlock(b.key, &b.block, err)
	}
	cols := make([]encoding.Column, len(p.pl.methods))
	for c, m := range p.pl.methods {
		k := slices.IndexFunc(stored, func(col encoding.Column) bool { return col.ID == uint16(m) })
		if k < 0 { // written under another set of methods
			cols[c] = encoding.Column{ID: uint16(m), Present: make([]uint64, (len(starts)+63)/64)}
			continue
		}
		cols[c] = stored[k]
	}
	return starts, cols, nil
}

// newEnd notes a block as the last of its tier if it is.
func (p *placer) newEnd(wi int, e blockEnd) {
	if old := p.ends[1+wi]; old.rows == 0 || e.end >= old.end {
		p.ends[1+wi] = e
	}
}
