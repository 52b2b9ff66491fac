package samples

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// Document is a resource as Ceilometer knows it. Its owner is that of the batch that was written last, as Resource.UserID and ProjectID.
type Document struct {
	Resource *engine.Resource
	Source   string         // likewise of the batch that was written last
	Meters   []engine.Meter // in the order of their appearance
	Sampled  bool           // it has samples; else what follows is zero
	First    int64          // time of the oldest sample that is kept, in nanoseconds since the Unix epoch
	Last     int64          // of the newest one
	Newest   engine.Context // of the newest sample: read only
}

// Document returns the document of a resource. engine.ErrNotFound.
func (s *Store) Document(ctx context.Context, id engine.UUID) (*Document, error) {
	r, err := s.db.Resource(id)
	if err != nil {
		return nil, err
	}
	d := &Document{Resource: r, Source: s.SourceOf(r)}
	if d.Meters, err = s.Meters(r, maps.All(r.Metrics)); err != nil {
		return nil, err
	}
	return d, s.times(ctx, d)
}

// times finds the oldest and the newest sample of a resource.
func (s *Store) times(ctx context.Context, d *Document) error {
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

// SourceOf returns where the last samples of a resource came from: Options.Source if nobody said.
func (s *Store) SourceOf(r *engine.Resource) string { return cmp.Or(r.Source, s.o.Source) }

// Meters returns the kinds of samples that a resource with these metrics has, in the order of their appearance: first those that samples of
// this package brought, then metrics that have samples of other doors alone, in the order in which they were made.
func (s *Store) Meters(r *engine.Resource, metrics iter.Seq2[string, engine.MetricRef]) ([]engine.Meter, error) {
	refs := map[string]engine.Ref{}
	for name, m := range metrics {
		refs[name] = m.Ref
	}
	all := slices.DeleteFunc(slices.Clone(r.Meters), func(m engine.Meter) bool { return refs[m.Name] == 0 })
	for _, m := range all {
		delete(refs, m.Name)
	}
	for _, ref := range slices.Sorted(maps.Values(refs)) {
		m, err := s.db.MetricByRef(ref)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if typ, unit := s.defaultKind(m); m.Name != nil {
			all = append(all, engine.Meter{Name: *m.Name, Type: typ, Unit: unit})
		}
	}
	return all, nil
}

// defaultKind returns the type and unit of samples of a metric that came without.
func (s *Store) defaultKind(m engine.Metric) (typ, unit string) {
	typ = "gauge"
	if m.Unit != nil {
		unit = *m.Unit
	}
	if p, err := s.db.ArchivePolicy(m.Policy); err == nil && slices.ContainsFunc(p.Methods, rollup.Method.NeedsBefore) {
		typ = "cumulative"
	}
	return typ, unit
}

// DefaultContext returns what counts as the context of a resource's samples that came without one, through Gnocchi's API for example: the
// resource's owner and attributes, the metric's unit, and the type cumulative if its archive policy has rates, else gauge.
func (s *Store) DefaultContext(r *engine.Resource, m engine.Metric) engine.Context {
	typ, unit := s.defaultKind(m)
	return engine.Context{UserID: r.UserID, ProjectID: r.ProjectID, Source: s.SourceOf(r), Type: typ, Unit: unit, Metadata: s.attributesJSON(r)}
}

// attributesJSON returns the attributes of a resource as metadata.
func (s *Store) attributesJSON(r *engine.Resource) []byte {
	t, err := s.db.ResourceType(r.Type)
	if err != nil {
		t = engine.ResourceType{}
	}
	m := map[string]any{}
	for name, v := range r.Attributes {
		a, _ := t.Attribute(name)
		switch v.Kind {
		case index.Bool:
			m[name] = v.Num != 0
		case index.Number:
			m[name] = v.Num
		case index.Time:
			m[name] = time.Unix(0, v.Time).UTC().Format("2006-01-02T15:04:05.999999+00:00")
		case index.Bytes:
			m[name] = v.Str
			if a.Type == engine.AttributeUUID && len(v.Str) == 16 {
				m[name] = engine.UUID([]byte(v.Str)).String()
			}
		}
	}
	b, err := json.Marshal(m)
	if err != nil { // a number that JSON has no text for
		return []byte("{}")
	}
	return b
}
