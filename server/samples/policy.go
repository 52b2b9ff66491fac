package samples

import (
	"errors"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// The archive policies of new metrics: PolicyName, and RatePolicyName of meters that grow. Both keep all samples.
const (
	PolicyName     = "ceilometer"
	RatePolicyName = "ceilometer-rate"
)

// policyOf returns the archive policy of a new metric: the one that is configured, or that of a rule which matches the meter's name,
// but for the rule that matches every name and that fresh databases have, or one of the two that are made here if they are missing.
func (s *Store) policyOf(tx *engine.Tx, meter string) (string, error) {
	if s.o.ArchivePolicy != "" {
		return s.o.ArchivePolicy, nil
	}
	if rule, ok := tx.MatchRule(meter); ok && rule.Pattern != "*" {
		return rule.Policy, nil
	}
	const day = 24 * time.Hour
	p := engine.ArchivePolicy{Name: PolicyName, Raw: engine.RawForever, KeepAll: true,
		Methods: []rollup.Method{rollup.Mean, rollup.Min, rollup.Max, rollup.Sum, rollup.Count},
		Definition: []engine.Granularity{
			{Width: time.Minute, Points: 7 * 24 * 60, Timespan: 7 * day},
			{Width: time.Hour, Points: 365 * 24, Timespan: 365 * day}}}
	if meterTypes[meter].counter {
		p.Name = RatePolicyName
		p.Methods = append(p.Methods, rollup.Mean.OfRate(), rollup.CounterRate)
	}
	if s.o.Keep > 0 {
		p.Raw = s.o.Keep
	}
	err := tx.CreateArchivePolicy(p)
	if errors.Is(err, engine.ErrExists) {
		err = nil
	}
	return p.Name, err
}
