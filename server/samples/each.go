package samples

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
)

// Selection says which samples Each gives. The zero value selects all.
type Selection struct {
	Resource func(id string) bool    // nil: all
	Meter    func(meter string) bool // nil: all
	From, To int64                   // from <= time < to, in nanoseconds since the Unix epoch; To 0: no end
}

// Skipped counts the metrics of which Each had nothing to give.
type Skipped struct {
	Homeless int // they belong to no resource, so Ceilometer has no name for them
	NotKept  int // their archive policy keeps aggregates, and no samples
}

// Each calls fn with the samples of all resources, one resource after the other, those of a metric from the oldest on. What came without
// a context gets that of DefaultContext; MessageID is empty if none was kept. fn may not keep the sample; its error ends the walk. Samples that arrive meanwhile may be
// among them or not.
func (s *Store) Each(ctx context.Context, q Selection, fn func(x *Sample) error) (skipped Skipped, err error) {
	if q.To == 0 {
		q.To = math.MaxInt64
	}
	metrics, err := s.db.Metrics(ctx, engine.Query{})
	if err != nil {
		return skipped, err
	}
	byResource := map[engine.UUID][]engine.Metric{}
	var order []engine.UUID
	for _, m := range metrics {
		if m.Resource == nil || m.Name == nil {
			skipped.Homeless++
			continue
		}
		if byResource[*m.Resource] == nil {
			order = append(order, *m.Resource)
		}
		byResource[*m.Resource] = append(byResource[*m.Resource], m)
	}
	for _, id := range order {
		r, err := s.db.Resource(id)
		if errors.Is(err, engine.ErrNotFound) { // deleted meanwhile
			continue
		}
		if err != nil {
			return skipped, err
		}
		if q.Resource != nil && !q.Resource(r.OriginalID) {
			continue
		}
		for _, m := range byResource[id] {
			if q.Meter != nil && !q.Meter(*m.Name) {
				continue
			}
			kept, err := s.eachOf(ctx, q, r, m, fn)
			if err != nil {
				return skipped, err
			}
			if !kept {
				skipped.NotKept++
			}
		}
	}
	return skipped, nil
}

// eachOf gives the samples of a metric. kept: its policy keeps samples.
func (s *Store) eachOf(ctx context.Context, q Selection, r *engine.Resource, m engine.Metric, fn func(x *Sample) error) (kept bool, err error) {
	policy, err := s.db.ArchivePolicy(m.Policy)
	if err != nil || policy.Raw == 0 {
		return false, err
	}
	v, err := s.db.View(m.Ref)
	if errors.Is(err, engine.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return true, err
	}
	defer v.Close()
	usual := s.DefaultContext(r, m)
	rows := v.Samples(ctx, m.Ref, q.From, q.To, engine.SampleQuery{OldestFirst: true})
	for rows.Next() {
		c := rows.Columns()
		for i := range c.Times {
			of := &usual
			if c.Contexts[i] != 0 {
				if of, err = s.db.SharedContext(c.Contexts[i]); err != nil {
					return true, err
				}
			}
			id, err := s.db.MessageID(m.Ref, c.Times[i], c.Seqs[i])
			if err != nil {
				return true, err
			}
			x := Sample{Meter: *m.Name, Type: of.Type, Unit: of.Unit, Volume: c.Values[i], ResourceID: r.OriginalID, UserID: of.UserID,
				ProjectID: of.ProjectID, Source: of.Source, Time: c.Times[i], Arrival: c.Arrivals[i], MessageID: id,
				Metadata: slices.Clip(of.Metadata)}
			if err := fn(&x); err != nil {
				return true, err
			}
		}
	}
	return true, rows.Err()
}
