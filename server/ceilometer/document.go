package ceilometer

import (
	"context"
	"errors"

	"github.com/telemetrydb/tsdb/engine"
)

// document is a resource as this API knows it.
type document struct {
	*engine.Resource
	row    engine.ResourceRow
	refs   []engine.Ref
	times  bool              // whether it has samples; else what follows is zero
	first  int64             // time of its oldest sample, in nanoseconds
	last   int64             // of its newest one
	newest *engine.Context   // of that
	shared engine.ContextRef // newest, 0 if it is not shared
}

// document gives a resource with its metrics, without what its samples say.
func (k *known) document(row engine.ResourceRow) *document {
	d := &document{Resource: row.Resource(), row: row}
	for _, m := range row.Metrics() {
		d.refs = append(d.refs, m.Ref)
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
	return k.newestOf(ctx, v, d)
}

// newestOf finds the newest sample of a resource in a view that has its metrics, but for those that are gone.
func (k *known) newestOf(ctx context.Context, v *engine.View, d *document) error {
	var best engine.NewestSample
	var of engine.Ref
	for _, ref := range d.refs {
		t, ok, err := v.NewestTime(ref)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if !ok || of != 0 && t < best.Time {
			continue
		}
		n, ok, err := v.NewestSample(ctx, ref)
		if err != nil {
			return err
		}
		if ok && (of == 0 || n.Time > best.Time || n.Time == best.Time && n.Arrival >= best.Arrival) {
			best, of = n, ref
		}
	}
	if of == 0 {
		return nil
	}
	var err error
	d.times, d.last, d.shared = true, best.Time, best.Context
	if best.Context != 0 {
		d.newest, err = k.db.SharedContext(best.Context)
	} else {
		d.newest, err = k.defaultContext(d.Resource, of)
	}
	return err
}

// firstOf finds the time of a resource's oldest sample, likewise.
func firstOf(v *engine.View, d *document) error {
	if !d.times {
		return nil
	}
	d.first = d.last
	for _, ref := range d.refs {
		t, ok, err := v.OldestTime(ref)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if ok {
			d.first = min(d.first, t)
		}
	}
	return nil
}

// defaultContext is the context of samples of a metric that came without.
func (h *handler) defaultContext(r *engine.Resource, ref engine.Ref) (*engine.Context, error) {
	m, err := h.db.MetricByRef(ref)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return nil, err
	}
	c := h.store.DefaultContext(r, m)
	return &c, nil
}
