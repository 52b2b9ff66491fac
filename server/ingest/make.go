package ingest

import (
	"errors"

	"github.com/telemetrydb/tsdb/engine"
)

// maker makes what a write needs, in one transaction.
type maker struct {
	w         *Write
	tx        *engine.Tx
	resources []*engine.Resource // of the write, nil until they are needed
	typed     bool               // NeedType was called
	failed    map[madeMetric]error
}

type madeMetric struct {
	resource int
	name     string
}

// make sees to it that the metrics of all samples that lack one exist.
func (w *Write) make(tx *engine.Tx, found *lookup) error {
	m := &maker{w: w, tx: tx, resources: make([]*engine.Resource, len(w.Resources)), failed: map[madeMetric]error{}}
	for _, i := range found.missing {
		s := &w.Samples[i]
		ref, err := m.metric(s)
		if err != nil && w.Skip != nil && errors.Is(err, errMetric) {
			w.Skip(s.Metric, 1, err)
			found.skipped[i] = true
			continue
		}
		if err != nil {
			return err
		}
		found.refs[i] = ref
	}
	return nil
}

// errMetric marks errors that concern one metric and not the whole write.
var errMetric = errors.New("the metric cannot be made")

// metricError is an error that concerns one metric.
type metricError struct{ error }

func (e metricError) Unwrap() error        { return e.error }
func (e metricError) Is(target error) bool { return target == errMetric }

// metric finds or makes the metric of a sample.
func (m *maker) metric(s *Sample) (engine.Ref, error) {
	key := madeMetric{s.Resource, s.Metric}
	if err := m.failed[key]; err != nil {
		return 0, err
	}
	r, err := m.resource(s.Resource)
	if err != nil {
		return 0, err
	}
	if have, ok := r.Metrics[s.Metric]; ok {
		return have.Ref, nil
	}
	policy := m.w.Policy
	if policy == "" {
		rule, ok := m.tx.MatchRule(s.Metric)
		if !ok {
			m.failed[key] = metricError{&PolicyError{s.Metric}}
			return 0, m.failed[key]
		}
		policy = rule.Policy
	}
	name := s.Metric
	made, err := m.tx.CreateMetric(engine.Metric{Name: &name, Creator: r.Creator, Policy: policy, Resource: &r.ID})
	if err != nil {
		m.failed[key] = metricError{err}
		return 0, m.failed[key]
	}
	r.Metrics[name] = engine.MetricRef{ID: made.ID, Ref: made.Ref}
	return made.Ref, nil
}

// resource finds or makes a resource that is about to get metrics.
func (m *maker) resource(i int) (*engine.Resource, error) {
	if r := m.resources[i]; r != nil {
		return r, nil
	}
	want := &m.w.Resources[i]
	r, err := m.tx.Resource(want.ID)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		r, err = m.create(want)
	case err == nil:
		err = m.w.check(r)
	}
	if err != nil {
		return nil, err
	}
	m.resources[i] = r
	return r, nil
}

func (m *maker) create(want *Resource) (*engine.Resource, error) {
	if !m.typed && m.w.NeedType != nil {
		if err := m.w.NeedType(m.tx); err != nil {
			return nil, err
		}
	}
	m.typed = true
	r := &engine.Resource{ID: want.ID, OriginalID: want.Original, Type: m.w.Type, Creator: m.w.Creator, StartedAt: m.w.Now,
		Attributes: want.Attributes}
	if m.w.Access.CreateResource != nil {
		if err := m.w.Access.CreateResource(r); err != nil {
			return nil, err
		}
	}
	if err := m.tx.CreateResource(r); err != nil {
		return nil, err
	}
	return m.tx.Resource(r.ID)
}
