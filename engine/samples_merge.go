package engine

import (
	"container/heap"
	"context"
)

// MergedReader reads samples of several metrics in one order of time. It is used as a SampleReader.
type MergedReader struct {
	ctx     context.Context
	q       SampleQuery
	sources sampleHeap
	left    int
	err     error
	out     Samples
}

// mergeRows is how many samples a MergedReader hands out at a time.
const mergeRows = 512

// MergeSamples returns a reader of the raw samples that are kept of all metrics of the view, with from <= time < to: newest first or oldest
// first over all of them, and the limit counts all of them. Newest first, a metric is not read before its newest sample's turn
// comes. Samples of one instant come by Ref, then as within a metric.
func (v *View) MergeSamples(ctx context.Context, from, to int64, q SampleQuery) *MergedReader {
	m := &MergedReader{ctx: ctx, q: q, left: q.Limit}
	if q.Limit <= 0 {
		m.left = int(^uint(0) >> 1)
	}
	m.sources.oldest = q.OldestFirst
	for i := range v.series {
		s := &v.series[i]
		if m.err = s.ensure(v.it); m.err != nil {
			return m
		}
		src := &sampleSource{ref: s.ref, at: s.maxT}
		src.r = SampleReader{v: v, ctx: ctx}
		src.r.open(s, from, to, SampleQuery{OldestFirst: q.OldestFirst, Contexts: q.Contexts})
		src.r.step = 16 // most metrics give a few
		if src.r.from >= src.r.to || src.r.left == 0 {
			continue
		}
		src.at = src.r.to - 1
		if q.OldestFirst {
			src.at = src.r.from
		}
		m.sources.list = append(m.sources.list, src)
	}
	heap.Init(&m.sources)
	return m
}

// sampleSource is a metric of a MergedReader.
type sampleSource struct {
	r    SampleReader
	ref  Ref
	at   int64 // time of its next sample; before it is opened, a bound of it
	next int   // in the columns of r
	open bool
}

// Columns returns the samples that Next has read, at least one: read only, valid until the next Next.
func (m *MergedReader) Columns() *Samples { return &m.out }

// Err returns what stopped Next, nil at a plain end.
func (m *MergedReader) Err() error { return m.err }

// Next reads more samples. False means the end or an error: ask Err.
func (m *MergedReader) Next() bool {
	m.out.reset()
	if m.err == nil {
		m.err = m.ctx.Err()
	}
	for m.err == nil && m.left > 0 && len(m.out.Times) < mergeRows && len(m.sources.list) > 0 {
		s := m.sources.list[0]
		if !s.open || s.next == len(s.r.out.Times) {
			if !s.r.Next() {
				m.err = s.r.err
				heap.Pop(&m.sources)
				continue
			}
			s.open, s.next, s.at = true, 0, s.r.out.Times[0]
			heap.Fix(&m.sources, 0)
			continue
		}
		m.take(s)
		heap.Fix(&m.sources, 0)
	}
	return m.err == nil && len(m.out.Times) > 0
}

// take hands out the next sample of a source.
func (m *MergedReader) take(s *sampleSource) {
	c, o, i := &s.r.out, &m.out, s.next
	o.Times, o.Values = append(o.Times, c.Times[i]), append(o.Values, c.Values[i])
	o.Contexts, o.Arrivals = append(o.Contexts, c.Contexts[i]), append(o.Arrivals, c.Arrivals[i])
	o.Seqs, o.Metrics = append(o.Seqs, c.Seqs[i]), append(o.Metrics, s.ref)
	m.left--
	if s.next++; s.next < len(c.Times) {
		s.at = c.Times[s.next]
	}
	// At the end of its columns a source's next sample is not known: it stays first until they are read.
}

// sampleHeap has the source whose next sample comes first on top.
type sampleHeap struct {
	list   []*sampleSource
	oldest bool
}

func (h *sampleHeap) Len() int { return len(h.list) }

func (h *sampleHeap) Less(i, j int) bool {
	a, b := h.list[i], h.list[j]
	if a.at != b.at {
		return a.at < b.at == h.oldest
	}
	return a.ref < b.ref
}

func (h *sampleHeap) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }

// Push is heap.Interface's.
func (h *sampleHeap) Push(x any) { h.list = append(h.list, x.(*sampleSource)) }

// Pop is heap.Interface's.
func (h *sampleHeap) Pop() any {
	n := len(h.list) - 1
	s := h.list[n]
	h.list[n] = nil
	h.list = h.list[:n]
	return s
}
