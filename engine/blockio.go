package engine

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/encoding"
	"github.com/telemetrydb/tsdb/rollup"
)

// joinRows is up to how many rows a metric's last block is joined with what comes after it: crumbs grow to a block, and
// what is a block already is not read again, unless it is a crumb that comes after it. (At 1,024 joining took a seventh of
// the CPU of ingesting 10,000 series, and saved one byte in fifty.)
const (
	joinRows  = 256
	crumbRows = 4 * joinRows // up to which a block takes a crumb
)

// blockBuffer is a block's content, decoded to be joined.
type blockBuffer struct {
	ts     []int64
	values []float64
	noted  noteColumns // of raw samples
	cols   []encoding.Column
}

// small returns a series' last block of a kind and width, parsed, if it is small enough to be joined with n more rows in
// the partition, and has it deleted: the joined block has another key.
func (w *blockWriter) small(end *blockEnd, kind byte, width int64, partition uint32, n int) (k blockKey, b encoding.Block, ok bool, err error) {
	join := end.rows < joinRows || (n < joinRows || w.whole) && end.rows < crumbRows
	if end.rows <= 0 || !join || end.rows+n > maxBlockRows || end.end/span(width) != int64(partition) {
		return k, b, false, nil
	}
	k = blockKey{kind, width, partition, w.s.ref, end.end}
	it, err := w.iterator()
	if err != nil {
		return k, b, false, err
	}
	w.sl.key = k.append(w.sl.key[:0])
	if !it.SeekGE(w.sl.key) || !slices.Equal(it.Key(), w.sl.key) {
		return k, b, false, it.Error() // expired meanwhile
	}
	v, err := it.ValueAndErr()
	if err != nil || len(v) == 0 || v[0] != blockColumns {
		return k, b, false, err
	}
	if b, err = encoding.ParseBlock(v[1:]); err != nil {
		return k, b, false, w.corrupt(k, err)
	}
	return k, b, true, nil
}

func (w *blockWriter) corrupt(k blockKey, err error) error {
	c := k.corrupt(err)
	c.Metric = w.s.meta.id
	return c
}

// spared notes damage that sealing comes upon in older blocks and goes on: whoever reads them finds it, too. Other errors
// are returned.
func (w *blockWriter) spared(err error) error {
	var c *CorruptError
	if errors.As(err, &c) || pebble.IsCorruptionError(err) {
		w.db.note(locate(err, w.s.meta.id))
		return nil
	}
	return err
}

// last returns the raw samples to join with n rows of a partition, nil if there are none.
func (w *blockWriter) last(end *blockEnd, kind byte, width int64, partition uint32, n int) (*blockBuffer, error) {
	k, b, ok, err := w.small(end, kind, width, partition, n)
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
	if err := buf.noted.read(&b, 0, b.Len()); err != nil {
		return nil, w.corrupt(k, err)
	}
	return buf, w.drop(kind, width, partition, end.end)
}

// lastColumns returns the last aggregate block with cols, n rows, joined to it, nil if it is not to be joined.
func (w *blockWriter) lastColumns(end *blockEnd, width int64, partition uint32, n int, cols []encoding.Column) (*blockBuffer, error) {
	k, b, ok, err := w.small(end, keyAgg, width, partition, n)
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
	return buf, w.drop(keyAgg, width, partition, end.end)
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
	it, err := w.iterator()
	if err != nil {
		return err
	}
	for p := max(0, cutoff/sp-1); p <= cutoff/sp; p++ {
		from := blockKey{kind, width, uint32(p), w.s.ref, 0}
		if err := w.spared(deleteBlocks(it, w.wb, from, blockKey{kind, width, uint32(p), w.s.ref, cutoff + 1})); err != nil {
			return err
		}
	}
	return nil
}

// blockRange calls fn for the blocks of one metric and width that end at or after from, in the partitions up to that of to, in
// order of time, until it says that there is no more. The value is valid during the call. it must cover all keys of the kind.
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
		ok := it.SeekGE(blockKey{kind, width, uint32(p), ref, from}.append(buf[:0]))
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
			v, err := it.ValueAndErr()
			if err != nil {
				return err
			}
			if len(v) == 0 {
				return k.corrupt(fmt.Errorf("%w: empty value", ErrCorrupt))
			}
			if more, err := fn(k, v); err != nil || !more {
				return err
			}
		}
	}
	return it.Error()
}
