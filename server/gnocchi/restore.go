package gnocchi

import (
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/engine"
)

// restore collects the resources of a request that have ended and get measures of a later time. They go on: an end that was
// told too early, or something that was taken for gone and has come back.
type restore struct {
	c        *call
	resource []engine.UUID
	newest   []time.Time
}

// add takes in that a metric of the resource, nil for none, gets measures up to newest.
func (r *restore) add(resource *engine.UUID, newest int64) error {
	if resource == nil || newest < 0 {
		return nil
	}
	end, err := r.c.db.ResourceEnd(*resource)
	if err != nil || end.IsZero() || end.UnixNano() > newest {
		return err
	}
	r.resource = append(r.resource, *resource)
	r.newest = append(r.newest, time.Unix(0, newest))
	return nil
}

// run ends the ends. The states that had them become revisions.
func (r *restore) run() error {
	if len(r.resource) == 0 {
		return nil
	}
	return r.c.db.Update(r.c.r.Context(), func(tx *engine.Tx) error {
		for i, id := range r.resource {
			if slices.Contains(r.resource[:i], id) {
				continue
			}
			state, err := tx.Resource(id)
			if isKind(err, engine.ErrNotFound, engine.KindResource) {
				continue // deleted meanwhile
			}
			if err != nil {
				return err
			}
			if state.EndedAt == nil || state.EndedAt.After(r.newest[i]) {
				continue
			}
			state.EndedAt, state.RevisionStart = nil, r.c.o.Now().UTC().Truncate(time.Microsecond)
			if err := tx.UpdateResource(state); err != nil {
				return err
			}
		}
		return nil
	})
}
