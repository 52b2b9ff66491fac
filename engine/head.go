package engine

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// The head holds the series that have samples newer than their persisted record, and some recently used ones.
// A series that is not in it is whole in its record: the head is a write-back cache of the series records.
type head struct {
	locks seriesLocks
	pages slotPages[*series]
	packs slotPages[packedSeries] // see packed.go
	hand  int                     // how far DB.sweep has come; guarded by background.relieving

	bytes atomic.Int64 // taken by the series in memory
	count atomic.Int64 // series in memory
	queue dirtyQueue
}

const seriesPageLen = 512

// slotPages are pages of slots by ref / seriesPageLen. A slot is guarded by the lock of its ref.
type slotPages[T any] struct {
	grow sync.Mutex
	list atomic.Pointer[[]*[seriesPageLen]T] // replaced by a longer copy under grow
}

// get returns the series if it is in memory and not packed.
func (h *head) get(ref Ref) *series {
	p := h.pages.list.Load()
	if p == nil {
		return nil
	}
	i := int(ref / seriesPageLen)
	if i >= len(*p) || (*p)[i] == nil {
		return nil
	}
	return (*p)[i][ref%seriesPageLen]
}

// page returns the i-th page, nil if there is none.
func (sp *slotPages[T]) page(i int) *[seriesPageLen]T {
	if p := sp.list.Load(); p != nil && i < len(*p) {
		return (*p)[i]
	}
	return nil
}

// slot returns the slot of a ref, making its page if need be.
func (sp *slotPages[T]) slot(ref Ref) *T {
	i := int(ref / seriesPageLen)
	if p := sp.page(i); p != nil {
		return &p[ref%seriesPageLen]
	}
	sp.grow.Lock()
	defer sp.grow.Unlock()
	var old []*[seriesPageLen]T
	if p := sp.list.Load(); p != nil {
		old = *p
	}
	if i >= len(old) || old[i] == nil {
		pages := make([]*[seriesPageLen]T, max(len(old), i+1))
		copy(pages, old)
		pages[i] = new([seriesPageLen]T)
		sp.list.Store(&pages)
		old = pages
	}
	return &old[i][ref%seriesPageLen]
}

func (h *head) put(s *series) {
	*h.pages.slot(s.ref) = s
	h.count.Add(1)
	h.bytes.Add(s.memBytes())
}

func (h *head) remove(s *series) {
	*h.pages.slot(s.ref) = nil
	h.count.Add(-1)
	h.bytes.Add(-s.memBytes())
}

// each calls fn for every series in memory; fn takes the lock itself and must look the series up again.
func (h *head) each(fn func(ref Ref) error) error {
	p := h.pages.list.Load() // packed ones have been there, too
	if p == nil {
		return nil
	}
	for i, page := range *p {
		if page == nil {
			continue
		}
		for j := range page {
			if err := fn(Ref(i*seriesPageLen + j)); err != nil {
				return err
			}
		}
	}
	return nil
}

// dirtyQueue lists series by the log record that made them dirty, oldest first.
type dirtyQueue struct {
	mu    sync.Mutex
	items []dirtyItem
	first int // items before it are done
}

type dirtyItem struct {
	ref Ref
	seq uint64
}

func (q *dirtyQueue) push(s *series, seq uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.first > 1024 && q.first > len(q.items)/2 {
		q.items = q.items[:copy(q.items, q.items[q.first:])]
		q.first = 0
	}
	q.items = append(q.items, dirtyItem{s.ref, seq})
	// Appends of other series overtake one another. None is behind first: oldest runs while no batch is under way.
	for i := len(q.items) - 1; i > q.first && q.items[i-1].seq > seq; i-- {
		q.items[i-1], q.items[i] = q.items[i], q.items[i-1]
	}
}

// oldest returns the number of the log record that the head has needed for longest, 0 if it needs none, dropping items whose series
// are whole in their records. The caller holds DB.visible for writing.
func (q *dirtyQueue) oldest(h *head) (seq uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.first < len(q.items) {
		it := q.items[q.first]
		if h.dirtySince(it.ref) == it.seq {
			return it.seq
		}
		q.items[q.first] = dirtyItem{}
		q.first++
	}
	return 0
}

// longest returns up to n series that have been dirty for longest. The caller holds DB.visible for writing.
func (q *dirtyQueue) longest(h *head, n int) []Ref {
	q.mu.Lock()
	defer q.mu.Unlock()
	var refs []Ref
	for _, it := range q.items[q.first:] {
		if h.dirtySince(it.ref) == it.seq {
			if refs = append(refs, it.ref); len(refs) == n {
				break
			}
		}
	}
	return refs
}

// load returns the series of ref, from memory or from its record. The caller holds its lock and DB.visible for reading.
func (db *DB) load(ref Ref) (*series, error) {
	if s := db.head.get(ref); s != nil {
		s.touched = true
		return s, nil
	}
	if s := db.head.unpack(ref); s != nil {
		return s, nil
	}
	s, err := db.readSeries(db.p, ref)
	if err != nil {
		return nil, err
	}
	s.touched = true
	db.head.put(s)
	return s, nil
}

// readSeries reads a series as its record has it.
func (db *DB) readSeries(r pebble.Reader, ref Ref) (*series, error) {
	meta, err := db.cat.metricState(ref)
	if err != nil {
		return nil, err
	}
	s := newSeries(ref, meta)
	v, closer, err := r.Get(seriesKey(nil, ref))
	if errors.Is(err, pebble.ErrNotFound) {
		return s, nil
	}
	if err != nil {
		return nil, locate(fmt.Errorf("tsdb: series of metric %v: %w", meta.id, err), meta.id)
	}
	defer closer.Close()
	if err := s.restore(v); err != nil {
		return nil, &CorruptError{Key: seriesKey(nil, ref), Metric: meta.id, Err: err}
	}
	return s, nil
}

// newSeries returns the series of a metric without samples.
func newSeries(ref Ref, meta *metricState) *series {
	return emptySeries(ref, meta, meta.plan())
}

func emptySeries(ref Ref, meta *metricState, pl *plan) *series {
	return &series{ref: ref, meta: meta, policy: meta.policy, maxT: noTime, sealAt: maxBlockRows, sealed: noTime, from: noTime, carry: sampleState{t: noTime},
		all: pl.keepAll}
}

// restore fills a new series from its record.
func (s *series) restore(rec []byte) error {
	if err := s.decodeRecord(rec); err != nil {
		return err
	}
	if !s.tail.restore() || !s.notes.restore() {
		return fmt.Errorf("%w: tail of series record", ErrCorrupt)
	}
	s.sealAt = int32(s.tail.n + maxBlockRows)
	return nil
}
