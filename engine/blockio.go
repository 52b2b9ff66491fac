package engine

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/encoding"
	"github.com/telemetrydb/tsdb/rollup"
)

// joinRows is up to how many rows a metric's last block is joined with what comes after it: small blocks grow, and none
// is rewritten more than a few times.
const joinRows = maxBlockRows / 4

// blockBuffer is a block's content, decoded to be joined.
type blockBuffer struct {
	ts     []int64
	values []float64
	cols   []encoding.Column
}

// before returns the block of the same metric and partition that starts before key, if there is one. The value is valid
// until the iterator moves.
func (w *blockWriter) before(key blockKey) (blockKey, []byte, error) {
	if _, err := w.iterator(); err != nil {
		return blockKey{}, nil, err
	}
	w.sl.key = key.append(w.sl.key[:0])
	if !w.it.SeekLT(w.sl.key) {
		return blockKey{}, nil, w.it.Error()
	}
	k, ok := parseBlockKey(w.it.Key())
	if !ok || k.kind != key.kind || k.width != key.width || k.partition != key.partition || k.ref != key.ref {
		return blockKey{}, nil, nil
	}
	v, err := w.it.ValueAndErr()
	if err == nil && len(v) == 0 {
		err = w.corrupt(k, fmt.Errorf("%w: empty value", ErrCorrupt))
	}
	return k, v, err
}

func (w *blockWriter) corrupt(k blockKey, err error) error {
	return &CorruptError{Key: k.append(nil), Metric: w.s.meta.id, From: k.start, Err: err}
}

// small returns a series' last block, parsed, if it is small enough to be joined with n more rows at key.
func (w *blockWriter) small(end *blockEnd, key blockKey, n int) (k blockKey, b encoding.Block, ok bool, err error) {
	if end.rows <= 0 || end.rows >= joinRows || end.rows+n > maxBlockRows || end.start/span(key.width) != int64(key.partition) {
		return k, b, false, nil
	}
	k, v, err := w.before(key)
	if err != nil || v == nil || v[0] != blockColumns || k.start != end.start {
		return k, b, false, err // expired meanwhile
	}
	if b, err = encoding.ParseBlock(v[1:]); err != nil {
		return k, b, false, w.corrupt(k, err)
	}
	return k, b, true, nil
}

// last returns the raw samples to join with n rows at key.
func (w *blockWriter) last(end *blockEnd, key blockKey, n int) (*blockBuffer, error) {
	k, b, ok, err := w.small(end, key, n)
	if !ok || err != nil {
		return nil, err
	}
	buf := &w.sl.old
	if buf.ts, err = b.AppendTimes(buf.ts[:0], 0, b.Len()); err != nil {
		return nil, w.corrupt(k, err)
	}
	if buf.values, err = b.AppendValues(buf.values[:0], 0, 0, b.Len()); err != nil {
		return nil, w.corrupt(k, err)
	}
	return buf, nil
}

// lastColumns returns the last aggregate block of key's metric and partition with cols joined to it.
func (w *blockWriter) lastColumns(end *blockEnd, key blockKey, n int, cols []encoding.Column) (*blockBuffer, error) {
	k, b, ok, err := w.small(end, key, n)
	if !ok || err != nil {
		return nil, err
	}
	buf := &blockBuffer{}
	if buf.ts, err = b.AppendTimes(nil, 0, b.Len()); err != nil {
		return nil, w.corrupt(k, err)
	}
	for _, c := range cols {
		at, ok := b.Find(c.ID)
		if !ok {
			return nil, nil // written under another set of methods: leave it alone
		}
		joined, err := joinColumn(&b, at, c, n)
		if err != nil {
			return nil, w.corrupt(k, err)
		}
		buf.cols = append(buf.cols, joined)
	}
	return buf, nil
}

// joinColumn returns column at of b followed by the n rows of c.
func joinColumn(b *encoding.Block, at int, c encoding.Column, n int) (encoding.Column, error) {
	vs, err := b.AppendValues(nil, at, 0, b.Len())
	if err != nil {
		return c, err
	}
	present, all, err := b.AppendPresent(nil, at, 0, b.Len())
	if err != nil {
		return c, err
	}
	out := encoding.Column{ID: c.ID, Values: append(vs, c.Values...)}
	if all && c.Present == nil {
		return out, nil
	}
	if all {
		present = ones(b.Len())
	}
	words := (b.Len() + n + 63) / 64
	for len(present) < words {
		present = append(present, 0)
	}
	for i := range n {
		if c.Present == nil || rollup.Has(c.Present, i) {
			present[(b.Len()+i)/64] |= 1 << ((b.Len() + i) % 64)
		}
	}
	out.Present = present
	return out, nil
}

func ones(n int) []uint64 {
	w := make([]uint64, (n+63)/64)
	for i := range n {
		w[i/64] |= 1 << (i % 64)
	}
	return w
}

// columnRows returns the rows [i,j) of a column.
func columnRows(c encoding.Column, i, j int) encoding.Column {
	if c.Present == nil {
		return encoding.Column{ID: c.ID, Values: c.Values[i:j]}
	}
	a := countBits(c.Present, i)
	b := a
	words := make([]uint64, (j-i+63)/64)
	for k := i; k < j; k++ {
		if rollup.Has(c.Present, k) {
			words[(k-i)/64] |= 1 << ((k - i) % 64)
			b++
		}
	}
	if b-a == j-i {
		words = nil
	}
	return encoding.Column{ID: c.ID, Values: c.Values[a:b], Present: words}
}

// countBits counts the set bits before bit i.
func countBits(w []uint64, i int) int {
	n := 0
	for _, x := range w[:i/64] {
		n += bits.OnesCount64(x)
	}
	if i%64 != 0 {
		n += bits.OnesCount64(w[i/64] & (1<<(i%64) - 1))
	}
	return n
}

// expire deletes the metric's blocks that lie wholly before what is kept, where that is shorter than a partition; whole
// partitions are left to the background.
func (w *blockWriter) expire(kind byte, width, keep, newest int64) error {
	sp := span(width)
	if keep <= 0 || keep >= sp || newest == noTime {
		return nil
	}
	cutoff := newest - keep
	if cutoff <= 0 {
		return nil
	}
	if _, err := w.iterator(); err != nil {
		return err
	}
	for p := max(0, cutoff/sp-1); p <= cutoff/sp; p++ {
		from := blockKey{kind, width, uint32(p), w.s.ref, 0}
		w.sl.key = from.append(w.sl.key[:0])
		if !w.it.SeekGE(w.sl.key) {
			return w.it.Error()
		}
		first, ok := parseBlockKey(w.it.Key())
		if !ok || first.kind != kind || first.width != width || first.partition != uint32(p) || first.ref != w.s.ref {
			continue
		}
		to := blockKey{kind, width, uint32(p), w.s.ref, math.MaxInt64}
		if p == cutoff/sp {
			k, _, err := w.before(blockKey{kind, width, uint32(p), w.s.ref, cutoff + 1})
			if err != nil {
				return err
			}
			if to = k; to.start <= first.start {
				continue // the first block still holds something
			}
		}
		if err := w.wb.DeleteRange(from.append(nil), to.append(nil), nil); err != nil {
			return err
		}
	}
	return nil
}

// blockRange calls fn for the blocks of one metric and width that may hold times in [from, to), in order of time. The key
// says where a block starts; the value is valid during the call, which tells whether to go on. it must cover all keys of the kind.
func blockRange(it *pebble.Iterator, kind byte, width int64, ref Ref, from, to int64, fn func(k blockKey, v []byte) (more bool, err error)) error {
	from, to = max(from, 0), max(to, 0)
	if from >= to {
		return nil
	}
	sp := span(width)
	var buf [blockKeyLen]byte
	same := func(k blockKey, p int64) bool {
		return k.kind == kind && k.width == width && int64(k.partition) == p && k.ref == ref
	}
	for p := from / sp; p <= (to-1)/sp; p++ {
		// The block that holds from may start before it, but only in the same partition.
		ok := false
		if p == from/sp && from > p*sp && it.SeekLT(blockKey{kind, width, uint32(p), ref, from + 1}.append(buf[:0])) {
			k, good := parseBlockKey(it.Key())
			ok = good && same(k, p)
		}
		if !ok {
			ok = it.SeekGE(blockKey{kind, width, uint32(p), ref, 0}.append(buf[:0]))
		}
		for ; ; ok = it.Next() {
			if !ok {
				return it.Error()
			}
			k, good := parseBlockKey(it.Key())
			if !good || k.kind != kind || k.width != width {
				return nil
			}
			if !same(k, p) {
				// Another metric's: go on with the partition that the store has next.
				if int64(k.partition) > p {
					p = int64(k.partition) - 1
					if k.ref > ref {
						p++
					}
				}
				break
			}
			if k.start >= to {
				return nil
			}
			v, err := it.ValueAndErr()
			if err != nil {
				return err
			}
			if len(v) == 0 {
				return &CorruptError{Key: k.append(nil), From: k.start, Err: fmt.Errorf("%w: empty value", ErrCorrupt)}
			}
			if more, err := fn(k, v); err != nil || !more {
				return err
			}
		}
	}
	return it.Error()
}
