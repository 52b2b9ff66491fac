package engine

import (
	"context"
	"time"

	"github.com/telemetrydb/tsdb/rollup"
)

// DB is an open database. All its methods may be called concurrently.
type DB struct{}

// Open opens the database in dir, creating it if there is none. ErrLocked: another process has it open.
func Open(dir string, o *Options) (*DB, error) { return nil, errStub }

// Close stops background work, writes what opening would otherwise have to replay, and releases the directory.
func (db *DB) Close() error { return errStub }

// Batch collects samples of any number of metrics for one Append. The zero value is ready; Reset allows reuse.
// What one Append brings for a metric is one batch in the sense of Gnocchi's processing (late and equal timestamps).
type Batch struct{}

// Add adds one sample: t in nanoseconds since the Unix epoch.
func (b *Batch) Add(m Ref, t int64, v float64) {}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {}

// Len is the number of samples.
func (b *Batch) Len() int { return 0 }

// AppendResult counts what became of the samples of a batch.
type AppendResult struct {
	Accepted  int // stored; visible in every granularity
	Late      int // dropped: older than the back window allows
	Duplicate int // of Accepted: replaced a sample of the same metric and time, stored or of the same batch
	Refused   int // broke a rule (time before the epoch); then nothing of the batch was stored and Append returned an error
}

// Append stores the batch: all of it or, on an error, none. When it returns without error the samples are durable
// (see Options.Sync) and visible in every granularity. The batch may be reused after. Concurrent Appends share syncs.
// ErrInvalid, ErrNotFound (unknown Ref), ErrFull, ErrReadOnly, ErrClosed.
func (db *DB) Append(ctx context.Context, b *Batch) (AppendResult, error) {
	return AppendResult{}, errStub
}

// Points are the points of one aggregation method: times (group starts, nanoseconds since the Unix epoch, ascending)
// and values, equally long. Times may be shared between the methods of one answer: read only.
type Points struct {
	Times  []int64
	Values []float64
}

// View is a consistent state of some metrics: what it shows never changes, and no Append is seen in part.
// It serves one goroutine. Close it soon; it pins old data.
type View struct{}

// View pins the present state of the metrics. ErrNotFound.
func (db *DB) View(refs ...Ref) (*View, error) { return nil, errStub }

// Close releases what the view pins.
func (v *View) Close() {}

// Measures returns the aggregates of one metric and granularity with from <= time < to (from is first rounded down to
// the granularity) by method, in the order of methods, within the present retention of its policy.
// ErrNotFound of KindGranularity or KindMethod if the policy lacks one.
func (v *View) Measures(ctx context.Context, m Ref, granularity time.Duration, methods []rollup.Method, from, to int64) ([]Points, error) {
	return nil, errStub
}

// Raw appends the raw samples that are kept with from <= time < to, in order of time, to ts and vs.
func (v *View) Raw(ctx context.Context, m Ref, from, to int64, ts []int64, vs []float64) ([]int64, []float64, error) {
	return ts, vs, errStub
}

// EachRaw calls fn once per metric of the view, in the order of refs given to View, with its raw samples of the range, decoding
// several metrics in parallel. The slices are valid during the call. It stops at the first error of fn.
func (v *View) EachRaw(ctx context.Context, from, to int64, fn func(m Ref, ts []int64, vs []float64) error) error {
	return errStub
}

// Stats are counters and sizes since Open, for monitoring.
type Stats struct {
	Metrics, Resources int
	Samples            uint64 // accepted by Append
	Late, Duplicates   uint64
	Seals, Blocks      uint64 // tails sealed, blocks written
	HeadSeries         int    // series with state in memory
	HeadBytes          int64  // of unsealed samples
	LogBytes           int64  // of log records that recovery would replay
	DiskBytes          int64
	WrittenBytes       uint64 // by the storage engine: log, flushes, compactions
	BackgroundErrors   uint64
	LastError          string // that made the database read-only, empty if none
}

// Stats returns a snapshot of the counters.
func (db *DB) Stats() Stats { return Stats{} }
