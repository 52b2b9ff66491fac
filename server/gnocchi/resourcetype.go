package gnocchi

import (
	"errors"
	"math"
	"net/http"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/server/auth"
)

// attributeNames are how the API calls the types of attributes.
var attributeNames = map[engine.AttributeType]string{
	engine.AttributeString: "string", engine.AttributeUUID: "uuid", engine.AttributeNumber: "number",
	engine.AttributeBool: "bool", engine.AttributeDatetime: "datetime",
}

func resourceTypeObject(t engine.ResourceType) object {
	attributes := object{}
	for _, a := range t.Attributes {
		attributes = append(attributes, member{a.Name, attributeObject(a)})
	}
	return object{{"name", t.Name}, {"attributes", attributes}, {"state", "active"}}
}

func attributeObject(a engine.Attribute) object {
	o := object{{"type", attributeNames[a.Type]}, {"required", a.Required}}
	switch a.Type {
	case engine.AttributeString:
		o = append(o, member{"max_length", a.MaxLength}, member{"min_length", a.MinLength})
	case engine.AttributeNumber:
		o = append(o, member{"min", boundValue(a.Min)}, member{"max", boundValue(a.Max)})
	}
	return o
}

// boundValue is a bound of numbers, without a fraction where there is none, as most clients write it.
func boundValue(f *float64) any {
	switch {
	case f == nil:
		return nil
	case *f == math.Trunc(*f) && math.Abs(*f) < 1<<53:
		return int64(*f)
	}
	return *f
}

func (c *call) listResourceTypes() error {
	if err := c.may(auth.ListResourceType, nil); err != nil {
		return err
	}
	all := c.db.ResourceTypes()
	return c.list(len(all), func(dst []byte, i int) []byte { return appendJSON(dst, resourceTypeObject(all[i])) })
}

func (c *call) getResourceType() error {
	t, err := c.db.ResourceType(c.id)
	if err != nil {
		return err
	}
	if err := c.may(auth.GetResourceType, nil); err != nil {
		return err
	}
	return c.json(http.StatusOK, resourceTypeObject(t))
}

func (c *call) postResourceType() error {
	v, err := c.decode()
	if err != nil {
		return err
	}
	t, err := parseResourceType(v)
	if err != nil {
		return err
	}
	for _, a := range t.Attributes {
		if fault := a.Check(); fault != "" {
			return badRequest("Invalid input: " + fault)
		}
	}
	if err := c.may(auth.CreateResourceType, nil); err != nil {
		return err
	}
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error { return tx.CreateResourceType(t) })
	if err != nil {
		return invalidType(err)
	}
	return c.created("/v1/resource_type/"+t.Name, resourceTypeObject(t))
}

// invalidType words what the engine finds wrong with a type.
func invalidType(err error) error {
	var e *engine.Error
	if errors.As(err, &e) && e.Kind == engine.KindResourceType && errors.Is(e, engine.ErrInvalid) {
		return badRequest("Invalid input: " + e.Detail)
	}
	return err
}

const jsonPatchMedia = "application/json-patch+json"

func (c *call) patchResourceType() error {
	if _, err := c.db.ResourceType(c.id); err != nil {
		return err
	}
	if err := c.may(auth.UpdateResourceType, nil); err != nil {
		return err
	}
	v, err := c.decodeMedia(jsonPatchMedia)
	if err != nil {
		return err
	}
	ops, err := parseTypePatch(v)
	if err != nil {
		return err
	}
	var t engine.ResourceType
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error {
		old, err := tx.ResourceType(c.id)
		if err != nil {
			return err
		}
		var fill map[string]index.Value
		if t, fill, err = c.patchedType(old, ops); err != nil {
			return err
		}
		if sameType(old, t) {
			t = old
			return nil
		}
		return tx.UpdateResourceType(t, fill)
	})
	if err != nil {
		return invalidType(err)
	}
	return c.json(http.StatusOK, resourceTypeObject(t))
}

func (c *call) deleteResourceType() error {
	if _, err := c.db.ResourceType(c.id); err != nil {
		return err
	}
	if err := c.may(auth.DeleteResourceType, nil); err != nil {
		return err
	}
	if err := c.db.Update(c.r.Context(), func(tx *engine.Tx) error { return tx.DeleteResourceType(c.id) }); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}
