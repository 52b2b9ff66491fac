package samples

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// Options configures New. A nil *Options and every zero field mean the default named beside the field.
type Options struct {
	// Creator is who new resources and metrics have as their creator, and part of the ids of resources that are not named by UUIDs.
	// Default: admin.
	Creator string
	// ArchivePolicy is that of new metrics. It should keep all samples. Default: ceilometer, which is made when it is needed.
	ArchivePolicy string
	// KeepMessageIDs keeps the message ids that senders give, and refuses none for being there already. Default: samples are named by
	// the database, which costs nothing.
	KeepMessageIDs bool
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Store writes samples to a database. Its methods may be called concurrently.
type Store struct {
	db *engine.DB
	o  Options
}

// New returns a store for db.
func New(db *engine.DB, o *Options) *Store {
	s := &Store{db: db}
	if o != nil {
		s.o = *o
	}
	if s.o.Creator == "" {
		s.o.Creator = "admin"
	}
	if s.o.ArchivePolicy == "" {
		s.o.ArchivePolicy = "ceilometer"
	}
	if s.o.Now == nil {
		s.o.Now = time.Now
	}
	return s
}

// idSpace is the name space of the UUIDs of resources whose ids are other text: Gnocchi's.
var idSpace = engine.UUID{0x0a, 0x7a, 0x15, 0xff, 0xaa, 0x13, 0x4a, 0xc2, 0x89, 0x7c, 0x9b, 0xdf, 0x30, 0xce, 0x17, 0x5b}

// ResourceUUID gives the id under which the store keeps a resource: the UUID itself, or one made of the text, of which slashes count
// as underscores as in Ceilometer's gnocchi publisher, and of the creator.
func (s *Store) ResourceUUID(id string) engine.UUID {
	if u, err := engine.ParseUUID(id); err == nil {
		return u
	}
	return engine.UUIDv5(idSpace, strings.ReplaceAll(id, "/", "_")+"\x00"+s.o.Creator)
}

// Write stores samples and returns their ids, in their order, which Ceilometer's API knows them by. When it returns they are durable
// and visible through every door. Errors are the engine's; then no sample is stored.
func (s *Store) Write(ctx context.Context, in []Sample) (ids []string, err error) {
	contexts := make([]engine.Context, len(in))
	for i, x := range in {
		contexts[i] = engine.Context{UserID: x.UserID, ProjectID: x.ProjectID, Source: x.Source, Unit: x.Unit, Type: x.Type,
			Metadata: x.Metadata}
	}
	refs, err := s.db.InternContexts(ctx, contexts)
	if err != nil {
		return nil, err
	}
	var b engine.Batch
	err = s.db.Update(ctx, func(tx *engine.Tx) error {
		for i, x := range in {
			m, err := s.metric(tx, x)
			if err != nil {
				return err
			}
			arrival := x.Arrival
			if arrival == 0 {
				arrival = s.o.Now().UnixNano()
			}
			b.AddSample(m, x.Time, x.Volume, refs[i], arrival)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, err = s.db.Append(ctx, &b)
	return make([]string, len(in)), err
}

// metric finds or makes the metric of a sample.
func (s *Store) metric(tx *engine.Tx, x Sample) (engine.Ref, error) {
	id := s.ResourceUUID(x.ResourceID)
	r, err := tx.Resource(id)
	if errors.Is(err, engine.ErrNotFound) {
		err = tx.CreateResource(&engine.Resource{ID: id, OriginalID: x.ResourceID, Type: "generic", Creator: &s.o.Creator,
			UserID: x.UserID, ProjectID: x.ProjectID, StartedAt: s.o.Now()})
		if err == nil {
			r, err = tx.Resource(id)
		}
	}
	if err != nil {
		return 0, err
	}
	if m, ok := r.Metrics[x.Meter]; ok {
		return m.Ref, nil
	}
	if err := s.needPolicy(tx); err != nil {
		return 0, err
	}
	m, err := tx.CreateMetric(engine.Metric{Name: &x.Meter, Unit: &x.Unit, Creator: r.Creator, Policy: s.o.ArchivePolicy, Resource: &id})
	return m.Ref, err
}

// needPolicy makes the archive policy of new metrics if it is the default and does not exist.
func (s *Store) needPolicy(tx *engine.Tx) error {
	if _, err := s.db.ArchivePolicy(s.o.ArchivePolicy); !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	const day = 24 * time.Hour
	return tx.CreateArchivePolicy(engine.ArchivePolicy{Name: s.o.ArchivePolicy, Raw: engine.RawForever, KeepAll: true,
		Methods: []rollup.Method{rollup.Mean, rollup.Min, rollup.Max, rollup.Sum, rollup.Count},
		Definition: []engine.Granularity{
			{Width: time.Minute, Points: 7 * 24 * 60, Timespan: 7 * day},
			{Width: time.Hour, Points: 365 * 24, Timespan: 365 * day}}})
}
