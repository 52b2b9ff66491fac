package samples

import (
	"context"
	"errors"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
)

// Description is what somebody who knew a resource before says of it.
type Description struct {
	ResourceID        string
	UserID, ProjectID *string // nil: null
	Source            string
	Meters            []engine.Meter // in the order in which they appeared
}

// Describe gives resources the owner and the source that descriptions say, and their meters that order, as if the last samples had said so.
// Resources that have no samples here are left out: known is how many have. Errors are the engine's; what came before one stays.
func (s *Store) Describe(ctx context.Context, list []Description) (known int, err error) {
	err = s.db.Update(ctx, func(tx *engine.Tx) error {
		known = 0
		for i := range list {
			ok, err := s.describe(tx, &list[i])
			if err != nil {
				return err
			}
			if ok {
				known++
			}
		}
		return nil
	})
	return known, err
}

func (s *Store) describe(tx *engine.Tx, d *Description) (known bool, err error) {
	r, err := tx.Resource(s.ResourceUUID(d.ResourceID))
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !sameText(r.UserID, d.UserID) || !sameText(r.ProjectID, d.ProjectID) {
		r.UserID, r.ProjectID, r.RevisionStart = d.UserID, d.ProjectID, s.o.Now()
		if err := tx.UpdateResource(r); err != nil {
			return false, err
		}
	}
	var meters []engine.Meter
	for _, m := range slices.Concat(d.Meters, r.Meters) {
		if slices.Contains(r.Meters, m) && !slices.Contains(meters, m) {
			meters = append(meters, m)
		}
	}
	if d.Source == r.Source && slices.Equal(meters, r.Meters) {
		return true, nil
	}
	return true, tx.SetMeters(r.ID, d.Source, meters)
}
