package engine

import (
	"errors"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
)

// replayer replays the log: read decodes it by chunks, replay applies one.
type replayer struct {
	db      *DB
	log     logReader
	trimmed uint64 // the records up to this one are contained in series records
	rows    []row  // of the record being read
	run     int    // 1 << run neighbouring series are of one bucket
	room    int    // bytes of a chunk
	records int    // of a chunk, at most
	workers []replayWorker
	has     []atomic.Uint64 // by ref, for the first so many: the series contains the records up to this one

	full, free chan *replayChunk
	stop       chan struct{} // closed when nothing more is wanted
}

// replayChunk is what was read of the log at once. Its rows are in buckets by series, and one worker applies a bucket, the rows of each series one
// after the other: a series comes into the processor's cache once a chunk and not once a record.
type replayChunk struct {
	buckets [replayBuckets]replayRows
	notes   []note
	records []replayRecord
	memory  []byte
	pages   []byte       // of memory, not used yet
	taken   atomic.Int32 // buckets that workers have taken
}

// replayBuckets times what a worker has at hand of a bucket should stay in the processor's cache.
const replayBuckets = 256

// replayRecord is a log record among the decoded rows.
type replayRecord struct {
	seq   uint64
	bytes int64
	at    logPlace
}

// pageLen is the length of a page of a chunk; each bucket has one that is not full.
func (c *replayChunk) pageLen() int { return len(c.memory) / (4 * replayBuckets) }

// newPage returns an empty page. Behind the end of a chunk a record may take more.
func (c *replayChunk) newPage() []byte {
	n := c.pageLen()
	if len(c.pages) < n {
		return make([]byte, 0, n)
	}
	page := c.pages[:0:n]
	c.pages = c.pages[n:]
	return page
}

func (c *replayChunk) reset() {
	for i := range c.buckets {
		c.buckets[i] = replayRows{pages: c.buckets[i].pages[:0]}
	}
	c.notes, c.records, c.pages = c.notes[:0], c.records[:0], c.memory
	c.taken.Store(0)
}

func newReplayer(db *DB, trimmed uint64, logBytes int64) *replayer {
	r := &replayer{db: db, log: logReader{fs: db.opts.FS, dir: db.dir}, trimmed: trimmed,
		run:     min(max(bits.Len32(db.cat.counts.Load().metric)-bits.Len(replayBuckets-1), 0), 10),
		room:    int(min(max(db.opts.MemoryBytes/replayShare, 512<<10), 64<<20, 2*logBytes+256<<10)),
		workers: make([]replayWorker, runtime.GOMAXPROCS(0)),
		full:    make(chan *replayChunk), free: make(chan *replayChunk, 2), stop: make(chan struct{})}
	r.records = r.room >> 6
	for w := range r.workers {
		r.workers[w].r = r
	}
	r.has = make([]atomic.Uint64, min(db.opts.MemoryBytes>>9, logBytes/4))
	for range cap(r.free) {
		r.free <- new(replayChunk)
	}
	return r
}

// replayShare is what part of the memory budget a chunk of the log takes; there are two.
const replayShare = 16

// read decodes the files and hands over what they hold, in order.
func (r *replayer) read(nums []uint64) error {
	c, _ := r.next()
	for _, num := range nums {
		last := uint64(0)
		err := r.log.each(num, func(at logPlace, payload []byte) (err error) {
			seq, fields, err := openLogRecord(payload)
			if err != nil {
				return r.log.corrupt(at, err)
			}
			last = max(last, seq)
			if seq <= r.trimmed {
				return nil
			}
			if r.rows, c.notes, err = decodeLogRows(r.rows[:0], c.notes, fields); err != nil {
				return r.log.corrupt(at, err)
			}
			r.share(c, r.rows, seq)
			c.records = append(c.records, replayRecord{seq, int64(len(payload)), at})
			if len(c.pages) < c.pageLen() || max(len(c.records), len(c.notes)) >= r.records { // of records, all rows may have been forgotten
				c, err = r.hand(c)
			}
			return err
		})
		if err == errUnwanted {
			return nil
		}
		if err != nil {
			return err
		}
		r.db.log.read(num, last)
	}
	_, _ = r.hand(c)
	return nil
}

var errUnwanted = errors.New("replay stopped") // nobody sees it

// hand gives a chunk away and returns an empty one.
func (r *replayer) hand(c *replayChunk) (*replayChunk, error) {
	select {
	case r.full <- c:
		return r.next()
	case <-r.stop:
		return c, errUnwanted
	}
}

func (r *replayer) next() (*replayChunk, error) {
	c := <-r.free
	if c.memory == nil { // a short log needs no second one
		c.memory = make([]byte, r.room)
	}
	c.reset()
	return c, nil
}

// share puts the rows of the record that comes next into buckets, but for those of series that are known to contain it: half of
// the log, when series are sealed one after the other.
func (r *replayer) share(c *replayChunk, rows []row, seq uint64) {
	record := uint32(len(c.records))
	for i := range rows {
		row := &rows[i]
		if int(row.ref) < len(r.has) && seq <= r.has[row.ref].Load() {
			continue
		}
		c.buckets[row.ref>>r.run%replayBuckets].append(c, row, record)
	}
}

// replay applies the records of a chunk to the series that do not contain them yet. It makes pauses to bring memory within its bounds.
func (r *replayer) replay(c *replayChunk) error {
	db := r.db
	for i := range c.records {
		rec := &c.records[i]
		db.seq.Store(max(rec.seq, db.seq.Load()))
		db.log.add(rec.seq, rec.bytes)
	}
	for more := true; more; {
		var done sync.WaitGroup
		for i := range r.workers {
			done.Go(func() { r.workers[i].work(c) })
		}
		done.Wait()
		var dirty []dirtyItem
		var errs []error
		more = false
		for i := range r.workers {
			w := &r.workers[i]
			dirty, errs = append(dirty, w.dirty...), append(errs, w.err)
			w.dirty = w.dirty[:0]
			more = more || w.chunk != nil
		}
		db.head.queue.merge(dirty)
		if err := errors.Join(errs...); err != nil {
			return err
		}
		if db.head.bytes.Load() > db.headBudget() {
			if err := db.relieve(); err != nil {
				return err
			}
		}
	}
	return nil
}
