package gnocchi

import (
	"strings"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/valyala/fastjson"
)

// metricInput is a metric to be created or, if it has an id, to be given to a resource.
type metricInput struct {
	name         *string
	id           *engine.UUID
	policy, unit *string
}

// parseMetric reads the body that creates a metric.
func (c *call) parseMetric(v *fastjson.Value) (in metricInput, resource *engine.UUID, err error) {
	members, err := asObject(v, nil)
	if err != nil {
		return in, nil, err
	}
	for _, m := range members {
		here := (*at)(nil).member(m.key)
		switch m.key {
		case "name":
			if in.name, err = asName(m.value, here, maxName); err == nil {
				err = checkMetricName(*in.name)
			}
		case "resource_id":
			var s string
			if s, err = asString(m.value, here, 0); err != nil {
				return in, nil, err
			}
			id, bad := resourceID(s, c.user)
			if bad != nil {
				err = invalid(bad.Error(), here)
			}
			resource = &id
		default:
			err = in.parseMember(m, here)
		}
		if err != nil {
			return in, nil, err
		}
	}
	if resource != nil && in.name == nil {
		return in, nil, badRequest(object{{"cause", "Attribute value error"}, {"detail", "name"},
			{"reason", "Name cannot be null if resource_id is not null"}})
	}
	return in, resource, nil
}

// maxUnit is the most characters a unit has.
const maxUnit = 31

// parseMember reads what all definitions of a metric may have.
func (in *metricInput) parseMember(m field, here *at) (err error) {
	switch m.key {
	case "archive_policy_name":
		in.policy, err = asName(m.value, here, 0)
	case "unit":
		in.unit, err = asName(m.value, here, maxUnit)
	default:
		err = extraKey(here)
	}
	return err
}

func asName(v *fastjson.Value, p *at, limit int) (*string, error) {
	s, err := asString(v, p, limit)
	return &s, err
}

func checkMetricName(name string) error {
	if strings.Contains(name, "/") {
		return badRequest("'/' is not supported in metric name")
	}
	return nil
}

// choosePolicy gives the policy of a new metric: the one that was asked for, or that of the first rule that fits.
func choosePolicy(tx *engine.Tx, in metricInput) (string, error) {
	if in.policy != nil {
		_, err := tx.ArchivePolicy(*in.policy)
		return *in.policy, asBadRequestOrNil(err)
	}
	name, shown := "", "None"
	if in.name != nil {
		name, shown = *in.name, *in.name
	}
	if r, ok := tx.MatchRule(name); ok {
		return r.Policy, nil
	}
	return "", noPolicyFor(shown)
}

func noPolicyFor(metric string) error {
	return badRequest("No archive policy name specified and no archive policy rule found matching the metric name " + metric)
}

func asBadRequestOrNil(err error) error {
	if err == nil {
		return nil
	}
	return asBadRequest(err)
}
