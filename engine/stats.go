package engine

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
)

// counters are the sources of Stats.
type counters struct {
	samples, late, duplicates atomic.Uint64
	seals, blocks, recoded    atomic.Uint64
	backgroundErrors          atomic.Uint64
}

func (c *counters) count(r AppendResult) {
	c.samples.Add(uint64(r.Accepted))
	if r.Late > 0 {
		c.late.Add(uint64(r.Late))
	}
	if r.Duplicate > 0 {
		c.duplicates.Add(uint64(r.Duplicate))
	}
}

// Stats are counters since Open and present sizes, for monitoring.
type Stats struct {
	Metrics, Resources int
	Samples            uint64 // accepted by Append
	Late, Duplicates   uint64 // samples, as AppendResult counts them
	Seals, Blocks      uint64 // tails sealed, blocks written
	Recoded            uint64 // old blocks encoded anew, harder
	HeadSeries         int    // series with state in memory
	HeadBytes          int64  // they take
	LogBytes           int64  // of log records that recovery would replay; the files they are in may be larger
	DiskBytes          int64  // of all files
	WrittenBytes       uint64 // by the storage engine: log, flushes, compactions
	BackgroundErrors   uint64
	Events             int    // stored now
	EventsAdded        uint64 // by AppendEvents
	DuplicateEvents    uint64 // left out, as their message ids were known
	Fault              string // why the database is read-only; empty: it is not
}

// Stats returns a snapshot of the counters; zero after Close.
func (db *DB) Stats() Stats {
	if db.begin() != nil {
		return Stats{}
	}
	defer db.end()
	c := &db.stats
	st := Stats{
		Metrics:          db.CountMetrics(),
		Resources:        db.CountResources(),
		Samples:          c.samples.Load(),
		Late:             c.late.Load(),
		Duplicates:       c.duplicates.Load(),
		Seals:            c.seals.Load(),
		Blocks:           c.blocks.Load(),
		Recoded:          c.recoded.Load(),
		HeadSeries:       int(db.head.count.Load()),
		HeadBytes:        db.head.bytes.Load(),
		LogBytes:         db.log.size(),
		BackgroundErrors: c.backgroundErrors.Load(),
		Events:           db.CountEvents(),
		EventsAdded:      db.events.additions.Load(),
		DuplicateEvents:  db.events.doubles.Load(),
	}
	if err := db.fault.check(); err != nil {
		st.Fault = err.Error()
		return st // Pebble's locks may be held for good
	}
	m := db.p.Metrics()
	st.DiskBytes = int64(m.DiskSpaceUsage()) + db.log.kept()
	st.WrittenBytes = m.WAL.BytesWritten
	for i := range m.Levels {
		st.WrittenBytes += m.Levels[i].TableBytesFlushed + m.Levels[i].TableBytesCompacted
	}
	return st
}

// Sync returns when everything acknowledged before the call is on stable storage, whatever Options.Sync says.
func (db *DB) Sync(ctx context.Context) error {
	if err := db.begin(); err != nil {
		return err
	}
	defer db.end()
	if err := ctx.Err(); err != nil || db.lazy == nil {
		return err
	}
	return db.syncLog()
}

// syncLog brings the log to stable storage, where committing does not.
func (db *DB) syncLog() error {
	if db.lazy == nil {
		return nil
	}
	if err := db.lazy.sync(); err != nil {
		return db.fault.set(fmt.Errorf("syncing the log: %w", err))
	}
	return db.fault.check()
}

// Compact brings the store to its form at rest: what can be sealed is sealed, the log is empty, tables are compacted. It
// is never needed; a benchmark, or a database about to be copied, may want it.
func (db *DB) Compact(ctx context.Context) error {
	if err := db.begin(); err != nil {
		return err
	}
	defer db.end()
	if err := cmp.Or(ctx.Err(), db.fault.check()); err != nil {
		return err
	}
	if err := db.checkpoint(sealWhole); err != nil {
		return err
	}
	if err := db.flush(ctx); err != nil {
		return err
	}
	if err := db.trimLog(); err != nil { // the flush has begun a new file
		return err
	}
	err := db.p.Compact(ctx, []byte{0}, []byte{0xff}, true)
	return cmp.Or(db.fault.check(), err)
}
