package gnocchi

import (
	"net/http"
	"net/url"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/server/auth"
)

// metricKeys are what lists of metrics can be sorted by, metricOrder how they are by default.
var (
	metricKeys  = []string{"id", "name", "unit", "archive_policy_name", "creator", "resource_id"}
	metricOrder = []string{"id:asc"}
)

// metricObject is a metric with the given members for its policy and resource.
func metricObject(m engine.Metric, policy, resource member) object {
	user, project := createdBy(m.Creator)
	return object{
		{"id", m.ID.String()},
		{"creator", m.Creator},
		{"name", m.Name},
		{"unit", m.Unit},
		resource,
		policy,
		{"created_by_user_id", user},
		{"created_by_project_id", project},
	}
}

// resourceIDMember is the id of a metric's resource.
func resourceIDMember(m engine.Metric) member {
	if m.Resource == nil {
		return member{"resource_id", nil}
	}
	return member{"resource_id", m.Resource.String()}
}

// listedMetric is a metric as lists show it.
func (c *call) listedMetric(m engine.Metric) (object, error) {
	p, err := c.db.ArchivePolicy(m.Policy)
	if err != nil {
		return nil, err
	}
	return metricObject(m, member{"archive_policy", policyObject(p)}, resourceIDMember(m)), nil
}

// metricOfPath finds the metric that the path names, by its id or by resource and name.
func (c *call) metricOfPath() (engine.Metric, error) {
	if c.typ == "" {
		id, err := engine.ParseUUID(c.id)
		if err != nil {
			return engine.Metric{}, noMetric(c.id)
		}
		m, err := c.db.Metric(id)
		if isKind(err, engine.ErrNotFound, engine.KindMetric) {
			return m, noMetric(c.id)
		}
		return m, err
	}
	ref, err := c.namedMetricOfPath()
	if err != nil {
		return engine.Metric{}, err
	}
	return c.db.MetricByRef(ref)
}

func (c *call) namedMetricOfPath() (engine.Ref, error) {
	id, err := resourceID(c.id, c.user)
	if err != nil {
		return 0, noResource(c.id)
	}
	m, err := c.db.ResourceMetric(id, c.name)
	switch {
	case isKind(err, engine.ErrNotFound, engine.KindResource):
		return 0, noResource(id.String())
	case err != nil && statusOf(err).status == http.StatusNotFound:
		// the type in the path means nothing for a metric that exists, but what is missing here is the resource of that type
		if r, err := c.db.Resource(id); err == nil && c.typ != genericType && r.Type != c.typ {
			return 0, noResource(id.String())
		}
		return 0, noMetric(c.name)
	}
	return m.Ref, err
}

func noMetric(name string) error { return notFound("Metric %s does not exist", name) }

func (c *call) getMetric() error {
	m, err := c.metricOfPath()
	if err != nil {
		return err
	}
	if err := c.mayMetric(auth.GetMetric, m); err != nil {
		return err
	}
	o, err := c.fullMetric(m)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, o)
}

// fullMetric is a metric with its policy and its resource.
func (c *call) fullMetric(m engine.Metric) (object, error) {
	p, err := c.db.ArchivePolicy(m.Policy)
	if err != nil {
		return nil, err
	}
	resource := member{"resource", nil}
	if m.Resource != nil {
		r, err := c.db.Resource(*m.Resource)
		if err != nil {
			return nil, err
		}
		resource.value = bareResource(r)
	}
	return metricObject(m, member{"archive_policy", policyObject(p)}, resource), nil
}

// patchMetric gives a metric another archive policy, which Gnocchi cannot.
func (c *call) patchMetric() error {
	m, err := c.metricOfPath()
	if err != nil {
		return err
	}
	if err := c.mayMetric(auth.UpdateMetric, m); err != nil {
		return err
	}
	v, err := c.decode()
	if err != nil {
		return err
	}
	var policy string
	if err := parseStrings(v, map[string]*string{"archive_policy_name": &policy}); err != nil {
		return err
	}
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) (err error) {
		if m, err = tx.Metric(m.ID); err != nil {
			return err
		}
		if err := c.mayMetric(auth.UpdateMetric, m); err != nil { // it may be another resource's by now
			return err
		}
		if _, err := tx.ArchivePolicy(policy); err != nil {
			return asBadRequest(err)
		}
		if err := tx.ChangePolicy(m.ID, policy); err != nil {
			return err
		}
		m, err = tx.Metric(m.ID)
		return err
	})
	if isKind(err, engine.ErrNotFound, engine.KindMetric) {
		return noMetric(c.id)
	}
	if err != nil {
		return err
	}
	o, err := c.fullMetric(m)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, o)
}

func (c *call) deleteMetric() error {
	m, err := c.metricOfPath()
	if err != nil {
		return err
	}
	if err := c.mayMetric(auth.DeleteMetric, m); err != nil {
		return err
	}
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error { return tx.DeleteMetric(m.ID) })
	if isKind(err, engine.ErrNotFound, engine.KindMetric) {
		return noMetric(c.id)
	}
	if err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

func (c *call) listMetrics() error {
	args := c.args()
	filter, err := metricFilter(args)
	if err != nil {
		return err
	}
	p, err := c.parsePage(args, metricKeys, metricOrder)
	if err != nil {
		return err
	}
	q, err := p.query()
	if err != nil {
		return err
	}
	if args.Get("status") == "delete" { // deleted metrics are gone at once
		return c.list(0, nil)
	}
	if q.Scope, err = c.metricsScope(auth.ListMetric); err != nil {
		return err
	}
	q.Filter = filter
	all, err := c.db.Metrics(c.r.Context(), q)
	if isMissingMarker(err, q) {
		return p.badMarker()
	}
	if err != nil {
		return err
	}
	objects := make([]object, len(all))
	for i, m := range all {
		if objects[i], err = c.listedMetric(m); err != nil {
			return err
		}
	}
	c.link(p, args, len(all), func() string { return all[len(all)-1].ID.String() })
	return c.list(len(all), func(dst []byte, i int) []byte { return appendJSON(dst, objects[i]) })
}

// metricFilter reads the filters of a list of metrics.
func metricFilter(args url.Values) (*index.Filter, error) {
	var subs []*index.Filter
	equal := func(field, value string) {
		subs = append(subs, &index.Filter{Op: index.Eq, Field: field, Value: index.Value{Kind: index.Bytes, Str: value}})
	}
	for _, field := range []string{"name", "unit", "archive_policy_name", "creator"} {
		if args.Has(field) {
			equal(field, args.Get(field))
		}
	}
	if args.Has("id") {
		id, err := engine.ParseUUID(args.Get("id"))
		if err != nil {
			return nil, badRequest("Invalid input: badly formed hexadecimal UUID string for dictionary value @ data['id']")
		}
		equal("id", string(id[:]))
	}
	if args.Has("user_id") || args.Has("project_id") {
		equal("creator", args.Get("user_id")+":"+args.Get("project_id"))
	}
	if args.Has("status") && args.Get("status") != "active" && args.Get("status") != "delete" {
		return nil, badRequest("Invalid input: not a valid value for dictionary value @ data['status']")
	}
	if len(subs) == 0 {
		return nil, nil
	}
	return &index.Filter{Op: index.And, Subs: subs}, nil
}

func (c *call) postMetric() error {
	v, err := c.decode()
	if err != nil {
		return err
	}
	in, resource, err := c.parseMetric(v)
	if err != nil {
		return err
	}
	creator := c.user
	var m engine.Metric
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error {
		policy, err := choosePolicy(tx, in)
		if err != nil {
			return err
		}
		m = engine.Metric{Name: in.name, Unit: in.unit, Creator: &creator, Policy: policy, Resource: resource}
		if err := c.mayCreateMetric(tx, m); err != nil {
			return err
		}
		m, err = tx.CreateMetric(m)
		return err
	})
	if isKind(err, engine.ErrExists, engine.KindNamedMetric) {
		return badRequest(object{{"cause", "Named metric already exists"}, {"detail", in.name}})
	}
	if isKind(err, engine.ErrNotFound, engine.KindResource) {
		return err
	}
	if err != nil {
		return asBadRequest(err)
	}
	return c.created("/v1/metric/"+m.ID.String(),
		metricObject(m, member{"archive_policy_name", m.Policy}, resourceIDMember(m)))
}
