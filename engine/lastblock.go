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
// Two things do, and change the epoch: expiry, for what retention had hidden must not come back when a policy keeps points longer, and late
// samples that are placed in blocks. A view uses and keeps blocks of its own epoch only.
//
// Only what is asked for again comes into memory, so that one pass over everything does not push out what is asked for every minute.
type lastBlocks struct {
	cache *clockCache[lastKey, *lastBlock]
	first *clockCache[lastKey, firstTime] // of series' blocks of raw samples
	epoch atomic.Uint64                   // changed while visible is held

	asked [askedBits / 32]atomic.Uint32 // a bit for the series asked for since they were cleared, by ref
	marks atomic.Int32
}

const askedBits = 1 << 15

// lastKey is a series' tier: blockKey's kind and width.
type lastKey struct {
	kind  byte
	width int64
	ref   Ref
}

type lastBlock struct {
	end   int64 // as in its key
	block encoding.Block
	ts    []int64 // the last rows of a block of raw samples, decoded: an hour or some of them
	vs    []float64
}

// firstTime is the time of the first sample that the blocks of a series have from a time on. It stays as blocks are added, so it holds for
// every from up to it, until a change of the epoch or of the metric's policy.
type firstTime struct {
	from, t int64
	moves   uint64 // DB.moves
}

const (
	lastRows = 64
	// firstTimesShare is the part of the memory that first times may take.
	firstTimesShare = 8
	// lastBlockBytes is what a block takes here beside its bytes and rows.
	lastBlockBytes = 240
)

func newLastBlocks(maxBytes int64) *lastBlocks {
	hash := func(k lastKey) uint32 { return hashRef(k.ref) }
	firsts := maxBytes / firstTimesShare
	return &lastBlocks{cache: newClockCache[lastKey, *lastBlock](maxBytes-firsts, hash), first: newClockCache[lastKey, firstTime](firsts, hash)}
}

// again tells whether a series was asked for lately, and remembers that it was. It may be wrong about few.
func (l *lastBlocks) again(ref Ref) bool {
	i := uint32(ref) % askedBits
	if bit := uint32(1) << (i % 32); l.asked[i/32].Or(bit)&bit != 0 {
		return true
	}
	if l.marks.Add(1) == askedBits/2 {
		l.marks.Store(0)
		for i := range l.asked {
			l.asked[i].Store(0)
		}
	}
	return false
}

// get returns the block if it is here and nothing before it is asked for. The key's partition does not matter.
func (l *lastBlocks) get(k blockKey, from int64) *lastBlock {
	b, ok := l.cache.get(lastKey{k.kind, k.width, k.ref})
	if !ok || b.end != k.end || from < b.block.First() {
		return nil
	}
	return b
}

// keep keeps a copy of a block that a view made at the epoch has read and found whole.
func (l *lastBlocks) keep(k blockKey, v []byte, epoch uint64) {
	b, err := encoding.ParseBlock(slices.Clone(v[1:]))
	if err != nil {
		return
	}
	last := &lastBlock{end: k.end, block: b}
	if n := b.Len(); k.kind == keyRaw {
		from := max(0, n-lastRows)
		if last.ts, err = b.AppendTimes(make([]int64, 0, n-from), from, n); err == nil {
			last.vs, err = b.AppendValues(make([]float64, 0, n-from), 0, from, n)
		}
		if err != nil {
			return
		}
	}
	l.cache.put(lastKey{k.kind, k.width, k.ref}, last, int64(len(v)+16*len(last.ts))+lastBlockBytes, &l.epoch, epoch)
}

// appendRaw appends the samples with from <= t < to.
func (b *lastBlock) appendRaw(from, to int64, ts []int64, vs []float64) ([]int64, []float64, error) {
	if from < b.ts[0] {
		return appendRange(&b.block, from, to, ts, vs)
	}
	i, _ := slices.BinarySearch(b.ts, from)
	j, _ := slices.BinarySearch(b.ts, to)
	if i >= j {
		return ts, vs, nil
	}
	return append(ts, b.ts[i:j]...), append(vs, b.vs[i:j]...), nil
}

// expired says that blocks have been deleted because retention has passed them. The caller holds visible for writing.
func (l *lastBlocks) expired() {
	l.epoch.Add(1)
	l.cache.clear()
	l.first.clear()
}
