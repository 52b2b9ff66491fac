package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// oldest knows the time of the oldest raw sample. It is looked up when it is first asked for, and again after retention has deleted
// something; in between samples of new series and late ones are all that can make it less.
type oldest struct {
	mu      sync.Mutex
	scanned bool
	found   int64        // by looking
	low     atomic.Int64 // of samples since then; math.MaxInt64: none
	stale   atomic.Bool
}

// note takes the time of a sample that may be the oldest.
func (o *oldest) note(t int64) {
	for {
		low := o.low.Load()
		if t >= low || o.low.CompareAndSwap(low, t) {
			return
		}
	}
}

// OldestSample returns the time of the oldest sample of all metrics whose policies keep raw samples; false if there is none. Under
// retention it is the oldest one that is still stored: it moves on when space is given back, which is some minutes after samples
// are out of their metric's retention, and at most by whole partitions. The first call looks at all series.
func (db *DB) OldestSample(ctx context.Context) (t int64, ok bool, err error) {
	if err := db.begin(); err != nil {
		return 0, false, err
	}
	defer db.end()
	o := &db.oldest
	o.mu.Lock()
	defer o.mu.Unlock()
	if stale := o.stale.Swap(false); stale || !o.scanned {
		o.low.Store(math.MaxInt64)
		if o.found, err = db.findOldest(ctx); err != nil {
			o.stale.Store(true)
			return 0, false, err
		}
		o.scanned = true
	}
	t = min(o.found, o.low.Load())
	return t, t != math.MaxInt64, nil
}

// findOldest looks for the oldest raw sample.
func (db *DB) findOldest(ctx context.Context) (int64, error) {
	found := int64(math.MaxInt64)
	take := func(ref Ref, t int64) error {
		if t >= found {
			return nil
		}
		meta, err := db.cat.metricState(ref)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err == nil && meta.plan().raw != 0 {
			found = t
		}
		return err
	}
	err := db.head.each(func(ref Ref) error {
		if oldest, ok := db.oldestInHead(ref); ok {
			return take(ref, oldest)
		}
		return nil
	})
	if err != nil {
		return found, err
	}
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keySeries}, UpperBound: []byte{keyEnd}})
	if err != nil {
		return found, fmt.Errorf("tsdb: reading: %w", err)
	}
	defer it.Close()
	var s series
	for ok := it.First(); ok && it.Key()[0] == keySeries; ok = it.Next() {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return found, err
		}
		ref := Ref(beUint32(it.Key()[1:]))
		if oldest, ok := db.oldestInHead(ref); ok { // perhaps brought there since
			err = take(ref, oldest)
		} else if s.decodeRecord(v) == nil {
			err = take(ref, s.oldestUnsealed())
		}
		if err != nil {
			return found, err
		}
	}
	// Blocks of raw samples: of each tier the oldest partition.
	return found, tiers(it, func(kind byte, width int64) error {
		if kind != keyRaw {
			return nil
		}
		return db.oldestOfTier(it, width, &found)
	})
}

// oldestInHead is the time of the oldest sample of a series that is in memory and not in its blocks.
func (db *DB) oldestInHead(ref Ref) (t int64, ok bool) {
	db.head.lockOne(ref)
	defer db.head.unlockOne(ref)
	s := db.head.look(ref)
	if s == nil || s.gone {
		return 0, false
	}
	return s.oldestUnsealed(), true
}

func (db *DB) oldestOfTier(it *pebble.Iterator, width int64, found *int64) error {
	first := blockKey{kind: keyRaw, width: width}
	for ok := it.SeekGE(first.append(nil)); ok; ok = it.Next() {
		k, good := parseBlockKey(it.Key())
		if !good || k.kind != keyRaw || k.width != width || first.ref != 0 && k.partition != first.partition {
			break
		}
		first = k
		if b, err := rawBlock(k, it); err == nil { // damage is for who reads the samples
			*found = min(*found, b.First())
		}
	}
	return it.Error()
}

// oldestUnsealed is the time of the oldest sample that is not in blocks.
func (s *series) oldestUnsealed() int64 {
	t := int64(math.MaxInt64)
	if r := s.tail.reader(); s.tail.n > 0 && r.next() {
		t = r.st.t
	}
	for i := range s.late {
		t = min(t, s.late[i].t)
	}
	return t
}
