package main

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

const endOfTime = math.MaxInt64

// space is where the UUIDs of hosts come from.
var space = engine.UUID{0x7e, 0x1e, 0x3e, 0x72, 0x1c}

// policy keeps an hour of seconds, a month of minutes, and the last hour's samples as they came.
var policy = engine.ArchivePolicy{
	Name: "host",
	Definition: []engine.Granularity{
		{Width: time.Second, Points: 3600, Timespan: time.Hour},
		{Width: time.Minute, Points: 43200, Timespan: 30 * 24 * time.Hour},
	},
	Methods: []rollup.Method{rollup.Mean, rollup.Max},
	Raw:     time.Hour,
}

// reading is one value of one metric.
type reading struct {
	metric string
	value  float64
}

// collector writes readings of one host. It serves one goroutine.
type collector struct {
	db    *engine.DB
	host  engine.UUID
	refs  map[string]engine.Ref // of the host's metrics, by name
	batch engine.Batch
}

// newCollector makes the policy and the host's resource unless an earlier run did.
func newCollector(ctx context.Context, db *engine.DB, hostname string) (*collector, error) {
	c := &collector{db: db, host: engine.UUIDv5(space, hostname), refs: map[string]engine.Ref{}}
	err := db.Update(ctx, func(tx *engine.Tx) error {
		if err := tx.CreateArchivePolicy(policy); err != nil && !errors.Is(err, engine.ErrExists) {
			return err
		}
		err := tx.CreateResource(&engine.Resource{ID: c.host, OriginalID: hostname, Type: "generic", StartedAt: time.Now().UTC()})
		if err != nil && !errors.Is(err, engine.ErrExists) {
			return err
		}
		r, err := tx.Resource(c.host)
		if err != nil {
			return err
		}
		for name, m := range r.Metrics {
			c.refs[name] = m.Ref
		}
		return nil
	})
	return c, err
}

// collect samples at once and then every so often until ctx is done.
func (c *collector) collect(ctx context.Context, every time.Duration, sample func(context.Context) ([]reading, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for now := time.Now(); ; {
		readings, err := sample(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		// what was sampled is stored, also when the time is up meanwhile
		if err := c.store(context.WithoutCancel(ctx), now, readings); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case now = <-tick.C:
		}
	}
}

// store appends one reading each of some metrics: one batch, durable when it returns.
func (c *collector) store(ctx context.Context, now time.Time, readings []reading) error {
	if err := c.createMissing(ctx, readings); err != nil {
		return err
	}
	c.batch.Reset()
	for _, r := range readings {
		c.batch.Add(c.refs[r.metric], now.UnixNano(), r.value)
	}
	_, err := c.db.Append(ctx, &c.batch)
	return err
}

// createMissing makes the metrics that are read for the first time.
func (c *collector) createMissing(ctx context.Context, readings []reading) error {
	var missing []string
	for _, r := range readings {
		if _, ok := c.refs[r.metric]; !ok {
			missing = append(missing, r.metric)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return c.db.Update(ctx, func(tx *engine.Tx) error {
		for _, name := range missing {
			m, err := tx.CreateMetric(engine.Metric{Name: &name, Policy: policy.Name, Resource: &c.host})
			if err != nil {
				return err
			}
			c.refs[name] = m.Ref
		}
		return nil
	})
}
