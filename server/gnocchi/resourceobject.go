package gnocchi

import (
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

// genericType is the type that every resource has something of.
const genericType = "generic"

// resourceView turns states of resources into what clients see of them.
type resourceView struct {
	db    *engine.DB
	kind  engine.ResourceType            // whose attributes are shown
	each  map[string]engine.ResourceType // not nil: those of each resource's own type are
	attrs []string                       // not nil: only these members are
}

func (v *resourceView) object(r *engine.Resource) object {
	kind := v.kind
	if v.each != nil {
		var ok bool
		if kind, ok = v.each[r.Type]; !ok {
			kind, _ = v.db.ResourceType(r.Type) // one that is gone has no attributes
			v.each[r.Type] = kind
		}
	}
	o := resourceObject(r, kind)
	if v.attrs != nil {
		o = slices.DeleteFunc(o, func(m member) bool { return !slices.Contains(v.attrs, m.key) })
	}
	return o
}

// resourceObject is a resource as clients see it, with the attributes of a type.
func resourceObject(r *engine.Resource, kind engine.ResourceType) object {
	metrics := make(object, 0, len(r.Metrics))
	for name, ref := range r.Metrics {
		metrics = append(metrics, member{name, ref.ID.String()})
	}
	slices.SortFunc(metrics, func(a, b member) int { return compareText(a.key, b.key) })
	o := bareResource(r)
	const attributesAt, metricsAt = 9, 10 // behind the type, and before the two members of the creator
	o = slices.Insert(o, metricsAt, member{"metrics", metrics})
	attributes := make(object, 0, len(kind.Attributes))
	for _, a := range kind.Attributes {
		if a.Name == shadowedAttribute {
			continue
		}
		attributes = append(attributes, member{a.Name, attributeJSON(a, r.Attributes[a.Name])})
	}
	return slices.Insert(o, attributesAt, attributes...)
}

// attributeJSON is an attribute's value as clients see it.
func attributeJSON(a engine.Attribute, v index.Value) any {
	switch v.Kind {
	case index.Bool:
		return v.Num != 0
	case index.Number:
		return v.Num
	case index.Time:
		return pyTime(time.Unix(0, v.Time))
	case index.Bytes:
		if a.Type == engine.AttributeUUID && len(v.Str) == len(engine.UUID{}) {
			return engine.UUID([]byte(v.Str)).String()
		}
		return v.Str
	}
	return nil
}

// bareResource is a resource without its metrics and the attributes of its type.
func bareResource(r *engine.Resource) object {
	user, project := createdBy(r.Creator)
	return object{
		{"creator", r.Creator},
		{"started_at", pyTime(r.StartedAt)},
		{"revision_start", pyTime(r.RevisionStart)},
		{"ended_at", optTime(r.EndedAt)},
		{"user_id", r.UserID},
		{"project_id", r.ProjectID},
		{"original_resource_id", r.OriginalID},
		{"id", r.ID.String()},
		{"type", r.Type},
		{"revision_end", optTime(r.RevisionEnd)},
		{"created_by_user_id", user},
		{"created_by_project_id", project},
	}
}

func optTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return pyTime(*t)
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
