package engine

import (
	"math"
	"runtime"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A long range of a metric lies in several partitions, far from each other in the store, and is read block after block: what comes from a disk
// costs a whole wait each time. So when the first one had to be waited for, goroutines bring what the metric has in the partitions that follow
// into memory, side by side. They change nothing of what is read: what they did not bring, or what has left the cache again, is read in its turn,
// with its errors.

const (
	// slowRead is how long a block takes that the system has to fetch from a disk; one that it has in memory takes a tenth.
	slowRead = 40 * time.Microsecond
	// aheadPartitions is how many partitions are brought at a time, each by a goroutine.
	aheadPartitions = 8
	// aheadAtOnce is how many such goroutines there are for all readers together, at most.
	aheadAtOnce = 32
	// aheadBytes is how much of a table is asked for at once meanwhile: what a metric has in a partition, and not much more.
	aheadBytes = 32 << 10
)

// readAhead looks after one read of the blocks of a metric, kind and width.
type readAhead struct {
	db     *DB
	it     *pebble.Iterator // that reads them
	ref    Ref
	last   int64         // time of the last sample that is asked for
	beyond int64         // the first partition that may be worth bringing more
	before time.Duration // how long the iterator had waited for the disk
}

// newReadAhead is for samples with from <= time < to.
func (v *View) newReadAhead(it *pebble.Iterator, s *viewSeries, width, from, to int64) readAhead {
	last := min(max(to, 1)-1, s.maxT)
	if sp := span(width); max(from, 0)/sp >= last/sp {
		return readAhead{beyond: math.MaxInt64} // one partition
	}
	return readAhead{db: v.db, it: it, ref: s.ref, last: last, before: waited(it)}
}

// waited is how long an iterator has waited for the file system.
func waited(it *pebble.Iterator) time.Duration {
	s := it.Stats()
	return s.InternalStats.BlockReadDuration
}

// came says that the block of the key has been read; it tells whether that took long, and more has been asked for.
func (a *readAhead) came(k blockKey) bool {
	p, sp := int64(k.partition), span(k.width)
	if p < a.beyond || p >= a.last/sp {
		return false
	}
	now := waited(a.it)
	slow := now-a.before >= slowRead // since the last block: those in memory take some microseconds, too
	a.before = now
	if !slow {
		return false
	}
	a.beyond = a.bring(k, p+1)
	return true
}

// bringRaw has the raw samples from a time on brought that the first block, a derived one, and those behind it are computed from.
func (a *readAhead) bringRaw(width int64, first blockKey, from int64) {
	from = max(from, int64(first.partition)*span(first.width))
	a.bring(blockKey{kind: keyRaw, width: width}, from/span(width))
}

// bring has partitions brought from the first one on, and returns the last of them.
func (a *readAhead) bring(k blockKey, first int64) int64 {
	last := min(a.last/span(k.width), first+aheadPartitions-1)
	for p := first; p <= last; p++ {
		a.db.bringPartition(blockKey{k.kind, k.width, uint32(p), a.ref, 0})
	}
	return last
}

// bringPartition reads, aside, what a metric has in a partition.
func (db *DB) bringPartition(from blockKey) {
	if db.ops.ahead.Add(1) > aheadAtOnce || db.begin() != nil {
		db.ops.ahead.Add(-1)
		return
	}
	to := from
	to.end = math.MaxInt64
	go func() {
		defer db.end()
		defer db.ops.ahead.Add(-1)
		it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: from.append(nil), UpperBound: to.append(nil)})
		if err != nil {
			return
		}
		for ok := it.First(); ok; {
			ok = it.Next()
		}
		_ = it.Close() // whoever asks for what could not be read gets the error
	}()
}

// readFile is a table that is read. A goroutine that waits for the disk keeps a processor from the others for a while, so they would wait one
// after the other. So while somebody reads ahead, the system is told what will be wanted, which takes no waiting, and the others may do the same
// before this one waits: with two processors that is twice as fast as merely reading side by side. Where there are other operations it does not: one that reads a series' record
// for an append holds locks that they may want.
type readFile struct {
	vfs.File
	ops *opGate
}

func (f *readFile) ReadAt(p []byte, off int64) (int, error) {
	if f.ops.ahead.Load() > 0 {
		_ = f.File.Prefetch(off, max(int64(len(p)), aheadBytes))
		if f.ops.alone() {
			runtime.Gosched()
		}
	}
	return f.File.ReadAt(p, off)
}
