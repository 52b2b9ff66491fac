package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
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
	for _, ref := range refs {
		db.forget(ref) // before the blocks are looked for: from here on there come no more
	}
	blocks, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyRaw}, UpperBound: []byte{keyEnd}})
	if err != nil {
		return err
	}
	defer blocks.Close()
	wb := db.p.NewBatch()
	for _, ref := range refs {
		if err := wb.Delete(seriesKey(nil, ref), nil); err != nil {
			return err
		}
	}
	err = db.eachPartition(blocks, func(kind byte, width int64, p uint32) error {
		for _, ref := range refs {
			if err := db.dropNames(blocks, blockKey{kind: kind, width: width, partition: p, ref: ref}); err != nil {
				return err
			}
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
	db.head.lockOne(ref)
	defer db.head.unlockOne(ref)
	db.visible.RLock()
	defer db.visible.RUnlock()
	if s := db.head.get(ref); s != nil {
		s.gone = true
		s.firstSeq.Store(0)
		db.head.remove(s)
	}
	db.head.dropPacked(ref)
}
