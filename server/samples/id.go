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

// IDs returns the ids of samples that were read from the view, of the metric m if they do not say their own.
func (s *Store) IDs(v *engine.View, m engine.Ref, c *engine.Samples) ([]string, error) {
	ids, err := v.MessageIDs(m, c)
	if err != nil {
		return nil, err
	}
	namer, err := s.db.SampleIDs()
	if err != nil {
		return nil, err
	}
	if ids == nil {
		ids = make([]string, len(c.Times))
	}
	for i := range ids {
		if c.Metrics != nil {
			m = c.Metrics[i]
		}
		if ids[i] == "" {
			ids[i] = namer.Make(m, c.Times[i], c.Seqs[i]).String()
		}
	}
	return ids, nil
}
