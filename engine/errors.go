package engine

import (
	"errors"
	"fmt"

	"github.com/telemetrydb/tsdb/encoding"
)

// The kinds of errors of this package; test with errors.Is. Every error that a method returns wraps one of
// them or comes from the file system or the context.
var (
	ErrNotFound    = errors.New("does not exist")                        // the named thing is not in the database
	ErrExists      = errors.New("already exists")                        // the name or id is taken
	ErrInUse       = errors.New("is still in use")                       // something refers to what should be deleted
	ErrInvalid     = errors.New("invalid")                               // an argument breaks a documented rule; nothing was stored
	ErrUnsupported = errors.New("does not support change")               // the change is not one that stored data can follow
	ErrCorrupt     = encoding.ErrCorrupt                                 // stored bytes break their format
	ErrVersion     = encoding.ErrVersion                                 // written by a newer release
	ErrClosed      = errors.New("database is closed")                    // Close was called
	ErrLocked      = errors.New("database is open already")              // the directory's lock is held, here or by another process
	ErrReadOnly    = errors.New("database is read-only after a failure") // an I/O error stopped writing; Stats tells which
	ErrFull        = errors.New("no space left")                         // writes are refused until there is room
)

// Kind names what an Error is about.
type Kind string

// The things that have names or ids.
const (
	KindArchivePolicy Kind = "archive policy"
	KindRule          Kind = "archive policy rule"
	KindResourceType  Kind = "resource type"
	KindResource      Kind = "resource"
	KindMetric        Kind = "metric"
	KindNamedMetric   Kind = "named metric"
	KindSample        Kind = "sample"
	KindGranularity   Kind = "granularity"
	KindMethod        Kind = "aggregation method"
	KindContext       Kind = "context"
	KindEvent         Kind = "event"
)

// Error says which thing an operation failed on. errors.Is finds Err in it.
type Error struct {
	Kind   Kind
	Name   string // name or id as the caller gave it
	Err    error  // one of the Err… values
	Detail string // what exactly did not hold, may be empty
}

func (e *Error) Error() string {
	s := fmt.Sprintf("tsdb: %s %q %v", e.Kind, e.Name, e.Err)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// CorruptError says where stored bytes are damaged; errors.Is finds ErrCorrupt and the cause in it.
type CorruptError struct {
	Key      []byte // of the record that failed, nil if it is one of the log
	File     string // of the log, and where in it
	Offset   int64
	Metric   UUID  // its metric, zero if it belongs to none
	From, To int64 // the time range it covers, nanoseconds since the Unix epoch; both 0 if unknown
	Err      error // what did not hold
}

func (e *CorruptError) Error() string {
	if e.File != "" {
		return fmt.Sprintf("tsdb: log file %s at byte %d: %v", e.File, e.Offset, e.Err)
	}
	return fmt.Sprintf("tsdb: record %x of metric %v: %v", e.Key, e.Metric, e.Err)
}

func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Err} }
