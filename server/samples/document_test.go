package samples

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
)

// document is a resource as Ceilometer knows it. Its owner is that of the batch that was written last, as Resource.UserID and ProjectID.
type document struct {
	Resource *engine.Resource
	Source   string         // likewise of the batch that was written last
	Meters   []engine.Meter // in the order of their appearance
	Sampled  bool           // it has samples; else what follows is zero
	First    int64          // time of the oldest sample that is kept, in nanoseconds since the Unix epoch
	Last     int64          // of the newest one
	Newest   engine.Context // of the newest sample: read only
}

// document returns the document of a resource.
func (s *Store) document(ctx context.Context, id engine.UUID) (*document, error) {
	r, err := s.db.Resource(id)
	if err != nil {
		return nil, err
	}
	d := &document{Resource: r, Source: s.SourceOf(r)}
	if d.Meters, err = s.Meters(r, maps.All(r.Metrics)); err != nil {
		return nil, err
	}
	return d, s.times(ctx, d)
}

// times finds the oldest and the newest sample of a resource.
func (s *Store) times(ctx context.Context, d *document) error {
	v, refs, err := s.view(d.Resource)
	if v == nil || err != nil {
		return err
	}
	defer v.Close()
	var newest engine.NewestSample
	var of engine.Ref
	for _, ref := range refs {
		t, ok, err := v.OldestTime(ref)
		if err != nil {
			return err
		}
		if ok && (!d.Sampled || t < d.First) {
			d.Sampled, d.First = true, t
		}
		n, ok, err := v.NewestSample(ctx, ref)
		if err != nil {
			return err
		}
		if ok && (of == 0 || later(n, newest)) {
			newest, of = n, ref
		}
	}
	if of == 0 {
		return nil
	}
	d.Last = newest.Time
	d.Newest, err = s.contextOf(d.Resource, of, newest.Context)
	return err
}

// later tells whether a counts as newer than b: of one time the one that came last does, as far as arrivals and contexts tell.
func later(a, b engine.NewestSample) bool {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Arrival, b.Arrival), cmp.Compare(a.Context, b.Context)) > 0
}

// view pins the metrics of a resource that exist, in the order in which they were made; nil: there is none.
func (s *Store) view(r *engine.Resource) (*engine.View, []engine.Ref, error) {
	var refs []engine.Ref
	for _, m := range r.Metrics {
		refs = append(refs, m.Ref)
	}
	slices.Sort(refs)
	for len(refs) > 0 {
		v, err := s.db.View(refs...)
		if !errors.Is(err, engine.ErrNotFound) {
			return v, refs, err
		}
		n := len(refs)
		refs = slices.DeleteFunc(refs, func(ref engine.Ref) bool {
			_, err := s.db.MetricByRef(ref)
			return errors.Is(err, engine.ErrNotFound)
		})
		if len(refs) == n { // it was another one's fault
			return nil, nil, err
		}
	}
	return nil, nil, nil
}

// contextOf returns the context of a sample of a resource's metric: read only.
func (s *Store) contextOf(r *engine.Resource, ref engine.Ref, c engine.ContextRef) (engine.Context, error) {
	if c != 0 {
		shared, err := s.db.SharedContext(c)
		if err != nil {
			return engine.Context{}, err
		}
		return *shared, nil
	}
	m, err := s.db.MetricByRef(ref)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return engine.Context{}, err
	}
	return s.DefaultContext(r, m), nil
}
