package engine

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// DB is an open database. All its methods may be called concurrently.
//
// Lock order: catalogue writer or that of events, relieving, the log's trim, locks of series (ascending, see locks.go), visible, then the small locks inside log, queue and
// stats. visible is held for reading by whoever changes a series or moves samples between head and blocks, and for
// writing, briefly, by View and by trimming the log: they see every batch whole.
type DB struct {
	dir  string
	opts Options
	fs   vfs.FS // that Pebble writes to, a shield
	p    *pebble.DB
	cat  *catalogue

	events eventStore

	head       head
	last       *lastBlocks
	visible    sync.RWMutex
	moves      atomic.Uint64 // changes of metrics' policies; changed while visible is held
	seq        atomic.Uint64 // of the last log record
	log        logState
	stats      counters
	fault      fault
	flushes    flushes
	ops        opGate
	bg         background
	lazy       *lazySync // nil under SyncAlways
	ids        sampleIDs
	oldest     oldest
	haveNames  atomic.Bool  // some sample has, or had, a message id
	expiryRuns sync.Mutex   // held by the expiry that runs
	expireAt   time.Time    // housekeeping's: when to look for expired partitions next
	purgeable  atomic.Bool  // there may be deleted metrics whose blocks are not
	expiring   *expiry      // under way, nil if none; guarded by visible
	roomLeft   atomic.Int64 // batches until free space is asked for again
	crowded    atomic.Int64 // batches that make no way for the log's writer
	release    func() error // of the directory's lock
}

// writeBatch is what goes to Pebble in one step.
type writeBatch = pebble.Batch

// opGate lets Close wait for running operations.
type opGate struct {
	running atomic.Int64
	ahead   atomic.Int64 // of them, goroutines that read ahead
	closed  atomic.Bool
	idle    chan struct{} // of one place: running may have come down to 0
}

// begin admits an operation until end; ErrClosed after Close.
func (db *DB) begin() error {
	db.ops.running.Add(1)
	if db.ops.closed.Load() {
		db.end()
		return fmt.Errorf("tsdb: %w", ErrClosed)
	}
	return nil
}

func (db *DB) end() {
	if db.ops.running.Add(-1) == 0 && db.ops.closed.Load() {
		select {
		case db.ops.idle <- struct{}{}:
		default:
		}
	}
}

// alone tells whether there is no more than one operation, whatever reads ahead for it: nobody waits then for the locks that it may hold.
func (g *opGate) alone() bool { return g.running.Load()-g.ahead.Load() <= 1 }

// shut refuses new operations and waits for the running ones; false if it was shut already.
func (g *opGate) shut() bool {
	if !g.closed.CompareAndSwap(false, true) {
		return false
	}
	for g.running.Load() > 0 {
		<-g.idle
	}
	return true
}

// commit applies the batch and queues it for the log; wait tells when it is durable. Batches committed one after the
// other are durable in that order.
func (db *DB) commit(wb *writeBatch) error {
	if err := db.fault.check(); err != nil {
		return err
	}
	return db.guard(func() error { return db.p.ApplyNoSyncWait(wb, pebble.Sync) })
}

// wait returns when a batch given to commit is as durable as Options.Sync says.
func (db *DB) wait(wb *writeBatch) error {
	if err := wb.SyncWait(); err != nil {
		return db.fault.set(fmt.Errorf("writing the log: %w", err))
	}
	if err := db.fault.check(); err != nil { // what seemed to be written may not be: see shield
		return err
	}
	return wb.Close()
}

// commitLazily applies a batch that only moves what the log holds already: it needs no sync of its own, because the
// log is written in order.
func (db *DB) commitLazily(wb *writeBatch) error {
	if err := db.fault.check(); err != nil {
		return err
	}
	err := db.guard(func() error { return db.p.Apply(wb, pebble.NoSync) })
	if err != nil {
		return err
	}
	return wb.Close()
}
