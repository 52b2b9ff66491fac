package ceilometer

import (
	"cmp"
	"context"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
)

// document is a resource as this API knows it.
type document struct {
	*engine.Resource
	meters []meterKind // in the order of their appearance
	refs   []engine.Ref
	times  bool // whether it has samples
	first  int64
	last   int64           // of its samples, in nanoseconds
	newest *engine.Context // of its newest sample; nil: it has none
}

// meterKind is a kind of samples that a resource has.
type meterKind struct{ name, typ, unit string }

// document gives a resource with its meters, without what its samples say.
func (k *known) document(row engine.ResourceRow) *document {
	k.add(row)
	d := &document{Resource: row.Resource()}
	var named []*meter
	for _, m := range row.Metrics() {
		named = append(named, k.meters[m.Ref])
		d.refs = append(d.refs, m.Ref)
	}
	slices.SortFunc(named, func(a, b *meter) int { return cmp.Compare(a.ref, b.ref) })
	listed := map[string]bool{}
	for _, m := range d.Meters {
		listed[m.Name] = true
		d.meters = append(d.meters, meterKind{m.Name, m.Type, m.Unit})
	}
	for _, m := range named {
		if listed[m.name] {
			continue
		}
		c := k.defaultContext(d.Resource, m.name)
		d.meters = append(d.meters, meterKind{m.name, c.Type, c.Unit})
	}
	return d
}

// readNewest finds the newest sample of a resource.
func (k *known) readNewest(ctx context.Context, d *document, u *usage) error {
	if err := u.read(len(d.refs)); err != nil || len(d.refs) == 0 {
		return err
	}
	v, _, err := k.view(d.refs)
	if err != nil {
		return err
	}
	defer v.Close()
	r := v.MergeSamples(ctx, allTime.from, allTime.to, engine.SampleQuery{Limit: len(d.refs)})
	if !r.Next() {
		return r.Err()
	}
	c, best := r.Columns(), 0
	for i := range c.Times { // of one time the one that came last
		if c.Times[i] == c.Times[0] && c.Arrivals[i] > c.Arrivals[best] {
			best = i
		}
	}
	d.times, d.last = true, c.Times[0]
	m, err := k.meter(c.Metrics[best])
	if m == nil || err != nil {
		return err
	}
	d.newest, err = k.context(m, c.Contexts[best])
	return err
}

// readFirst finds the time of a resource's oldest sample.
func (k *known) readFirst(ctx context.Context, d *document, u *usage) error {
	if err := u.read(len(d.refs)); err != nil || !d.times {
		return err
	}
	v, _, err := k.view(d.refs)
	if err != nil {
		return err
	}
	defer v.Close()
	r := v.MergeSamples(ctx, allTime.from, allTime.to, engine.SampleQuery{OldestFirst: true, Limit: 1})
	if r.Next() {
		d.first = r.Columns().Times[0]
	}
	return r.Err()
}

// defaultContext is the context of samples of a meter that came without.
func (h *handler) defaultContext(r *engine.Resource, _ string) *engine.Context {
	return &engine.Context{UserID: r.UserID, ProjectID: r.ProjectID, Source: h.o.Source, Type: "gauge"}
}

// source is where the last samples of a resource came from.
func (h *handler) source(r *engine.Resource) string { return cmp.Or(r.Source, h.o.Source) }
