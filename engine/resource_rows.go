package engine

import (
	"context"
	"iter"
	"math"

	"github.com/telemetrydb/tsdb/index"
)

// ResourceRow is a state of a resource as EachResource shows it.
type ResourceRow struct {
	state   *resource
	metrics []namedMetric
}

// Resource returns the state itself, without metrics: shared, so not to be changed; it stays valid.
func (r ResourceRow) Resource() *Resource { return &r.state.Resource }

// Value returns what a filter on the field compares with: a field of all resources, as Resources names them, or an attribute;
// Null where it is not set. Ids are the 16 bytes of a UUID.
func (r ResourceRow) Value(field string) index.Value { return r.state.value(field) }

// Metric returns the metric of that name that the resource has now, also in a past state.
func (r ResourceRow) Metric(name string) (MetricRef, bool) { return findMetric(r.metrics, name) }

// Metrics goes through the metrics that the resource has now, by name.
func (r ResourceRow) Metrics() iter.Seq2[string, MetricRef] {
	return func(yield func(string, MetricRef) bool) {
		for _, m := range r.metrics {
			if !yield(m.name, m.MetricRef) {
				return
			}
		}
	}
}

// EachResource calls fn with the states of resources that the query selects, of one moment, at a fraction of the cost of Resources:
// nothing is copied and, of a query without Sort, Limit and Marker, nothing is ordered: present states come first, in the order of
// the resources' creation, then past ones in the order in which they ended. It stops at the first error of fn, which must not
// write to the database.
func (db *DB) EachResource(ctx context.Context, q Query, fn func(r ResourceRow) error) error {
	return db.searchResources(ctx, q, func(s *search) error {
		if len(q.Sort) > 0 || q.Limit > 0 || q.Marker != nil {
			refs, err := s.resourcePage(q)
			if err != nil {
				return err
			}
			return s.eachRow(refs, fn)
		}
		if err := s.eachInSpace(s.view, spaceResources, q.Filter, fn); err != nil || !q.History {
			return err
		}
		return s.eachInSpace(s.past, spaceRevisions, q.Filter, fn)
	})
}

func (db *DB) searchResources(ctx context.Context, q Query, fn func(s *search) error) error {
	if err := db.begin(); err != nil {
		return err
	}
	defer db.end()
	if err := checkFields(q, nil); err != nil {
		return err
	}
	s, err := db.cat.search(ctx, spaceResources)
	if err != nil {
		return err
	}
	defer s.close()
	return fn(s)
}

// stateRef names a state: a resource by its ordinal, or a past state by its number.
type stateRef struct {
	ord  uint32
	past bool
}

func (s *search) eachInSpace(view *index.View, space byte, f *index.Filter, fn func(r ResourceRow) error) error {
	set, err := view.Eval(s.ctx, space, f)
	if err != nil {
		return indexError(err)
	}
	for it := set.Iterator(); it.HasNext(); {
		row, err := s.row(stateRef{it.Next(), space == spaceRevisions})
		if err == nil {
			err = fn(row)
		}
		if err == nil {
			err = s.ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *search) eachRow(refs []stateRef, fn func(r ResourceRow) error) error {
	for _, ref := range refs {
		row, err := s.row(ref)
		if err == nil {
			err = fn(row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *search) row(ref stateRef) (ResourceRow, error) {
	if !ref.past {
		r, err := s.resource(ref.ord)
		if err != nil {
			return ResourceRow{}, err
		}
		return ResourceRow{r, r.metrics}, nil
	}
	past, err := s.revision(ref.ord)
	if err != nil {
		return ResourceRow{}, err
	}
	r, err := s.resource(past.of)
	if err != nil {
		return ResourceRow{}, err
	}
	return ResourceRow{past, r.metrics}, nil
}

// resourcePage returns the page that the query asks for. With History it is merged from two: of present and of past states.
func (s *search) resourcePage(q Query) ([]stateRef, error) {
	keys := sortKeys(q)
	var after *index.Place
	markerPast := false
	if q.Marker != nil {
		var err error
		if after, markerPast, err = s.resourceMarker(q, keys); err != nil {
			return nil, err
		}
	}
	from := after
	if after != nil && markerPast { // what is equal to it in all keys is the present state of the same resource: before it
		from = &index.Place{Values: after.Values, Ord: math.MaxUint32}
	}
	now, err := s.page(s.view, spaceResources, q, keys, from)
	if err != nil || !q.History {
		return stateRefs(now, false), err
	}
	if from = after; after != nil && !markerPast { // equal states are past ones of the same resource: after it
		from = &index.Place{Values: after.Values}
	}
	past, err := s.page(s.past, spaceRevisions, q, keys, from)
	if err != nil {
		return nil, err
	}
	return s.merge(keys, now, past, q.Limit)
}

func stateRefs(ords []uint32, past bool) []stateRef {
	refs := make([]stateRef, len(ords))
	for i, ord := range ords {
		refs[i] = stateRef{ord, past}
	}
	return refs
}

// resourceMarker returns the place of the query's marker and whether it is a past state.
func (s *search) resourceMarker(q Query, keys []index.SortKey) (p *index.Place, past bool, err error) {
	if q.MarkerRevision == 0 || !q.History {
		ord, err := s.marker(keyResourceID, KindResource, *q.Marker)
		if err != nil {
			return nil, false, err
		}
		p, err = s.view.PlaceOf(ord, keys)
		return p, false, indexError(err)
	}
	r, err := readRevision(s.snap, q.MarkerRevision)
	if err != nil {
		return nil, false, err
	}
	if r == nil || r.ID != *q.Marker {
		return nil, false, &Error{Kind: KindResource, Name: q.Marker.String(), Err: ErrNotFound}
	}
	p, err = s.past.PlaceOf(r.ord, keys)
	return p, true, indexError(err)
}

// merge puts two lists, each in the order of the keys, into one of at most limit states; 0: of all.
func (s *search) merge(keys []index.SortKey, now, past []uint32, limit int) ([]stateRef, error) {
	if limit <= 0 {
		limit = len(now) + len(past)
	}
	out := make([]stateRef, 0, min(limit, len(now)+len(past)))
	var a, b *index.Place
	var err error
	for len(out) < limit && len(now) > 0 && len(past) > 0 {
		if a == nil {
			if a, err = s.view.PlaceOf(now[0], keys); err != nil {
				return nil, indexError(err)
			}
			a.Ord = 0 // the present state is before past ones that are equal
		}
		if b == nil {
			if b, err = s.past.PlaceOf(past[0], keys); err != nil {
				return nil, indexError(err)
			}
		}
		if index.ComparePlaces(keys, a, b) < 0 {
			out, now, a = append(out, stateRef{now[0], false}), now[1:], nil
		} else {
			out, past, b = append(out, stateRef{past[0], true}), past[1:], nil
		}
	}
	rest := append(stateRefs(now, false), stateRefs(past, true)...) // one of them is empty, or the page is full
	return append(out, rest[:min(len(rest), limit-len(out))]...), nil
}
