package engine

import (
	"slices"
	"sync/atomic"

	"github.com/telemetrydb/tsdb/encoding"
)

// lastBlocks keeps the last block of series, checked and parsed: most questions are about the newest hours. Where the head has the series
// too, such a question asks nothing of Pebble.
//
// A block's name has its last time, and sealed groups are closed: as long as a view's copy of the series says that its last block ends
// there, the block that was read under that name has the same rows. So sealing invalidates nothing here, nor does encoding a block anew.
// Expiry does: what retention had hidden must not come back when a policy keeps points longer.
type lastBlocks struct {
	cache *clockCache[lastKey, *lastBlock]
	epoch atomic.Uint64 // of expiry; changed while visible is held for writing
}

// lastKey is a series' tier: blockKey's kind and width.
type lastKey struct {
	kind  byte
	width int64
	ref   Ref
}

type lastBlock struct {
	end   int64 // as in its key
	block encoding.Block
}

// lastBlockBytes is what a block takes here beside its bytes.
const lastBlockBytes = 160

func newLastBlocks(maxBytes int64) *lastBlocks {
	return &lastBlocks{cache: newClockCache[lastKey, *lastBlock](maxBytes, func(k lastKey) uint32 { return hashRef(k.ref) })}
}

// get returns the block if it is here and nothing before it is asked for. The key's partition does not matter.
func (l *lastBlocks) get(k blockKey, from int64) *encoding.Block {
	b, ok := l.cache.get(lastKey{k.kind, k.width, k.ref})
	if !ok || b.end != k.end || from < b.block.First() {
		return nil
	}
	return &b.block
}

// keep keeps a copy of a block that a view made at the epoch has read. Its checksum held a moment ago.
func (l *lastBlocks) keep(k blockKey, v []byte, epoch uint64) {
	b, err := encoding.ParseBlock(slices.Clone(v[1:]))
	if err != nil {
		return
	}
	l.cache.put(lastKey{k.kind, k.width, k.ref}, &lastBlock{k.end, b}, int64(len(v))+lastBlockBytes, &l.epoch, epoch)
}

// expired says that blocks have been deleted because retention has passed them. The caller holds visible for writing.
func (l *lastBlocks) expired() {
	l.epoch.Add(1)
	l.cache.clear()
}
