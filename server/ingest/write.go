package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

// genericType is the type that every resource has something of.
const genericType = "generic"

// Resource is what samples belong to.
type Resource struct {
	ID         engine.UUID
	Original   string                 // the id as the client writes it
	Attributes map[string]index.Value // of a new one
}

// Sample is one value of a metric.
type Sample struct {
	Resource int // place in Write.Resources
	Metric   string
	Time     int64 // nanoseconds since the Unix epoch
	Value    float64
}

// Access says what the caller of a write may do: each function returns nil or the error that ends the write. A function that is
// nil allows everything.
type Access struct {
	CreateResource func(r *engine.Resource) error
	UpdateResource func(r *engine.Resource) error // add to one that exists
	PostMeasures   func(m engine.Ref) error
}

// Write is a set of samples on its way into a database. Its fields are read only while Store runs.
type Write struct {
	Type      string  // of the resources; one of another type is a *TypeError, but every resource is generic too
	Creator   *string // of new resources; nil: nobody
	Policy    string  // archive policy of new metrics; "": by rule
	Resources []Resource
	Samples   []Sample
	Now       time.Time // when a new resource starts
	Access    Access

	// NeedType is called before the first resource is made, in the transaction that makes it, and sees to it that the type
	// exists. nil: nothing needs to be done.
	NeedType func(tx *engine.Tx) error
	// Skip is told of a metric that cannot be made, and the rest goes on. nil: the write ends with the error.
	Skip func(metric string, samples int, err error)
}

// PolicyError says that a new metric has no archive policy: none was given and no rule matches.
type PolicyError struct{ Metric string }

func (e *PolicyError) Error() string {
	return "no archive policy and no rule for metric " + e.Metric
}

// TypeError says that the id of a resource is in use under another type.
type TypeError struct {
	ID         engine.UUID
	Type, Want string
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("resource %s is of type %s, not %s", e.ID, e.Type, e.Want)
}

// tries bounds how often a write begins again because somebody deleted what it had found.
const tries = 5

// Store makes what is missing and stores the samples.
func (w *Write) Store(ctx context.Context, db *engine.DB) (res engine.AppendResult, err error) {
	for range tries {
		if res, err = w.try(ctx, db); !errors.Is(err, errGone) {
			return res, err
		}
	}
	return res, err
}

// errGone marks an attempt that found something which was deleted before it could use it.
var errGone = errors.New("deleted meanwhile")

func (w *Write) try(ctx context.Context, db *engine.DB) (engine.AppendResult, error) {
	found, err := w.find(db)
	if err != nil {
		return engine.AppendResult{}, err
	}
	if len(found.missing) > 0 {
		if err := db.Update(ctx, func(tx *engine.Tx) error { return w.make(tx, found) }); err != nil {
			return engine.AppendResult{}, err
		}
	}
	var b engine.Batch
	allowed := map[engine.Ref]bool{}
	for i, s := range w.Samples {
		ref := found.refs[i]
		if found.skipped[i] {
			continue
		}
		if w.Access.PostMeasures != nil && !allowed[ref] {
			if err := w.Access.PostMeasures(ref); err != nil {
				return engine.AppendResult{}, gone(err)
			}
			allowed[ref] = true
		}
		b.Add(ref, s.Time, s.Value)
	}
	res, err := db.Append(ctx, &b)
	return res, gone(err)
}

// gone wraps an error that says that a metric does not exist any more.
func gone(err error) error {
	var e *engine.Error
	if errors.As(err, &e) && errors.Is(err, engine.ErrNotFound) && e.Kind == engine.KindMetric {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

// lookup is what was found of a write's metrics.
type lookup struct {
	refs    []engine.Ref // of each sample
	skipped []bool       // of each sample
	missing []int        // the samples whose metrics do not exist
}

// find looks for the metrics of all samples.
func (w *Write) find(db *engine.DB) (*lookup, error) {
	resources := make([]*engine.Resource, len(w.Resources))
	for i, want := range w.Resources {
		r, err := db.Resource(want.ID)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err == nil {
			err = w.check(r)
		}
		if err != nil {
			return nil, err
		}
		resources[i] = r
	}
	found := &lookup{refs: make([]engine.Ref, len(w.Samples)), skipped: make([]bool, len(w.Samples))}
	for i, s := range w.Samples {
		if r := resources[s.Resource]; r != nil {
			if m, ok := r.Metrics[s.Metric]; ok {
				found.refs[i] = m.Ref
				continue
			}
		}
		found.missing = append(found.missing, i)
	}
	return found, nil
}

// check tells whether the write may add to a resource that exists.
func (w *Write) check(r *engine.Resource) error {
	if r.Type != w.Type && w.Type != genericType {
		return &TypeError{r.ID, r.Type, w.Type}
	}
	if w.Access.UpdateResource != nil {
		return w.Access.UpdateResource(r)
	}
	return nil
}
