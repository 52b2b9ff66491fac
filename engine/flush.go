package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// flushes follows Pebble's flushes of memory to tables, which it retries for ever.
type flushes struct {
	mu     sync.Mutex            // guards last and before: events come from several goroutines
	last   error                 // of the flush that ended last
	before int64                 // failures in a row before it
	fails  atomic.Int64          // in a row
	why    atomic.Pointer[error] // of the last failure
	failed chan struct{}         // of one place: there was another failure
}

// maxFlushFails is how many failures in a row are more than an accident.
const maxFlushFails = 3

func (f *flushes) ended(i pebble.FlushInfo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last, f.before = i.Err, f.fails.Load()
	f.fails.Store(0) // until backgroundError says otherwise; a flush of nothing has an error, too
}

func (f *flushes) backgroundError(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != f.last {
		return // a compaction's
	}
	f.why.Store(&err)
	f.fails.Store(f.before + 1)
	select {
	case f.failed <- struct{}{}:
	default:
	}
}

// check returns why flushes fail, nil if they do not. As long as they fail writes must stop: they would wait for room in
// memory and keep readers waiting.
func (f *flushes) check() error {
	if f.fails.Load() < maxFlushFails {
		return nil
	}
	return fmt.Errorf("tsdb: tables cannot be written: %w", *f.why.Load())
}

// flush writes what is in Pebble's memory to tables and gives up if that keeps failing: nothing is lost, it is in the log.
func (db *DB) flush(ctx context.Context) error {
	var done <-chan struct{}
	err := db.guard(func() (err error) {
		done, err = db.p.AsyncFlush()
		return err
	})
	for err == nil {
		select {
		case <-done:
			return db.fault.check()
		case <-ctx.Done():
			return ctx.Err()
		case <-db.flushes.failed:
			err = db.flushes.check()
		}
	}
	return err
}
