package samples

import (
	"context"
	"errors"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

// maxUnitChars is how long the unit of a metric may be; of a sample it may be longer.
const maxUnitChars = 31

// genericType is the type of resources that nothing is known of.
const genericType = "generic"

// make makes the resources that lack something what the samples say, and remembers them.
func (w *write) make(ctx context.Context) error {
	err := w.s.db.Update(ctx, func(tx *engine.Tx) error {
		for _, i := range w.lacking {
			m := maker{w: w, tx: tx, group: i}
			if err := m.make(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, i := range w.lacking {
		g := &w.groups[i]
		// The number first: if the resource changes in between, it is taken for an older state than it is, and looked at again.
		state, err := w.s.db.ResourceState(g.id)
		if err != nil {
			return err
		}
		r, err := w.s.db.Resource(g.id)
		if errors.Is(err, engine.ErrNotFound) {
			return errAgain
		}
		if err != nil {
			return err
		}
		var described []byte
		if g.describes >= 0 && !w.foreign(g, r.ProjectID) {
			described = w.in[g.describes].Metadata
			if described == nil {
				described = []byte{}
			}
		}
		w.s.known.put(r, state, described)
		g.state = state
	}
	return nil
}

// maker makes one resource what the samples of its group say.
type maker struct {
	w      *write
	tx     *engine.Tx
	group  int
	r      *engine.Resource
	source string
	meters []engine.Meter
}

func (m *maker) make() (err error) {
	g := &m.w.groups[m.group]
	m.r, err = m.tx.Resource(g.id)
	foreign := err == nil && m.w.foreign(g, m.r.ProjectID)
	switch {
	case foreign && m.r.ProjectID != nil:
		return refuse(g.newest, "resource_id", m.w.in[g.newest].ResourceID, "belongs to another project")
	case foreign:
	case errors.Is(err, engine.ErrNotFound):
		err = m.create(g)
	case err == nil:
		err = m.update(g)
	}
	if err != nil {
		return err
	}
	m.source, m.meters = m.r.Source, m.r.Meters
	listed := map[engine.Meter]bool{}
	for _, x := range m.meters {
		listed[x] = true
	}
	for i, of := range m.w.of {
		if int(of) != m.group {
			continue
		}
		x := &m.w.in[i]
		if err := m.metric(x); err != nil {
			return err
		}
		if k := (engine.Meter{Name: x.Meter, Type: x.Type, Unit: x.Unit}); !listed[k] {
			listed[k] = true
			m.meters = append(m.meters, k)
		}
	}
	if !foreign {
		m.source = m.w.in[g.newest].Source
	}
	if m.source == m.r.Source && slices.Equal(m.meters, m.r.Meters) {
		return nil
	}
	return m.tx.SetMeters(g.id, m.source, m.meters)
}

// create makes the resource, of the type that the first meter of a known type says, if what that requires is known.
func (m *maker) create(g *group) error {
	s, x := m.w.s, &m.w.in[g.newest]
	r := &engine.Resource{ID: g.id, OriginalID: x.ResourceID, Type: genericType, Creator: &s.o.Creator, UserID: x.UserID,
		ProjectID: x.ProjectID, StartedAt: s.o.Now()}
	if g.describes >= 0 {
		d := &m.w.in[g.describes]
		typ := meterTypes[d.Meter].typ
		if err := needType(m.tx, typ); err != nil {
			return err
		}
		t, err := m.tx.ResourceType(typ)
		if err != nil {
			return err
		}
		if values := attributesOf(t, d.Metadata); complete(t, values) {
			r.Type, r.Attributes = typ, values
		}
	}
	err := m.tx.CreateResource(r)
	if err == nil {
		m.r, err = m.tx.Resource(g.id)
	}
	return err
}

// update gives the resource the owner and the attributes that its newest samples have.
func (m *maker) update(g *group) error {
	x := &m.w.in[g.newest]
	r := *m.r
	r.UserID, r.ProjectID = x.UserID, x.ProjectID
	changed := !sameText(r.UserID, m.r.UserID) || !sameText(r.ProjectID, m.r.ProjectID)
	if g.describes >= 0 && meterTypes[m.w.in[g.describes].Meter].typ == r.Type {
		t, err := m.tx.ResourceType(r.Type)
		if err != nil {
			return err
		}
		same := func(a, b index.Value) bool { return a.Kind == b.Kind && index.Compare(a, b) == 0 }
		r.Attributes = maps.Clone(r.Attributes)
		if r.Attributes == nil {
			r.Attributes = map[string]index.Value{}
		}
		maps.Copy(r.Attributes, attributesOf(t, m.w.in[g.describes].Metadata))
		changed = changed || !maps.EqualFunc(r.Attributes, m.r.Attributes, same)
	}
	if !changed {
		return nil
	}
	// A zero time is now, which is when the change is known of.
	r.RevisionStart = m.w.s.o.Now()
	return m.tx.UpdateResource(&r)
}

// metric makes the metric of a sample if it does not exist.
func (m *maker) metric(x *Sample) error {
	if _, ok := m.r.Metrics[x.Meter]; ok {
		return nil
	}
	policy, err := m.w.s.policyOf(m.tx, x.Meter)
	if err != nil {
		return err
	}
	unit := &x.Unit
	if utf8.RuneCountInString(x.Unit) > maxUnitChars {
		unit = nil
	}
	made, err := m.tx.CreateMetric(engine.Metric{Name: &x.Meter, Unit: unit, Creator: m.r.Creator, Policy: policy, Resource: &m.r.ID})
	if err != nil {
		return err
	}
	m.r.Metrics[x.Meter] = engine.MetricRef{ID: made.ID, Ref: made.Ref}
	return nil
}
