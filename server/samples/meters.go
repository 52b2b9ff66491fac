package samples

import (
	"cmp"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// SourceOf returns where the last samples of a resource came from: Options.Source if nobody said.
func (s *Store) SourceOf(r *engine.Resource) string { return cmp.Or(r.Source, s.o.Source) }

// Meters returns the kinds of samples that a resource with these metrics has, in the order of their appearance: first those that samples of
// this package brought, then metrics that have samples of other doors alone, in the order in which they were made.
func (s *Store) Meters(r *engine.Resource, metrics iter.Seq2[string, engine.MetricRef]) ([]engine.Meter, error) {
	type named struct {
		name string
		ref  engine.Ref // 0: samples of this package brought it
	}
	var has []named
	for name, m := range metrics {
		has = append(has, named{name, m.Ref})
	}
	if byName := func(a, b named) int { return cmp.Compare(a.name, b.name) }; !slices.IsSortedFunc(has, byName) {
		slices.SortFunc(has, byName)
	}
	all := make([]engine.Meter, 0, max(len(r.Meters), len(has)))
	for _, m := range r.Meters {
		if i, ok := slices.BinarySearchFunc(has, m.Name, func(a named, name string) int { return cmp.Compare(a.name, name) }); ok {
			has[i].ref = 0
			all = append(all, m)
		}
	}
	var others []engine.Ref
	for _, m := range has {
		if m.ref != 0 {
			others = append(others, m.ref)
		}
	}
	slices.Sort(others)
	for _, ref := range others {
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
