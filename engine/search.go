package engine

import (
	"context"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/index"
)

// Resources returns a page of resources. Fields of filters and sort keys: id, original_resource_id, type, creator,
// user_id, project_id, started_at, ended_at, revision_start, FieldLifespan, with History also revision
// (a Number, -1 of the present state) and revision_end; any other name is an attribute, not set where a resource has none of that
// name. States that are equal in everything sorted by and in id come in the order of their revisions, the present one first. The
// caller may keep and change the resources. ErrNotFound: the marker.
func (db *DB) Resources(ctx context.Context, q Query) ([]*Resource, error) {
	var out []*Resource
	err := db.searchResources(ctx, q, func(s *search) error {
		refs, err := s.resourcePage(q)
		if err != nil {
			return err
		}
		return s.eachRow(refs, func(r ResourceRow) error {
			out = append(out, r.state.exportWith(r.metrics))
			return nil
		})
	})
	return out, err
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
	ords, err := s.metricPage(q)
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
	past     *index.View // of revisions; nil in a search of metrics
	policies *policySet
}

func (c *catalogue) search(ctx context.Context, space byte) (*search, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &search{ctx: ctx, cat: c, snap: c.p.NewSnapshot()}
	if err := s.open(space); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *search) open(space byte) (err error) {
	if space == spaceMetrics {
		s.view, err = s.cat.ix.View(s.snap, s.metricValues)
	} else {
		s.view, err = s.cat.ix.View(s.snap, s.resourceValues)
		if err == nil {
			s.past, err = s.cat.ix.View(s.snap, s.revisionValues)
		}
	}
	if err != nil {
		return indexError(err)
	}
	for s.cat.version.Load() < 2*s.view.Seq() { // the snapshot is of a commit that is just being published
		if err := s.ctx.Err(); err != nil {
			return err
		}
		time.Sleep(10 * time.Microsecond)
	}
	s.policies = s.cat.policies.Load()
	return nil
}

func (s *search) close() { s.snap.Close() }

// sortKeys are the keys of the query's order, id among them, which decides all but the order of the states of a resource.
func sortKeys(q Query) []index.SortKey {
	keys := make([]index.SortKey, 0, len(q.Sort)+1)
	byID := false
	for _, k := range q.Sort {
		keys = append(keys, index.SortKey{Field: k.Field, Desc: k.Desc, NullsFirst: k.NullsFirst || k.Desc && !k.NullsLast})
		if byID = byID || k.Field == fieldID; byID && !q.History {
			break // nothing is left to be decided
		}
	}
	if !byID {
		keys = append(keys, index.SortKey{Field: fieldID})
	}
	return keys
}

// metricPage returns the metrics of the page that the query asks for.
func (s *search) metricPage(q Query) ([]uint32, error) {
	keys := sortKeys(q)
	var after *index.Place
	if q.Marker != nil {
		ord, err := s.marker(keyMetricID, KindMetric, *q.Marker)
		if err != nil {
			return nil, err
		}
		if after, err = s.view.PlaceOf(ord, keys); err != nil {
			return nil, indexError(err)
		}
	}
	return s.page(s.view, spaceMetrics, q, keys, after)
}

func (s *search) marker(prefix byte, kind Kind, id UUID) (uint32, error) {
	ord, err := ordinalOf(s.snap, prefix, id)
	if err == nil && ord == 0 {
		err = &Error{Kind: kind, Name: id.String(), Err: ErrNotFound}
	}
	return ord, err
}

func (s *search) page(view *index.View, space byte, q Query, keys []index.SortKey, after *index.Place) ([]uint32, error) {
	p := index.Page{Space: space, Keys: keys, After: after, Limit: q.Limit}
	var err error
	var ords []uint32
	if p.Set, err = view.Eval(s.ctx, space, q.Filter); err == nil {
		if q.Scope != nil && space == spaceMetrics {
			return s.scopedPage(p, q.Scope)
		}
		ords, err = view.Page(s.ctx, p)
	}
	return ords, indexError(err)
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
