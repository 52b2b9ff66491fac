package gnocchi

import (
	"context"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// CreateDefaults gives an empty database the archive policies and the rule that an installation of Gnocchi comes with: bool, low,
// medium and high, and the rule default. A database that has a policy or a rule is left alone.
func CreateDefaults(ctx context.Context, db *engine.DB) error {
	if len(db.ArchivePolicies()) > 0 || len(db.Rules()) > 0 {
		return nil
	}
	const day = 24 * time.Hour
	every := func(width, span time.Duration) engine.Granularity {
		return engine.Granularity{Width: width, Points: int64(span / width), Timespan: span}
	}
	standard := sortedMethods(defaultMethods)
	policies := []engine.ArchivePolicy{
		{Name: "bool", BackWindow: 3600, Methods: []rollup.Method{rollup.Last},
			Definition: []engine.Granularity{every(time.Second, 365*day)}},
		{Name: "low", Methods: standard, Definition: []engine.Granularity{every(5*time.Minute, 30*day)}},
		{Name: "medium", Methods: standard, Definition: []engine.Granularity{
			every(time.Minute, 7*day), every(time.Hour, 365*day)}},
		{Name: "high", Methods: standard, Definition: []engine.Granularity{
			every(time.Second, time.Hour), every(time.Minute, 7*day), every(time.Hour, 365*day)}},
	}
	return db.Update(ctx, func(tx *engine.Tx) error {
		for _, p := range policies {
			if err := tx.CreateArchivePolicy(p); err != nil {
				return err
			}
		}
		return tx.CreateRule(engine.Rule{Name: "default", Pattern: "*", Policy: "low"})
	})
}
