package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// reserveBytes is the room on disk below which writes are refused, so that what runs can be finished.
const reserveBytes = 64 << 20

// room refuses writes when the disk is nearly full, and takes them again when there is room.
func (db *DB) room() error {
	if err := db.flushes.check(); err != nil {
		return err
	}
	n := db.roomLeft.Add(-1)
	if n > 0 {
		return nil
	}
	u, err := db.opts.FS.GetDiskUsage(db.dir)
	if errors.Is(err, vfs.ErrUnsupported) {
		db.roomLeft.Store(1 << 30)
		return nil
	}
	if err != nil {
		return fmt.Errorf("tsdb: asking for free space: %w", err)
	}
	if u.AvailBytes < reserveBytes {
		return fmt.Errorf("tsdb: %w: %d bytes are free, writes go on at %d", ErrFull, u.AvailBytes, int64(reserveBytes))
	}
	db.roomLeft.Store(256) // batches until the next look
	return nil
}

// tiers calls fn for every kind and width that has blocks.
func tiers(it *pebble.Iterator, fn func(kind byte, width int64) error) error {
	at := blockKey{kind: keyRaw}
	for it.SeekGE(at.append(nil)) {
		k, ok := parseBlockKey(it.Key())
		if !ok {
			return it.Error()
		}
		if err := fn(k.kind, k.width); err != nil {
			return err
		}
		at = blockKey{k.kind, k.width + 1, 0, 0, 0}
	}
	return it.Error()
}

// partitions calls fn for the partitions of a tier that have blocks, oldest first, until it returns false.
func partitions(it *pebble.Iterator, kind byte, width int64, fn func(p uint32) (bool, error)) error {
	at := blockKey{kind: kind, width: width}
	for it.SeekGE(at.append(nil)) {
		k, ok := parseBlockKey(it.Key())
		if !ok || k.kind != kind || k.width != width {
			break
		}
		if more, err := fn(k.partition); err != nil || !more {
			return err
		}
		if k.partition+1 == 0 {
			break
		}
		at.partition = k.partition + 1
	}
	return it.Error()
}

// purge gives back the space of deleted metrics. Every metric deleted has a key in the purge list until its blocks are
// covered by deletions.
func (db *DB) purge() error {
	if !db.purgeable.Swap(false) {
		return nil
	}
	if err := db.purgeSome(); err != nil {
		db.purgeable.Store(true)
		return err
	}
	return nil
}

func (db *DB) purgeSome() error {
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyPurge}, UpperBound: []byte{keyPurge + 1}})
	if err != nil {
		return err
	}
	defer it.Close()
	var refs []Ref
	for ok := it.First(); ok && len(refs) < purgeBatch; ok = it.Next() {
		if ref, ok := parsePurgeKey(it.Key()); ok {
			refs = append(refs, ref)
		}
	}
	if err := it.Error(); err != nil || len(refs) == 0 {
		return err
	}
	db.purgeable.Store(len(refs) == purgeBatch)
	blocks, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyRaw}, UpperBound: []byte{keyEnd}})
	if err != nil {
		return err
	}
	defer blocks.Close()
	wb := db.p.NewBatch()
	for _, ref := range refs {
		db.forget(ref)
		if err := wb.Delete(seriesKey(nil, ref), nil); err != nil {
			return err
		}
	}
	err = db.eachPartition(blocks, func(kind byte, width int64, p uint32) error {
		for _, ref := range refs {
			if err := deleteBlocks(blocks, wb, blockKey{kind, width, p, ref, 0}, blockKey{kind, width, p, ref + 1, 0}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if err := wb.Delete(purgeKey(nil, ref), nil); err != nil {
			return err
		}
	}
	return db.commitLazily(wb)
}

const purgeBatch = 1024

// deleteBlocks deletes a range of blocks if there is anything in it: tombstones for nothing cost every later read.
func deleteBlocks(it *pebble.Iterator, wb *writeBatch, from, to blockKey) error {
	a, b := from.append(nil), to.append(nil)
	if !it.SeekGE(a) || slices.Compare(it.Key(), b) >= 0 {
		return it.Error()
	}
	return wb.DeleteRange(a, b, nil)
}

func (db *DB) eachPartition(it *pebble.Iterator, fn func(kind byte, width int64, p uint32) error) error {
	type tier struct {
		kind  byte
		width int64
	}
	var all []tier
	if err := tiers(it, func(kind byte, width int64) error {
		all = append(all, tier{kind, width})
		return nil
	}); err != nil {
		return err
	}
	for _, t := range all {
		var ps []uint32
		if err := partitions(it, t.kind, t.width, func(p uint32) (bool, error) {
			ps = append(ps, p)
			return true, nil
		}); err != nil {
			return err
		}
		for _, p := range ps {
			if err := fn(t.kind, t.width, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// forget takes a deleted metric's series out of memory.
func (db *DB) forget(ref Ref) {
	db.head.lock(1 << stripeOf(ref))
	defer db.head.unlock(1 << stripeOf(ref))
	db.visible.RLock()
	defer db.visible.RUnlock()
	if s := db.head.get(ref); s != nil {
		s.gone = true
		s.firstSeq.Store(0)
		db.head.remove(s)
	}
}

// expireEvery is how often partitions are looked through for what retention no longer shows.
const expireEvery = 10 * time.Minute

// expirePartitions deletes blocks that no policy shows any more: whole partitions at once where all metrics agree, else
// runs of neighbouring metrics. Retention goes by each metric's own newest sample (Gnocchi v1, retention), so a metric
// that has stopped keeps its points.
func (db *DB) expirePartitions() error {
	if now := time.Now(); now.Before(db.expireAt) {
		return nil
	} else {
		db.expireAt = now.Add(expireEvery)
	}
	return db.expireNow()
}

func (db *DB) expireNow() error {
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keySeries}, UpperBound: []byte{keyEnd}})
	if err != nil {
		return err
	}
	defer it.Close()
	return db.eachPartition(it, func(kind byte, width int64, p uint32) error {
		return db.expirePartition(it, kind, width, p)
	})
}

// expirePartition walks the metrics of one partition and deletes the runs of those whose retention has passed its end.
func (db *DB) expirePartition(it *pebble.Iterator, kind byte, width int64, p uint32) error {
	end := int64(math.MaxInt64)
	if sp := span(width); int64(p)+1 <= math.MaxInt64/sp {
		end = (int64(p) + 1) * sp
	}
	wb := db.p.NewBatch()
	run := blockKey{kind, width, p, 0, 0} // after the last metric that is kept
	expired := 0                          // metrics since run
	at := run
	for it.SeekGE(at.append(nil)) {
		k, ok := parseBlockKey(it.Key())
		if !ok || k.kind != kind || k.width != width || k.partition != p {
			break
		}
		gone, err := db.hasExpired(k, end)
		if err != nil {
			return err
		}
		at = blockKey{kind, width, p, k.ref + 1, 0}
		if gone {
			expired++
		} else {
			if expired > 0 {
				if err := wb.DeleteRange(run.append(nil), blockKey{kind, width, p, k.ref, 0}.append(nil), nil); err != nil {
					return err
				}
			}
			run, expired = at, 0
		}
		if k.ref == math.MaxUint32 {
			break
		}
	}
	if err := it.Error(); err != nil {
		return err
	}
	if expired > 0 {
		if err := wb.DeleteRange(run.append(nil), blockKey{kind, width, p, math.MaxUint32, math.MaxInt64}.append(nil), nil); err != nil {
			return err
		}
	}
	if wb.Empty() {
		return wb.Close()
	}
	return db.commitLazily(wb)
}

// hasExpired tells whether all of a metric's blocks of a partition that ends at end are out of its retention.
func (db *DB) hasExpired(k blockKey, end int64) (bool, error) {
	s, err := db.peek(k.ref)
	if errors.Is(err, ErrNotFound) {
		return false, nil // deleted: purge's business
	}
	if err != nil {
		return false, err
	}
	keep := s.plan.rawKeep
	if k.kind == keyAgg {
		wi := s.plan.width(k.width)
		if wi < 0 {
			return false, nil
		}
		keep = s.plan.keep[wi]
	}
	if keep <= 0 || s.maxT == noTime || end > s.maxT-keep {
		return false, nil
	}
	if k.kind == keyRaw {
		return true, nil
	}
	newest, err := db.newestOfAll(&s, k.width)
	return err == nil && newest != noTime && end <= newest-keep, err
}

// newestOfAll returns the oldest of the newest points of a series' methods: std and rates may have none for long.
func (db *DB) newestOfAll(s *viewSeries, width int64) (int64, error) {
	newest := groupFloor(s.maxT, width)
	for _, m := range s.plan.methods {
		if !m.Rate() && m.Base() != rollup.Std {
			continue
		}
		v, err := db.View(s.ref)
		if err != nil {
			return noTime, err
		}
		vs, err := v.find(s.ref)
		if err == nil {
			r := measureReader{v: v, s: vs, wi: vs.plan.width(width), width: width}
			var t int64
			t, err = r.newestPoint(m)
			newest = min(newest, t)
		}
		v.Close()
		if err != nil {
			return noTime, err
		}
	}
	return newest, nil
}

// peek returns a copy of a series' state without bringing it into memory.
func (db *DB) peek(ref Ref) (viewSeries, error) {
	meta, err := db.cat.metricState(ref)
	if err != nil {
		return viewSeries{}, err
	}
	out := viewSeries{ref: ref, id: meta.id, plan: meta.plan()}
	db.head.lock(1 << stripeOf(ref))
	defer db.head.unlock(1 << stripeOf(ref))
	s := db.head.get(ref)
	if s == nil {
		if s, err = db.readSeries(db.p, ref); err != nil {
			return out, err
		}
	}
	out.copyOf(s)
	return out, nil
}
