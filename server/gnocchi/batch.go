package gnocchi

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/valyala/fastjson"
)

// postBatchMetrics stores measures of metrics by their ids.
func (c *call) postBatchMetrics() error {
	v, err := c.decodeMeasures()
	if err != nil {
		return err
	}
	members, err := asObject(v, nil)
	if err != nil {
		return err
	}
	return whileMetricsGo(func() error { return c.storeBatchMetrics(members) })
}

func (c *call) storeBatchMetrics(members []field) error {
	b := getBatch()
	defer putBatch(b)
	reader := newMeasureReader(c)
	var unknown []string
	foreign := false
	for _, m := range members {
		here := (*at)(nil).member(m.key)
		id, err := engine.ParseUUID(m.key)
		if err != nil {
			return invalidKey("not a valid value", here)
		}
		metric, err := c.db.Metric(id)
		missing := isKind(err, engine.ErrNotFound, engine.KindMetric)
		switch {
		case missing:
			unknown = append(unknown, id.String())
		case err != nil:
			return err
		case c.mayMetric(auth.PostMeasures, metric) != nil:
			foreign = true
		}
		if err := reader.read(m.value, metric.Ref, unlessNil(b, missing)); err != nil {
			return invalid(err.Error(), here)
		}
	}
	if err := refuseUnknown(unknown); err != nil {
		return err
	}
	if foreign {
		return forbidden()
	}
	return c.append(b)
}

func unlessNil(b *engine.Batch, not bool) *engine.Batch {
	if not {
		return nil
	}
	return b
}

func refuseUnknown(metrics []string) error {
	if len(metrics) == 0 {
		return nil
	}
	slices.Sort(metrics)
	return badRequest("Unknown metrics: " + strings.Join(slices.Compact(metrics), ", "))
}

// resourceBatch is a batch of measures by resource and name on its way into the database.
type resourceBatch struct {
	c       *call
	create  bool // metrics that are missing
	samples *engine.Batch
	reader  *measureReader
	missing []missingMetric
	members []field // of the object of resources, then of the resource at hand
}

// missingMetric is a metric that does not exist, or did not when it was looked for.
type missingMetric struct {
	metricInput
	resource engine.UUID
	original string // the resource's id as it was given
	unknown  bool   // the resource does not exist either
	measures *fastjson.Value
}

// postBatchResources stores measures of metrics by their resources and names.
func (c *call) postBatchResources() error {
	create, err := c.boolArg("create_metrics", false)
	if err != nil {
		return err
	}
	v, err := c.decodeMeasures()
	if err != nil {
		return err
	}
	o, err := v.Object()
	if err != nil {
		return invalid("expected a dictionary", nil)
	}
	return whileMetricsGo(func() error { return c.storeBatchResources(o, create) })
}

func (c *call) storeBatchResources(o *fastjson.Object, create bool) error {
	b := &resourceBatch{c: c, create: create, samples: getBatch(), reader: newMeasureReader(c)}
	defer putBatch(b.samples)
	b.members = fields(b.members, o)
	foreign := false
	for _, res := range b.members[:len(b.members):len(b.members)] {
		if err := b.readResource(res, &foreign); err != nil {
			return err
		}
	}
	if err := b.addMissing(&foreign); err != nil {
		return err
	}
	if foreign {
		return forbidden()
	}
	return c.append(b.samples)
}

// readResource reads the measures of all metrics of one resource.
func (b *resourceBatch) readResource(res field, foreign *bool) error {
	id, err := resourceID(res.key, b.c.user)
	if err != nil {
		return invalidKey(err.Error(), (*at)(nil).member(res.key))
	}
	o, err := res.value.Object()
	if err != nil {
		return invalid("expected a dictionary", (*at)(nil).member(res.key))
	}
	from := len(b.members)
	b.members = fields(b.members, o)
	for _, m := range b.members[from:] {
		if err := b.readMetric(id, res.key, m, foreign); err != nil {
			return err
		}
	}
	b.members = b.members[:from]
	return nil
}

func (b *resourceBatch) readMetric(id engine.UUID, original string, m field, foreign *bool) error {
	in := missingMetric{resource: id, original: original, measures: m.value}
	if m.value.Type() == fastjson.TypeObject && !isEmpty(m.value) {
		if err := in.parse(m, original); err != nil {
			return err
		}
	}
	ref, err := b.c.db.ResourceMetric(id, m.key)
	known := err == nil
	if !known {
		if statusOf(err).status != http.StatusNotFound {
			return err
		}
		in.unknown = isKind(err, engine.ErrNotFound, engine.KindResource)
		name := strings.Clone(m.key)
		in.name = &name
		b.missing = append(b.missing, in)
	} else if b.c.mayMetricRef(auth.PostMeasures, ref.Ref) != nil {
		*foreign = true
	}
	if err := b.reader.read(in.measures, ref.Ref, unlessNil(b.samples, !known)); err != nil {
		here := (*at)(nil).member(original).member(m.key)
		if in.measures != m.value {
			here = here.member("measures")
		}
		return invalid(err.Error(), here)
	}
	return nil
}

// parse reads the form that says how to create the metric.
func (in *missingMetric) parse(m field, original string) error {
	here := (*at)(nil).member(original).member(m.key)
	members, err := asObject(m.value, here)
	if err != nil {
		return err
	}
	in.measures = nil
	for _, d := range members {
		if d.key == "measures" {
			in.measures = d.value
		} else if err := in.parseMember(d, here.member(d.key)); err != nil {
			return err
		}
	}
	if in.measures == nil {
		return missingKey(here.member("measures"))
	}
	return nil
}

// addMissing creates the metrics that are missing, if that was asked for, and adds their measures.
func (b *resourceBatch) addMissing(foreign *bool) error {
	if len(b.missing) == 0 {
		return nil
	}
	if !b.create {
		unknown := make([]string, len(b.missing))
		for i, m := range b.missing {
			unknown[i] = m.resource.String() + "/" + *m.name
		}
		return refuseUnknown(unknown)
	}
	refs, err := b.createMissing()
	if err != nil {
		return err
	}
	if err := b.refuseUnknownResources(); err != nil {
		return err
	}
	for i, m := range b.missing {
		if b.c.mayMetricRef(auth.PostMeasures, refs[i]) != nil { // somebody else was faster
			*foreign = true
		}
		if err := b.reader.read(m.measures, refs[i], b.samples); err != nil {
			return invalid(err.Error(), nil) // a relative time that was still valid a moment ago
		}
	}
	return nil
}

// createMissing creates what is missing on resources that exist. If all policies are known, that is: those of metrics of unknown
// resources, too.
func (b *resourceBatch) createMissing() ([]engine.Ref, error) {
	creator := b.c.user
	refs := make([]engine.Ref, len(b.missing))
	err := b.c.db.Update(b.c.r.Context(), func(tx *engine.Tx) error {
		inputs := make([]metricInput, len(b.missing))
		for i, m := range b.missing {
			if err := checkMetricName(*m.name); err != nil {
				return err
			}
			if utf8.RuneCountInString(*m.name) > maxName {
				return invalid("length of value must be at most 255", (*at)(nil).member(m.original).member(*m.name))
			}
			inputs[i] = m.metricInput
		}
		policies, err := choosePolicies(tx, inputs)
		if err != nil {
			return err
		}
		for i := range b.missing {
			m := &b.missing[i]
			if refs[i], err = b.createOne(tx, m, policies[i], &creator); err != nil {
				return err
			}
		}
		return nil
	})
	return refs, err
}

// createOne creates a metric unless it or its resource came or went meanwhile.
func (b *resourceBatch) createOne(tx *engine.Tx, m *missingMetric, policy string, creator *string) (engine.Ref, error) {
	r, err := tx.Resource(m.resource)
	m.unknown = isKind(err, engine.ErrNotFound, engine.KindResource)
	if m.unknown {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if have, ok := r.Metrics[*m.name]; ok {
		return have.Ref, nil
	}
	if err := b.c.mayResource(auth.UpdateResource, r); err != nil {
		return 0, err
	}
	made, err := tx.CreateMetric(engine.Metric{Name: m.name, Unit: m.unit, Creator: creator, Policy: policy, Resource: &m.resource})
	return made.Ref, err
}

// refuseUnknownResources names the resources that do not exist, each once, in the form that publishers create them from.
func (b *resourceBatch) refuseUnknownResources() error {
	var detail []object
	seen := map[engine.UUID]bool{}
	for _, m := range b.missing {
		if m.unknown && !seen[m.resource] {
			seen[m.resource] = true
			detail = append(detail, object{{"resource_id", m.resource.String()}, {"original_resource_id", m.original}})
		}
	}
	if detail == nil {
		return nil
	}
	return badRequest(object{{"cause", "Unknown resources"}, {"detail", detail}})
}
