package engine

import (
	"context"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/index"
)

// Resources returns a page of resources. Fields of filters and sort keys: id, original_resource_id, type, creator,
// user_id, project_id, started_at, ended_at, revision_start; any other name is an attribute, not set where a resource has none
// of that name. The caller may keep and change the resources. ErrNotFound: the marker.
func (db *DB) Resources(ctx context.Context, q Query) ([]*Resource, error) {
	var out []*Resource
	err := db.eachResource(ctx, q, func(r *resource) error {
		out = append(out, r.export())
		return nil
	})
	return out, err
}

// EachResourceMetric calls fn with every metric of the resources that the filter selects, by name, at a fraction of the cost of
// Resources: in order of the resources' creation, and of names within one. The resource is shared, so fn must not change it,
// and its Metrics are not filled in. It stops at the first error of fn.
func (db *DB) EachResourceMetric(ctx context.Context, f *index.Filter, fn func(r *Resource, name string, m MetricRef) error) error {
	if err := db.begin(); err != nil {
		return err
	}
	defer db.end()
	s, err := db.cat.search(ctx, spaceResources)
	if err != nil {
		return err
	}
	defer s.close()
	set, err := s.view.Eval(ctx, spaceResources, f)
	if err != nil {
		return indexError(err)
	}
	for it := set.Iterator(); it.HasNext(); {
		r, err := s.resource(it.Next())
		if err != nil {
			return err
		}
		for _, m := range r.metrics {
			if err := fn(&r.Resource, m.name, m.MetricRef); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// Metrics returns a page of metrics. Fields: id, name, unit, archive_policy_name, creator, resource_id.
// ErrInvalid: another field (Name holds it). ErrNotFound: the marker.
func (db *DB) Metrics(ctx context.Context, q Query) ([]Metric, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.end()
	if err := checkFields(q, metricFields); err != nil {
		return nil, err
	}
	s, err := db.cat.search(ctx, spaceMetrics)
	if err != nil {
		return nil, err
	}
	defer s.close()
	ords, err := s.page(q, keyMetricID, KindMetric)
	if err != nil {
		return nil, err
	}
	out := make([]Metric, len(ords))
	for i, ord := range ords {
		m, err := s.metric(ord)
		if err != nil {
			return nil, err
		}
		out[i] = m.export()
	}
	return out, nil
}

func (db *DB) eachResource(ctx context.Context, q Query, fn func(r *resource) error) error {
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
	ords, err := s.page(q, keyResourceID, KindResource)
	if err != nil {
		return err
	}
	for _, ord := range ords {
		r, err := s.resource(ord)
		if err == nil {
			err = fn(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkFields refuses fields that are not among those known; nil: every name but the empty one is.
func checkFields(q Query, known []string) error {
	bad := func(field string) bool { return field == "" || known != nil && !slices.Contains(known, field) }
	for _, k := range q.Sort {
		if bad(k.Field) {
			return &Error{Kind: "sort key", Name: k.Field, Err: ErrInvalid}
		}
	}
	var walk func(f *index.Filter) error
	walk = func(f *index.Filter) error {
		if f == nil {
			return nil
		}
		for _, sub := range f.Subs {
			if err := walk(sub); err != nil {
				return err
			}
		}
		if len(f.Subs) == 0 && f.Op > index.Not && bad(f.Field) {
			return &Error{Kind: "field", Name: f.Field, Err: ErrInvalid}
		}
		return nil
	}
	return walk(q.Filter)
}

// search is one state of the catalogue being looked at.
type search struct {
	ctx      context.Context
	cat      *catalogue
	snap     *pebble.Snapshot
	view     *index.View
	policies *policySet
}

func (c *catalogue) search(ctx context.Context, space byte) (*search, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &search{ctx: ctx, cat: c, snap: c.p.NewSnapshot()}
	fetch := s.resourceValues
	if space == spaceMetrics {
		fetch = s.metricValues
	}
	var err error
	if s.view, err = c.ix.View(s.snap, fetch); err != nil {
		s.close()
		return nil, indexError(err)
	}
	for c.version.Load() < 2*s.view.Seq() { // the snapshot is of a commit that is just being published
		if err := ctx.Err(); err != nil {
			s.close()
			return nil, err
		}
		time.Sleep(10 * time.Microsecond)
	}
	s.policies = c.policies.Load()
	return s, nil
}

func (s *search) close() { s.snap.Close() }

// page returns the ordinals of the page that the query asks for.
func (s *search) page(q Query, idPrefix byte, kind Kind) ([]uint32, error) {
	space := byte(spaceResources)
	if kind == KindMetric {
		space = spaceMetrics
	}
	p := index.Page{Space: space, Limit: q.Limit}
	byID := false
	for _, k := range q.Sort {
		p.Keys = append(p.Keys, index.SortKey{Field: k.Field, Desc: k.Desc, NullsFirst: k.NullsFirst || k.Desc && !k.NullsLast})
		if byID = k.Field == fieldID; byID {
			break // nothing is left to be decided
		}
	}
	if !byID {
		p.Keys = append(p.Keys, index.SortKey{Field: fieldID})
	}
	if q.Marker != nil {
		ord, err := ordinalOf(s.snap, idPrefix, *q.Marker)
		if err != nil {
			return nil, err
		}
		if ord == 0 {
			return nil, &Error{Kind: kind, Name: q.Marker.String(), Err: ErrNotFound}
		}
		p.After = &ord
	}
	var err error
	var ords []uint32
	if p.Set, err = s.eval(space, q.Filter); err == nil {
		ords, err = s.view.Page(s.ctx, p)
	}
	return ords, indexError(err)
}

func (s *search) eval(space byte, f *index.Filter) (*roaring.Bitmap, error) {
	return s.view.Eval(s.ctx, space, f)
}

// resource returns the resource, which exists: read only.
func (s *search) resource(ord uint32) (*resource, error) {
	r, ok := s.cat.byOrdinal.get(ord)
	if ok && r.since <= s.view.Seq() {
		return r, nil
	}
	version, settled := s.cat.mark()
	r, err := readResource(s.snap, ord)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, corruptRecord(ordinalKey(keyResource, ord), formatError("missing record of a resource"))
	}
	r.since = s.view.Seq()
	if settled && version == 2*s.view.Seq() {
		s.cat.byOrdinal.put(ord, r, r.bytes(), &s.cat.version, version)
	}
	return r, nil
}

// metric returns the metric, which exists: read only.
func (s *search) metric(ord uint32) (*metric, error) {
	m, ok := s.cat.metrics.get(Ref(ord))
	if ok && m.since <= s.view.Seq() {
		return m, nil
	}
	version, settled := s.cat.mark()
	m, err := decodeStoredMetric(s.snap, Ref(ord), s.policies)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, corruptRecord(ordinalKey(keyMetric, ord), formatError("missing record of a metric"))
	}
	m.since = s.view.Seq()
	if settled && version == 2*s.view.Seq() {
		s.cat.metrics.put(Ref(ord), m, m.bytes(), &s.cat.version, version)
	}
	return m, nil
}

func (s *search) resourceValues(dst []index.Value, ord uint32, fields []string) ([]index.Value, error) {
	r, err := s.resource(ord)
	if err != nil {
		return dst, err
	}
	for _, f := range fields {
		dst = append(dst, r.value(f))
	}
	return dst, nil
}

func (s *search) metricValues(dst []index.Value, ord uint32, fields []string) ([]index.Value, error) {
	m, err := s.metric(ord)
	if err != nil {
		return dst, err
	}
	for _, f := range fields {
		dst = append(dst, m.value(f))
	}
	return dst, nil
}
