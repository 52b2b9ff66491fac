package ceilometer

import (
	"context"
	"errors"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

// meter is a metric that belongs to a resource.
type meter struct {
	ref      engine.Ref
	name     string
	resource *engine.Resource
	byItself *engine.Context // of samples that came without
}

// known is what a request has looked up of metrics and contexts.
type known struct {
	*handler
	meters    map[engine.Ref]*meter
	resources map[engine.UUID]*engine.Resource
	policies  map[string]bool // whether they keep samples
}

func (h *handler) newKnown() *known {
	return &known{h, map[engine.Ref]*meter{}, map[engine.UUID]*engine.Resource{}, map[string]bool{}}
}

// add takes over a resource with its meters.
func (k *known) add(row engine.ResourceRow) {
	r := row.Resource()
	k.resources[r.ID] = r
	for name, m := range row.Metrics() {
		k.meters[m.Ref] = &meter{ref: m.Ref, name: name, resource: r}
	}
}

// meter looks a metric up; nil: it is gone, or belongs to no resource.
func (k *known) meter(ref engine.Ref) (*meter, error) {
	if m, ok := k.meters[ref]; ok {
		return m, nil
	}
	m, err := k.db.MetricByRef(ref)
	if errors.Is(err, engine.ErrNotFound) || err == nil && (m.Resource == nil || m.Name == nil) {
		k.meters[ref] = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := k.resource(*m.Resource)
	if r == nil || err != nil {
		return nil, err
	}
	found := &meter{ref: ref, name: *m.Name, resource: r}
	k.meters[ref] = found
	return found, nil
}

// resource looks a resource up; nil: it is gone.
func (k *known) resource(id engine.UUID) (*engine.Resource, error) {
	if r, ok := k.resources[id]; ok {
		return r, nil
	}
	r, err := k.db.Resource(id)
	if errors.Is(err, engine.ErrNotFound) {
		r, err = nil, nil
	}
	if err == nil {
		k.resources[id] = r
	}
	return r, err
}

// context gives the context of a sample of the meter.
func (k *known) context(m *meter, ref engine.ContextRef) (*engine.Context, error) {
	if ref != 0 {
		return k.db.SharedContext(ref)
	}
	if m.byItself == nil {
		c, err := k.defaultContext(m.resource, m.ref)
		if err != nil {
			return nil, err
		}
		m.byItself = c
	}
	return m.byItself, nil
}

// eachByID calls fn with the resources of an id as clients know it: there may be several, by different creators.
func (h *handler) eachByID(ctx context.Context, id string, fn func(row engine.ResourceRow) error) error {
	return h.db.EachResource(ctx, engine.Query{Filter: h.idFilter(id)}, fn)
}

// idFilter selects the resources of an id as clients know it.
func (h *handler) idFilter(id string) *index.Filter {
	own := h.store.ResourceUUID(id)
	return &index.Filter{Op: index.Or, Subs: []*index.Filter{
		{Op: index.Eq, Field: "id", Value: index.Value{Kind: index.Bytes, Str: string(own[:])}},
		{Op: index.Eq, Field: "original_resource_id", Value: textValue(id)},
	}}
}

func textValue(s string) index.Value { return index.Value{Kind: index.Bytes, Str: s} }

// eqID selects the resource of a UUID.
func eqID(id engine.UUID) *index.Filter {
	return &index.Filter{Op: index.Eq, Field: "id", Value: index.Value{Kind: index.Bytes, Str: string(id[:])}}
}
