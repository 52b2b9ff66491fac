package gnocchi

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/valyala/fastjson"
)

func (c *call) listResourceMetrics() error {
	r, err := c.resourceOfPath()
	if err != nil {
		return err
	}
	if err := c.mayResource(auth.GetResource, r); err != nil {
		return err
	}
	return c.metricsOf(r)
}

// metricsOf sends all metrics of a resource, by name.
func (c *call) metricsOf(r *engine.Resource) error {
	var objects []object
	for _, name := range slices.Sorted(maps.Keys(r.Metrics)) {
		m, err := c.db.MetricByRef(r.Metrics[name].Ref)
		if isKind(err, engine.ErrNotFound, engine.KindMetric) {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		o, err := c.listedMetric(m)
		if err != nil {
			return err
		}
		objects = append(objects, o)
	}
	return c.list(len(objects), func(dst []byte, i int) []byte { return appendJSON(dst, objects[i]) })
}

func (c *call) postResourceMetrics() error {
	r, err := c.resourceOfPath()
	if err != nil {
		return err
	}
	if err := c.mayResource(auth.UpdateResource, r); err != nil {
		return err
	}
	v, err := c.decode()
	if err != nil {
		return err
	}
	metrics, err := parseMetrics(v, nil)
	if err != nil {
		return err
	}
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error {
		policies, err := rulePolicies(tx, metrics)
		if err != nil {
			return err
		}
		if err := addMetrics(tx, r, metrics, policies); err != nil {
			return asBadRequest(err)
		}
		r, err = tx.Resource(r.ID)
		return err
	})
	if err != nil {
		return err
	}
	return c.metricsOf(r)
}

// parseMetrics reads an object of names and what they stand for: the id of a metric, or the definition of a new one.
func parseMetrics(v *fastjson.Value, p *at) ([]metricInput, error) {
	members, err := asObject(v, p)
	if err != nil {
		return nil, err
	}
	metrics := make([]metricInput, 0, len(members))
	for _, m := range members {
		here := p.member(m.key)
		if err := checkMetricName(m.key); err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(m.key) > maxName {
			return nil, invalid("length of value must be at most 255", here)
		}
		name := strings.Clone(m.key)
		in := metricInput{name: &name}
		switch m.value.Type() {
		case fastjson.TypeString:
			id, err := engine.ParseUUID(text(m.value))
			if err != nil {
				return nil, invalid("not a valid value", here)
			}
			in.id = &id
		case fastjson.TypeObject:
			definition, _ := asObject(m.value, here)
			for _, d := range definition {
				if d.key == "name" {
					continue // the client repeats it; the name is the member's
				}
				if err := in.parseMember(d, here.member(d.key)); err != nil {
					return nil, err
				}
			}
		default:
			return nil, invalid("not a valid value", here)
		}
		metrics = append(metrics, in)
	}
	return metrics, nil
}

// choosePolicies gives the policies of those of the metrics that are to be created.
func choosePolicies(tx *engine.Tx, metrics []metricInput) ([]string, error) {
	policies := make([]string, len(metrics))
	for i, in := range metrics {
		if in.id != nil {
			continue
		}
		var err error
		if policies[i], err = choosePolicy(tx, in); err != nil {
			return nil, err
		}
	}
	return policies, nil
}

// rulePolicies gives the policies of those of the metrics that are to be created; where they name one, it need not exist.
func rulePolicies(tx *engine.Tx, metrics []metricInput) ([]string, error) {
	policies := make([]string, len(metrics))
	for i, in := range metrics {
		var err error
		switch {
		case in.id != nil:
		case in.policy != nil:
			policies[i] = *in.policy
		default:
			if policies[i], err = choosePolicy(tx, in); err != nil {
				return nil, err
			}
		}
	}
	return policies, nil
}

// addMetrics gives the resource more metrics, in their order. New ones belong to whom the resource belongs, and so must those that
// exist. A name that is taken is told before a policy that does not exist.
func addMetrics(tx *engine.Tx, r *engine.Resource, metrics []metricInput, policies []string) error {
	for i, in := range metrics {
		if in.id != nil {
			m, err := tx.Metric(*in.id)
			if err == nil && !sameText(m.Creator, r.Creator) {
				err = &engine.Error{Kind: engine.KindMetric, Name: in.id.String(), Err: engine.ErrNotFound}
			}
			if err == nil {
				err = tx.AttachMetric(*in.id, &r.ID, in.name)
			}
			if err != nil {
				return err
			}
			continue
		}
		_, err := tx.CreateMetric(engine.Metric{Name: in.name, Unit: in.unit, Creator: r.Creator, Policy: policies[i], Resource: &r.ID})
		if err != nil {
			return err
		}
	}
	return nil
}
