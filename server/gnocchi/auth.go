package gnocchi

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/server/auth"
)

// authenticate finds out who asks. Where a request may come from anybody, open, that is not an error.
func (c *call) authenticate(open bool) error {
	caller, err := c.o.Gate.Caller(c.r)
	if errors.Is(err, auth.ErrUnauthenticated) && open {
		return nil
	}
	if err != nil {
		return err
	}
	c.caller, c.user = caller, caller.User
	return nil
}

// statusOfAny is statusOf for the errors of a gate, too.
func statusOfAny(gate *auth.Gate, err error) *apiError {
	var unavailable *auth.UnavailableError
	switch {
	case errors.Is(err, auth.ErrUnauthenticated):
		return &apiError{status: http.StatusUnauthorized, desc: "", challenge: gate.Challenge()}
	case errors.Is(err, auth.ErrForbidden):
		return &apiError{status: http.StatusForbidden, desc: auth.ErrForbidden.Error()}
	case errors.As(err, &unavailable):
		return &apiError{status: http.StatusServiceUnavailable, retry: wholeSeconds(unavailable.RetryAfter),
			desc: "The identity service does not answer"}
	}
	return statusOf(err)
}

// wholeSeconds gives a time to wait in whole seconds, at least one.
func wholeSeconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// may refuses the call unless the caller may do to target what the rule is about. A nil target has no attributes.
func (c *call) may(rule auth.Rule, target auth.Target) error {
	if c.caller.Can(rule, target) {
		return nil
	}
	return forbidden()
}

// mayResource is may for a resource.
func (c *call) mayResource(rule auth.Rule, r *engine.Resource) error {
	return c.may(rule, resourceTarget{r})
}

// mayMetric is may for a metric.
func (c *call) mayMetric(rule auth.Rule, m engine.Metric) error {
	return c.may(rule, &metricTarget{db: c.db, metric: m})
}

// mayCreateMetric is may for a metric that is about to be created, perhaps on a resource, which that changes.
func (c *call) mayCreateMetric(tx *engine.Tx, m engine.Metric) error {
	if m.Resource != nil {
		r, err := tx.Resource(*m.Resource)
		if err != nil {
			return err
		}
		if err := c.mayResource(auth.UpdateResource, r); err != nil {
			return err
		}
	}
	return c.mayMetric(auth.CreateMetric, m)
}

// mayMetricRef is may for the metric of a reference, which is not looked up for those who may do so to all metrics.
func (c *call) mayMetricRef(rule auth.Rule, ref engine.Ref) error {
	if c.caller.Can(rule, nil) {
		return nil
	}
	m, err := c.db.MetricByRef(ref)
	if err != nil {
		return err
	}
	return c.mayMetric(rule, m)
}

// resourceFilter gives the condition that the rule puts on resources of a type in a list, search or bulk deletion: it is to be
// joined to that of the request by restricted. nil: all of them.
func (c *call) resourceFilter(rule auth.Rule, resourceType string) (*index.Filter, error) {
	if c.caller == nil { // a list that does not depend on the caller
		return nil, nil
	}
	return c.caller.ResourceFilter(rule, resourceType)
}

// restricted joins the condition of a rule to that of a request; either may be nil.
func restricted(rule, request *index.Filter) *index.Filter {
	switch {
	case rule == nil:
		return request
	case request == nil:
		return rule
	}
	return &index.Filter{Op: index.And, Subs: []*index.Filter{rule, request}}
}

// metricsScope gives what the rule lets pass of the metrics in a list. nil: all of them.
func (c *call) metricsScope(rule auth.Rule) (*engine.Scope, error) {
	if c.caller == nil { // a list that does not depend on the caller
		return nil, nil
	}
	own, ofResource, err := c.caller.MetricFilter(rule)
	if own == nil || err != nil {
		return nil, err
	}
	return &engine.Scope{Own: own, OfResource: ofResource}, nil
}

// resourceTarget is a resource as rules see it.
type resourceTarget struct{ *engine.Resource }

// Attribute implements auth.Target.
func (t resourceTarget) Attribute(name string) (string, bool) {
	switch name {
	case "id":
		return t.ID.String(), true
	case "type", "resource_type":
		return t.Type, true
	case "original_resource_id":
		return t.OriginalID, true
	case "user_id":
		return textOf(t.UserID)
	case "project_id":
		return textOf(t.ProjectID)
	case "started_at":
		return pyTime(t.StartedAt), true
	case "revision_start":
		return pyTime(t.RevisionStart), true
	case "ended_at":
		if t.EndedAt == nil {
			return "", false
		}
		return pyTime(*t.EndedAt), true
	}
	if v, ok := creatorAttribute(t.Creator, name); ok {
		return v, true
	}
	v, ok := t.Attributes[name]
	return v.Str, ok && v.Kind == index.Bytes
}

// metricTarget is a metric as rules see it. Its resource is looked up when a rule asks for something of it.
type metricTarget struct {
	db       *engine.DB
	metric   engine.Metric
	resource *engine.Resource
}

// Attribute implements auth.Target.
func (t *metricTarget) Attribute(name string) (string, bool) {
	switch name {
	case "id":
		return t.metric.ID.String(), true
	case "name":
		return textOf(t.metric.Name)
	case "unit":
		return textOf(t.metric.Unit)
	case "archive_policy_name", "archive_policy.name":
		return t.metric.Policy, true
	}
	if v, ok := creatorAttribute(t.metric.Creator, name); ok {
		return v, true
	}
	of, isResource := strings.CutPrefix(name, "resource.")
	if t.metric.Resource == nil || !isResource && name != "resource_id" {
		return "", false
	}
	if !isResource {
		return t.metric.Resource.String(), true
	}
	if t.resource == nil {
		r, err := t.db.Resource(*t.metric.Resource)
		if err != nil { // deleted meanwhile: nobody owns it any more
			return "", false
		}
		t.resource = r
	}
	return resourceTarget{t.resource}.Attribute(of)
}

// creatorAttribute gives the attributes that tell who created a thing.
func creatorAttribute(creator *string, name string) (string, bool) {
	if creator == nil {
		return "", false
	}
	user, project, _ := strings.Cut(*creator, ":")
	switch name {
	case "creator":
		return *creator, true
	case "created_by_user_id":
		return user, true
	case "created_by_project_id":
		return project, true
	}
	return "", false
}

func textOf(s *string) (string, bool) {
	if s == nil {
		return "", false
	}
	return *s, true
}

// createdBy splits a creator into the two members that objects show for it.
func createdBy(creator *string) (user, project any) {
	if creator == nil {
		return nil, nil
	}
	u, p, _ := strings.Cut(*creator, ":")
	return u, p
}
