package engine

import (
	"errors"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// replayer replays the log by chunks: first all processors decode one, then all apply it.
type replayer struct {
	db      *DB
	log     logReader
	trimmed uint64 // the records up to this one are contained in series records
	chunk   replayChunk
	block   *replayBlock      // being read
	raw     chan *replayBlock // to be decoded
	decoded sync.WaitGroup
	free    chan []byte // for what blocks decode
	records int         // of the chunk
	bytes   int64       // of the records of the chunk
	left    int64       // bytes of the log that have not been read yet, about
	ahead   int         // how many more chunks like this one are to come, up to 2: tails should not grow for each
	err     error       // why nothing more can be applied
	workers []replayWorker
	run     int               // 1 << run neighbouring series are of one bucket
	has     []uint64          // by ref, for the first so many: the series contains the records up to this one
	last    map[uint64]uint64 // by file, the highest record number in it
}

// replayChunk is what was read of the log at once. Its rows are in buckets by series, and one worker applies a bucket, the rows of each series one
// after the other: a series comes into the processor's cache once a chunk and not once a record.
type replayChunk struct {
	blocks  []*replayBlock // in the order of the log
	records []replayRecord
	notes   []note
	room    []row        // for the rows of blocks
	used    atomic.Int64 // of room
	taken   atomic.Int32 // buckets that workers have taken
}

const rowBytes = 24

// replayBuckets times what a worker has at hand of a bucket should stay in the processor's cache.
const replayBuckets = 256

// replayRecord is a log record among the decoded rows.
type replayRecord struct {
	seq   uint64
	bytes int64
	at    logPlace
}

func newReplayer(db *DB, trimmed uint64, logBytes int64) *replayer {
	metrics := int64(db.cat.counts.Load().metric)
	r := &replayer{db: db, left: logBytes, log: logReader{fs: db.opts.FS, dir: db.dir}, trimmed: trimmed,
		raw:     make(chan *replayBlock, 1),
		workers: make([]replayWorker, runtime.GOMAXPROCS(0)),
		run:     min(max(bits.Len64(uint64(metrics))-bits.Len(replayBuckets-1), 0), 10),
		has:     make([]uint64, min(db.opts.MemoryBytes>>9, logBytes/4, metrics+1)),
		last:    map[uint64]uint64{}}
	rows := min(max(db.opts.MemoryBytes/8, 1<<20), 128<<20) / rowBytes
	r.chunk.room = make([]row, min(rows, max(256*metrics, 1<<16), logBytes/4+1024))
	r.free = make(chan []byte, len(r.workers)+2)
	for w := range r.workers {
		r.workers[w].r = r
	}
	return r
}

// replayBlockLen is how long what a worker decodes at once is in the log, about: so that its rows stay in the processor's cache.
const replayBlockLen = 64 << 10

// replay replays files of the log, in their order.
func (r *replayer) replay(nums []uint64) error {
	for i := range r.workers {
		go r.workers[i].decode()
	}
	defer close(r.raw)
	var err error
	for _, num := range nums {
		if err = r.log.each(num, r.read); err != nil {
			break
		}
		r.hand()
	}
	if aerr := r.apply(); aerr != nil { // what lies before
		return aerr
	}
	if err != nil {
		return err
	}
	for _, num := range nums {
		r.db.log.read(num, r.last[num])
	}
	return nil
}

// read takes a record of the log.
func (r *replayer) read(at logPlace, payload []byte) error {
	b := r.block
	if b == nil {
		b = r.chunk.next()
		select {
		case b.raw = <-r.free:
		default:
			b.raw = make([]byte, 0, replayBlockLen*5/4)
		}
		r.block = b
	}
	b.raw = append(b.raw, payload...)
	b.records = append(b.records, replayRecord{bytes: int64(len(payload)), at: at})
	r.records++
	r.bytes += int64(len(payload))
	if len(b.raw) < replayBlockLen {
		return nil
	}
	r.hand()
	if room := len(r.chunk.room); int(r.chunk.used.Load()) < room*7/8 && r.records < room/4 { // of records, all rows may have been forgotten
		return nil
	}
	return r.apply()
}

// hand has a worker decode what was read.
func (r *replayer) hand() {
	if r.block != nil {
		r.decoded.Add(1)
		r.raw <- r.block
		r.block = nil
	}
}

// apply applies the records read to the series that do not contain them yet.
func (r *replayer) apply() error {
	if r.err == nil {
		r.hand()
		r.decoded.Wait()
		r.left -= r.bytes
		r.ahead = int(min(max(r.left/max(r.bytes, 1), 0), 2))
		if r.err = r.gather(); r.err == nil {
			r.err = r.work()
		}
	}
	r.chunk.reset()
	r.records, r.bytes = 0, 0
	return r.err
}

// work has the chunk applied, with pauses to bring memory within its bounds.
func (r *replayer) work() error {
	for more := true; more; {
		var done sync.WaitGroup
		for i := range r.workers {
			done.Go(r.workers[i].work)
		}
		done.Wait()
		var dirty []dirtyItem
		var errs []error
		more = false
		for i := range r.workers {
			w := &r.workers[i]
			dirty, errs = append(dirty, w.dirty...), append(errs, w.err)
			w.dirty = w.dirty[:0]
			more = more || w.busy
		}
		r.db.head.queue.merge(dirty)
		if err := errors.Join(errs...); err != nil {
			return err
		}
		if r.db.head.bytes.Load() > r.db.headBudget() {
			if err := r.db.relieve(); err != nil {
				return err
			}
		}
	}
	return nil
}

// gather brings together what the workers have decoded.
func (r *replayer) gather() error {
	c, db := &r.chunk, r.db
	c.notes, c.records = c.notes[:0], slices.Grow(c.records[:0], r.records)
	for _, b := range c.blocks {
		if b.err != nil {
			return b.err
		}
		for i := range b.marks {
			m := &b.marks[i]
			if m.record += uint32(len(c.records)); m.note > 0 {
				m.note += uint32(len(c.notes))
			}
		}
		c.notes, c.records = append(c.notes, b.notes...), append(c.records, b.records...)
	}
	for i := range c.records {
		rec := &c.records[i]
		r.last[rec.at.num] = max(r.last[rec.at.num], rec.seq)
		if rec.seq > r.trimmed {
			db.seq.Store(max(rec.seq, db.seq.Load()))
			db.log.add(rec.seq, rec.bytes)
		}
	}
	return nil
}
