package engine

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/encoding"
)

// Samples are columns of samples, equally long.
type Samples struct {
	Times    []int64 // nanoseconds since the Unix epoch
	Values   []float64
	Contexts []ContextRef // 0: none
	Arrivals []int64      // nanoseconds since the Unix epoch, whole milliseconds
	Seqs     []uint32     // which of the samples of its instant, from 0 in the order of arrival
	Metrics  []Ref        // of a reader of several metrics, else nil
}

func (c *Samples) reset() {
	c.Times, c.Values, c.Contexts = c.Times[:0], c.Values[:0], c.Contexts[:0]
	c.Arrivals, c.Seqs, c.Metrics = c.Arrivals[:0], c.Seqs[:0], c.Metrics[:0]
}

// cut leaves the first n samples.
func (c *Samples) cut(n int) {
	c.Times, c.Values, c.Contexts = c.Times[:n], c.Values[:n], c.Contexts[:n]
	c.Arrivals, c.Seqs = c.Arrivals[:n], c.Seqs[:n]
}

// SampleQuery says which samples are read, and in which order. The zero value reads all, newest first.
type SampleQuery struct {
	OldestFirst bool        // samples of one instant in the order of arrival; else in the opposite order
	Limit       int         // 0: no limit
	Contexts    *ContextSet // only samples of these; nil: all samples, also those without a context
}

// SampleReader reads samples of one metric, some columns at a time:
//
//	for r.Next() {
//		c := r.Columns()
//	}
//	return r.Err()
//
// It decodes no more than it is asked for. Several readers of one view may be read in turn, by the view's goroutine.
type SampleReader struct {
	v    *View
	ctx  context.Context
	s    *viewSeries
	q    SampleQuery
	from int64
	to   int64 // newest first: of what is left; likewise from, oldest first
	left int
	err  error

	tailDone bool
	block    encoding.Block // newest first: the block being read, and its rows that are left
	key      blockKey
	low, up  int
	step     int // rows to decode next

	out   Samples
	noted noteColumns
	notes []annotation // of what is in out before finish
}

// Samples returns a reader of the metric's raw samples that are kept with from <= time < to. Errors are the reader's.
func (v *View) Samples(ctx context.Context, m Ref, from, to int64, q SampleQuery) *SampleReader {
	r := &SampleReader{v: v, ctx: ctx}
	s, err := v.find(m)
	if r.err = err; err == nil {
		r.open(s, from, to, q)
	}
	return r
}

func (r *SampleReader) open(s *viewSeries, from, to int64, q SampleQuery) {
	r.s, r.q, r.from, r.to = s, q, max(0, from), to
	r.left = q.Limit
	if q.Limit <= 0 {
		r.left = math.MaxInt
	}
	r.step = min(max(64, r.left), maxBlockRows)
	switch {
	case s.maxT == noTime:
		r.left = 0
	case s.plan.raw == 0:
		r.from = max(r.from, s.plan.floor(s.maxT))
	case s.plan.raw > 0:
		r.from = max(r.from, min(s.maxT-s.plan.raw+1, s.plan.floor(s.maxT)))
	}
	if s.maxT < math.MaxInt64 {
		r.to = min(r.to, s.maxT+1)
	}
}

// Columns returns the samples that Next has read, at least one: read only, valid until the next Next.
func (r *SampleReader) Columns() *Samples { return &r.out }

// Err returns what stopped Next, nil at a plain end. A CorruptError says which range cannot be read.
func (r *SampleReader) Err() error { return r.err }

// Next reads more samples. False means the end or an error: ask Err.
func (r *SampleReader) Next() bool {
	r.out.reset()
	for r.err == nil && r.left > 0 && r.from < r.to {
		if r.err = r.ctx.Err(); r.err != nil {
			break
		}
		var more bool
		if r.q.OldestFirst {
			more, r.err = r.forward()
		} else {
			more, r.err = r.backward()
		}
		if n := len(r.out.Times); r.err == nil && n > 0 {
			if n > r.left {
				r.out.cut(r.left)
			}
			r.left -= len(r.out.Times)
			if !more {
				r.left = 0
			}
			return true
		}
		if !more {
			break
		}
	}
	r.left = 0
	if r.err != nil && r.s != nil {
		r.err = locate(r.err, r.s.id)
	}
	return false
}

// tailFirst is the time of the tail's first sample.
func (vs *viewSeries) tailFirst() int64 {
	if vs.tail.n == 0 {
		return math.MaxInt64
	}
	r := vs.tail.reader()
	r.next()
	return r.st.t
}

// forward reads the samples of the next block, or at last the tail's.
func (r *SampleReader) forward() (more bool, err error) {
	first := r.s.tailFirst()
	if !r.tailDone && r.s.sealed != noTime && r.from < min(first, r.to) {
		found := false
		end := min(first, r.to)
		err := blockRange(r.v.it, keyRaw, r.s.plan.widths[0], r.s.ref, r.from, end, func(k blockKey, val []byte) (bool, error) {
			b, err := parseColumns(k, val)
			if err != nil {
				return false, err
			}
			i, j, err := b.Range(r.from, end)
			if err == nil && i < j {
				err = r.readBlock(&b, i, j)
			}
			found = true
			r.from = b.Last() + 1
			return false, corruptBlock(k, &b, err)
		})
		if err != nil || found {
			return true, err
		}
	}
	r.tailDone = true
	_, err = r.readTail(math.MaxInt)
	return false, err
}

// backward reads the tail's samples, or some of the last block's that has any left.
func (r *SampleReader) backward() (more bool, err error) {
	if !r.tailDone {
		if first := r.s.tailFirst(); first < r.to {
			to, err := r.readTail(r.step)
			r.step = min(4*r.step, maxBlockRows)
			r.to = max(to, r.from)
			r.tailDone = to == first
			r.reverse()
			return r.s.sealed != noTime || !r.tailDone, err
		}
		r.tailDone = true
	}
	if r.s.sealed == noTime {
		return false, nil
	}
	for r.low == r.up {
		ok, err := r.olderBlock()
		if !ok || err != nil {
			return false, err
		}
	}
	i := max(r.low, r.up-min(r.step, max(r.left, 64)))
	r.step = min(4*r.step, maxBlockRows)
	for i > r.low { // one instant's samples are read together
		ts, err := r.block.AppendTimes(nil, i-1, i+1)
		if err != nil {
			return false, corruptBlock(r.key, &r.block, err)
		}
		if ts[0] != ts[1] {
			break
		}
		i--
	}
	err = corruptBlock(r.key, &r.block, r.readBlock(&r.block, i, r.up))
	r.up = i
	r.reverse()
	return true, err
}

// olderBlock goes on to the block before the present one, or at first to the last one that reaches before the end of the range.
func (r *SampleReader) olderBlock() (bool, error) {
	var ok bool
	var err error
	if r.key == (blockKey{}) {
		r.key, r.block, ok, err = blockBefore(r.v.it, r.s.plan.widths[0], r.s.ref, r.from, r.to)
	} else {
		r.key, r.block, ok, err = previousBlock(r.v.it, r.key, r.from)
	}
	if err == nil && ok {
		r.low, r.up, err = r.block.Range(r.from, r.to)
		err = corruptBlock(r.key, &r.block, err)
	}
	return ok, err
}

// blockBefore returns a copy of the last block of raw samples of a series that begins before the time to and ends at from or later.
func blockBefore(it *pebble.Iterator, width int64, ref Ref, from, to int64) (k blockKey, b encoding.Block, ok bool, err error) {
	if to <= 0 {
		return k, b, false, nil
	}
	at := blockKey{keyRaw, width, uint32((to - 1) / span(width)), ref, to - 1}
	if it.SeekGE(at.append(nil)) {
		if k, ok := parseBlockKey(it.Key()); ok && k.tierOf(at) && k.partition == at.partition && k.ref == at.ref {
			if b, err = rawBlock(k, it); err != nil || b.First() < to {
				return k, b, err == nil, err
			}
		}
	}
	return previousBlock(it, at, from)
}

// previousBlock returns a copy of the last block of a series before the key, if it ends at from or later.
func previousBlock(it *pebble.Iterator, at blockKey, from int64) (k blockKey, b encoding.Block, ok bool, err error) {
	sp := span(at.width)
	for int64(at.partition) >= max(0, from)/sp && it.SeekLT(at.append(nil)) {
		k, ok := parseBlockKey(it.Key())
		switch {
		case !ok || !k.tierOf(at):
			return k, b, false, it.Error()
		case k.ref == at.ref && k.partition == at.partition:
			if k.end < from {
				return k, b, false, nil
			}
			b, err = rawBlock(k, it)
			return k, b, err == nil, err
		case k.partition == at.partition: // another metric's, which comes before ours: we have none here
			if k.partition == 0 {
				return k, b, false, nil
			}
			k.partition--
		}
		at = blockKey{at.kind, at.width, k.partition, at.ref, math.MaxInt64}
	}
	return k, b, false, it.Error()
}

func (k blockKey) tierOf(at blockKey) bool { return k.kind == at.kind && k.width == at.width }

// rawBlock parses a copy of the block that the iterator is at.
func rawBlock(k blockKey, it *pebble.Iterator) (encoding.Block, error) {
	val, err := it.ValueAndErr()
	if err != nil {
		return encoding.Block{}, err
	}
	if len(val) == 0 {
		return encoding.Block{}, k.corrupt(fmt.Errorf("%w: empty value", ErrCorrupt))
	}
	return parseColumns(k, slices.Clone(val))
}

// readBlock appends the rows [i,j) of a block to out, in order of time.
func (r *SampleReader) readBlock(b *encoding.Block, i, j int) (err error) {
	c := &r.out
	if err := r.noted.read(b, i, j); err != nil {
		return err
	}
	if r.q.Contexts != nil && !r.anyWanted() {
		return nil
	}
	if c.Times, err = b.AppendTimes(c.Times, i, j); err != nil {
		return err
	}
	if c.Values, err = b.AppendValues(c.Values, columnValue, i, j); err != nil {
		return err
	}
	r.notes = r.notes[:0]
	for k := range r.noted.contexts {
		r.notes = append(r.notes, annotation{ContextRef(r.noted.contexts[k]), int64(r.noted.delays[k])})
	}
	r.finish()
	return nil
}

// anyWanted tells whether a context of the rows just read is asked for.
func (r *SampleReader) anyWanted() bool {
	last := -1.0
	for _, x := range r.noted.contexts {
		if x != last && r.q.Contexts.Has(ContextRef(x)) {
			return true
		}
		last = x
	}
	return len(r.noted.contexts) == 0 && r.q.Contexts.Has(0)
}

// readTail appends the tail's last n samples of the range, or a few more, to out, in order of time, and returns the time of the first
// one; if the range has no other before it in the tail, that of the tail's first.
func (r *SampleReader) readTail(n int) (int64, error) {
	c, t, v := &r.out, &r.s.tail, r.v
	if t.n == 0 {
		return 0, nil
	}
	damaged := &CorruptError{Key: seriesKey(nil, r.s.ref), Metric: r.s.id, From: r.s.tailFirst(), To: r.s.maxT, Err: ErrCorrupt}
	var ok bool
	if v.ts, v.vs, ok = t.appendTo(v.ts[:0], v.vs[:0]); !ok {
		return 0, damaged
	}
	if r.notes = r.notes[:0]; r.s.notes != nil {
		if v.notes, ok = r.s.notes.appendTo(v.notes[:0], t.n); !ok {
			return 0, damaged
		}
	}
	i, _ := slices.BinarySearch(v.ts, r.from)
	j, _ := slices.BinarySearch(v.ts, r.to)
	j = max(i, j)
	first := v.ts[0]
	if j-i > n {
		for i = j - n; i > 0 && v.ts[i-1] == v.ts[i]; { // one instant's samples are read together
			i--
		}
		first = v.ts[i]
	}
	c.Times, c.Values = append(c.Times, v.ts[i:j]...), append(c.Values, v.vs[i:j]...)
	if r.s.notes != nil {
		r.notes = append(r.notes, v.notes[i:j]...)
	}
	r.finish()
	return first, nil
}

// finish makes the other columns of what is in Times, Values and notes, and leaves only samples that are asked for.
func (r *SampleReader) finish() {
	c := &r.out
	n := 0
	seq := uint32(0)
	for i, t := range c.Times {
		if seq++; i == 0 || t != c.Times[i-1] {
			seq = 0
		}
		var a annotation
		if len(r.notes) > 0 {
			a = r.notes[i]
		}
		c.Seqs = append(c.Seqs, seq)
		c.Contexts = append(c.Contexts, a.context)
		c.Arrivals = append(c.Arrivals, a.arrival(t))
	}
	if r.q.Contexts == nil {
		return
	}
	last, has := ContextRef(0), r.q.Contexts.Has(0)
	for i, x := range c.Contexts {
		if x != last {
			last, has = x, r.q.Contexts.Has(x)
		}
		if has {
			c.Times[n], c.Values[n], c.Contexts[n], c.Arrivals[n], c.Seqs[n] = c.Times[i], c.Values[i], x, c.Arrivals[i], c.Seqs[i]
			n++
		}
	}
	c.cut(n)
}

func (r *SampleReader) reverse() {
	c := &r.out
	slices.Reverse(c.Times)
	slices.Reverse(c.Values)
	slices.Reverse(c.Contexts)
	slices.Reverse(c.Arrivals)
	slices.Reverse(c.Seqs)
}
