package samples

import (
	"context"
	"errors"

	"github.com/telemetrydb/tsdb/engine"
)

// Sample returns the sample of an id: one that Write returned, or a message id that was kept, whether more are kept or not. It is one row
// with Metrics set. engine.ErrNotFound of engine.KindSample.
func (s *Store) Sample(ctx context.Context, id string) (*engine.Samples, error) {
	if u, err := engine.ParseUUID(id); err == nil {
		if out, err := s.db.SampleByID(ctx, u); !errors.Is(err, engine.ErrNotFound) {
			return out, err
		}
	}
	return s.db.SampleByMessageID(ctx, id)
}
