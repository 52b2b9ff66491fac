package gnocchi

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/valyala/fastjson"
)

// resourceInput is the body that creates or changes a resource.
type resourceInput struct {
	id       engine.UUID
	original string

	started, ended      *time.Time
	hasUser, hasProject bool
	user, project       *string
	attributes          map[string]index.Value
	metrics             []metricInput // nil: not given
}

func (c *call) parseResource(v *fastjson.Value, create bool) (*resourceInput, error) {
	in := &resourceInput{attributes: make(map[string]index.Value)}
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
			a, ok := c.kind.Attribute(m.key)
			if !ok {
				return nil, extraKey(here)
			}
			in.attributes[a.Name], err = c.attributeValue(a, m.value, here)
		}
		if err != nil {
			return nil, err
		}
	}
	if !create {
		return in, nil
	}
	if !hasID {
		return nil, missingKey((*at)(nil).member("id"))
	}
	for _, a := range c.kind.Attributes {
		if _, ok := in.attributes[a.Name]; a.Required && !ok {
			return nil, missingKey((*at)(nil).member(a.Name))
		}
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
	delete(in.attributes, shadowedAttribute)
	for name, v := range in.attributes {
		if was := r.Attributes[name]; was.Kind != v.Kind || index.Compare(was, v) != 0 {
			if r.Attributes == nil {
				r.Attributes = make(map[string]index.Value)
			}
			r.Attributes[name], changed = v, true
		}
	}
	return changed
}

// shadowedAttribute is what an attribute of a type may be called, and may have to be given, but is never seen of: all resources have
// something else of that name.
const shadowedAttribute = "original_resource_id"

func sameText(a, b *string) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// attributeValue reads a value of an attribute.
func (c *call) attributeValue(a engine.Attribute, v *fastjson.Value, p *at) (index.Value, error) {
	switch a.Type {
	case engine.AttributeUUID:
		id, err := engine.ParseUUID(text(v))
		if err != nil {
			return index.Value{}, invalid("badly formed hexadecimal UUID string", p)
		}
		return index.Value{Kind: index.Bytes, Str: string(id[:])}, nil
	case engine.AttributeNumber:
		f, ok := jsonFloat(v)
		if !ok {
			return index.Value{}, invalid("expected Real", p)
		}
		if a.Min != nil && f < *a.Min {
			return index.Value{}, invalid("value must be at least "+string(appendJSON(nil, boundValue(a.Min))), p)
		}
		if a.Max != nil && f > *a.Max {
			return index.Value{}, invalid("value must be at most "+string(appendJSON(nil, boundValue(a.Max))), p)
		}
		return index.Value{Kind: index.Number, Num: f}, nil
	case engine.AttributeBool:
		b, err := asBool(v, p)
		out := index.Value{Kind: index.Bool}
		if b {
			out.Num = 1
		}
		return out, err
	case engine.AttributeDatetime:
		nanos, err := c.timestampOf(v)
		if err != nil {
			return index.Value{}, invalid(err.Error(), p)
		}
		return index.Value{Kind: index.Time, Time: nanos - nanos%int64(time.Microsecond)}, nil
	}
	s, err := asString(v, p, a.MaxLength)
	if err == nil && utf8.RuneCountInString(s) < a.MinLength {
		err = invalid("length of value must be at least "+strconv.Itoa(a.MinLength), p)
	}
	return index.Value{Kind: index.Bytes, Str: s}, err
}

// timestampOf reads a time in nanoseconds since the epoch.
func (c *call) timestampOf(v *fastjson.Value) (int64, error) {
	if v.Type() == fastjson.TypeString {
		nanos, _, err := parseTimestamp(text(v), c.o.Now)
		return nanos, err
	}
	if f, ok := jsonFloat(v); ok {
		return secondsToNanos(f)
	}
	return 0, errBadTimestamp
}

// asTime reads a date of a resource, to the microsecond.
func (c *call) asTime(v *fastjson.Value, p *at) (*time.Time, error) {
	nanos, err := c.timestampOf(v)
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
	if v.Type() != fastjson.TypeString {
		return nil, invalid("not a valid value", p)
	}
	s, err := asString(v, p, maxName)
	return &s, err
}
