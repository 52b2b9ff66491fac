package engine

import (
	"time"

	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// Granularity is one definition of an archive policy: points of one width, kept for a time.
type Granularity struct {
	Width    time.Duration // of a group, positive
	Points   int64         // kept; 0: for ever
	Timespan time.Duration // Width x Points; 0: for ever
}

// RawForever as an ArchivePolicy's Raw keeps raw samples without end.
const RawForever = time.Duration(-1)

// ArchivePolicy says which aggregates of a metric are kept, and for how long (Gnocchi v1, archive policies).
type ArchivePolicy struct {
	Name       string
	BackWindow int             // how far back late samples are taken, in periods of the coarsest granularity
	Definition []Granularity   // in the order they were given; widths differ
	Methods    []rollup.Method // in ascending order, no doubles
	Raw        time.Duration   // how long raw samples are kept, by data time; 0: only as long as the back window needs them
	// KeepAll keeps every sample, as Ceilometer does; it needs Raw. Several samples at one instant stay several in raw reads, in the order
	// of their arrival, of which aggregates see the last. Late samples are taken as long as all samples of the groups that they belong to are
	// kept, and aggregates are always those of all samples. Without it, times are unique and lateness is Gnocchi's.
	KeepAll bool

	rawKeep time.Duration // if not 0: how long raw blocks are kept because points are read from them; RawForever: for ever
}

// Rule gives metrics without a policy of their own one by their name (Gnocchi v1, archive policy rules).
type Rule struct {
	Name    string
	Pattern string // shell pattern: * ? [seq] [!seq]
	Policy  string
}

// Ref is a metric's ordinal: the short name that appends and reads use. It is valid for the life of the
// metric, also across reopening, and never given to another metric.
type Ref uint32

// Metric is a series of samples under a policy, with or without a resource.
type Metric struct {
	Ref      Ref
	ID       UUID
	Name     *string // nil: unnamed
	Unit     *string
	Creator  *string
	Policy   string // archive policy's name
	Resource *UUID  // nil: none
}

// Resource is something of a project that metrics belong to: an instance, a volume, a router.
type Resource struct {
	ID            UUID
	OriginalID    string // as the client wrote it
	Type          string // "generic" or another resource type
	Creator       *string
	UserID        *string
	ProjectID     *string
	StartedAt     time.Time              // microseconds, UTC
	EndedAt       *time.Time             // nil: alive
	RevisionStart time.Time              // since when it is so
	RevisionEnd   *time.Time             // until when it was so; nil: it is the present state. Ignored by writes
	Revision      uint32                 // number of a past state, of one sequence for all resources; 0: the present state. Ignored by writes
	Attributes    map[string]index.Value // of the type; absent: null. Text and UUIDs are Bytes, numbers Number, dates Time.
	Metrics       map[string]MetricRef   // by name, those of the present also in past states; filled by reads, ignored by writes
	Source        string                 // where its last samples came from, as Tx.SetMeters has it. Not of past states; ignored by writes
	Meters        []Meter                // likewise
}

// Meter is a kind of samples that a resource has: of one name there may be several.
type Meter struct {
	Name string // of the metric
	Type string // gauge, delta or cumulative
	Unit string
}

// MetricRef names a metric of a resource.
type MetricRef struct {
	ID  UUID
	Ref Ref
}

// SortKey orders a listing by a field. Nulls come last when ascending and first when descending unless
// NullsFirst or NullsLast says otherwise.
type SortKey struct {
	Field                 string
	Desc                  bool
	NullsFirst, NullsLast bool
}

// Query selects a page of resources or metrics.
type Query struct {
	Filter *index.Filter // nil: all
	Sort   []SortKey     // then by id ascending
	Limit  int           // 0: no limit
	Marker *UUID         // the page starts after this one; ErrNotFound if it does not exist

	// Of metrics only.
	Scope *Scope // nil: all; else of those that Filter selects just the ones in the scope

	// Of resources only.
	History        bool   // also past states; filter and order look at each state's own values
	MarkerRevision uint32 // with Marker: which state of it; 0: the present one
}
