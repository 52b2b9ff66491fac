package gnocchi

import (
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/valyala/fastjson"
)

// resourceInput is the body that creates or changes a resource.
type resourceInput struct {
	id       engine.UUID
	original string

	started, ended      *time.Time
	hasUser, hasProject bool
	user, project       *string
	metrics             []metricInput // nil: not given
}

func (c *call) parseResource(v *fastjson.Value, create bool) (*resourceInput, error) {
	in := &resourceInput{}
	members, err := asObject(v, nil)
	if err != nil {
		return nil, err
	}
	hasID := false
	for _, m := range members {
		here := (*at)(nil).member(m.key)
		switch {
		case m.key == "id" && create:
			hasID = true
			err = in.parseID(m.value, here, c.user)
		case m.key == "started_at":
			in.started, err = c.asTime(m.value, here)
		case m.key == "ended_at":
			in.ended, err = c.asTime(m.value, here)
		case m.key == "user_id":
			in.hasUser = true
			in.user, err = asStringOrNull(m.value, here)
		case m.key == "project_id":
			in.hasProject = true
			in.project, err = asStringOrNull(m.value, here)
		case m.key == "metrics":
			in.metrics, err = parseMetrics(m.value, here)
		default:
			err = extraKey(here)
		}
		if err != nil {
			return nil, err
		}
	}
	if create && !hasID {
		return nil, missingKey((*at)(nil).member("id"))
	}
	return in, nil
}

func (in *resourceInput) parseID(v *fastjson.Value, p *at, creator string) (err error) {
	if in.original, err = asString(v, p, 0); err != nil {
		return err
	}
	if in.id, err = resourceID(in.original, creator); err != nil {
		return invalid(err.Error(), p)
	}
	return nil
}

// apply puts what was given into r and tells whether something of r is different now.
func (in *resourceInput) apply(r *engine.Resource) (changed bool) {
	if in.hasUser && !sameText(r.UserID, in.user) {
		r.UserID, changed = in.user, true
	}
	if in.hasProject && !sameText(r.ProjectID, in.project) {
		r.ProjectID, changed = in.project, true
	}
	if in.started != nil && !in.started.Equal(r.StartedAt) {
		r.StartedAt, changed = *in.started, true
	}
	if in.ended != nil && (r.EndedAt == nil || !in.ended.Equal(*r.EndedAt)) {
		r.EndedAt, changed = in.ended, true
	}
	return changed
}

func sameText(a, b *string) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// asTime reads a date of a resource, to the microsecond.
func (c *call) asTime(v *fastjson.Value, p *at) (*time.Time, error) {
	var nanos int64
	var err error
	if v.Type() == fastjson.TypeString {
		nanos, _, err = parseTimestamp(text(v), c.o.Now)
	} else if f, ok := jsonFloat(v); ok {
		nanos, err = secondsToNanos(f)
	} else {
		err = errBadTimestamp
	}
	if err != nil {
		return nil, invalid("not a valid value", p)
	}
	t := time.Unix(0, nanos).UTC().Truncate(time.Microsecond)
	return &t, nil
}

func asStringOrNull(v *fastjson.Value, p *at) (*string, error) {
	if v.Type() == fastjson.TypeNull {
		return nil, nil
	}
	s, err := asString(v, p, maxName)
	return &s, err
}
