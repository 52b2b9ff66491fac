package gnocchi

import (
	"errors"
	"slices"
	"strconv"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/valyala/fastjson"
)

// parseResourceType reads the body that creates a resource type.
func parseResourceType(v *fastjson.Value) (engine.ResourceType, error) {
	var t engine.ResourceType
	members, err := asObject(v, nil)
	if err != nil {
		return t, err
	}
	hasName := false
	for _, m := range members {
		here := (*at)(nil).member(m.key)
		switch m.key {
		case "name":
			hasName = true
			if t.Name, err = asString(m.value, here, maxName); err == nil && t.Name == "" {
				err = invalid("length of value must be at least 1", here)
			}
		case "attributes":
			t.Attributes, _, err = parseAttributes(m.value, here, false)
		default:
			err = extraKey(here)
		}
		if err != nil {
			return t, err
		}
	}
	if !hasName {
		return t, missingKey((*at)(nil).member("name"))
	}
	return t, nil
}

// parseAttributes reads the attributes of a type. Those of a patch may say what existing resources are filled with.
func parseAttributes(v *fastjson.Value, p *at, patch bool) ([]engine.Attribute, map[string]*fastjson.Value, error) {
	members, err := asObject(v, p)
	if err != nil {
		return nil, nil, err
	}
	var all []engine.Attribute
	fills := make(map[string]*fastjson.Value)
	for _, m := range members {
		a, fill, err := parseAttribute(m, p.member(m.key), patch)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, a)
		if fill != nil && fill.Type() != fastjson.TypeNull {
			fills[a.Name] = fill
		}
	}
	return all, fills, nil
}

func parseAttribute(m field, p *at, patch bool) (engine.Attribute, *fastjson.Value, error) {
	a := engine.Attribute{Name: string([]byte(m.key)), Required: true}
	members, err := asObject(m.value, p)
	if err != nil {
		return a, nil, err
	}
	kind := m.value.Get("type")
	if kind == nil {
		return a, nil, missingKey(p.member("type"))
	}
	name := text(kind)
	for t, s := range attributeNames {
		if s == name && kind.Type() == fastjson.TypeString {
			a.Type = t
		}
	}
	if a.Type == 0 {
		return a, nil, invalid("not a valid value", p.member("type"))
	}
	if a.Type == engine.AttributeString {
		a.MaxLength = 256
	}
	var fill *fastjson.Value
	for _, d := range members {
		here := p.member(d.key)
		switch {
		case d.key == "type":
		case d.key == "required":
			a.Required, err = asBool(d.value, here)
		case d.key == "options" && patch:
			fill, err = parseOptions(d.value, here)
		case d.key == "min_length" && a.Type == engine.AttributeString:
			a.MinLength, err = asLength(d.value, here, 0)
		case d.key == "max_length" && a.Type == engine.AttributeString:
			a.MaxLength, err = asLength(d.value, here, 1)
		case d.key == "min" && a.Type == engine.AttributeNumber:
			a.Min, err = asBound(d.value, here)
		case d.key == "max" && a.Type == engine.AttributeNumber:
			a.Max, err = asBound(d.value, here)
		default:
			err = extraKey(here)
		}
		if err != nil {
			return a, nil, err
		}
	}
	return a, fill, nil
}

func parseOptions(v *fastjson.Value, p *at) (fill *fastjson.Value, err error) {
	members, err := asObject(v, p)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if m.key != "fill" {
			return nil, extraKey(p.member(m.key))
		}
		fill = m.value
	}
	return fill, nil
}

func asBool(v *fastjson.Value, p *at) (bool, error) {
	b, err := v.Bool()
	if err != nil {
		return false, invalid("expected bool", p)
	}
	return b, nil
}

// asLength reads a length of strings from least to 256.
func asLength(v *fastjson.Value, p *at, least int64) (int, error) {
	const most = 256
	n, err := v.Int64()
	switch {
	case err != nil:
		return 0, invalid("expected int", p)
	case n < least:
		return 0, invalid("value must be at least "+strconv.FormatInt(least, 10), p)
	case n > most:
		return 0, invalid("value must be at most "+strconv.Itoa(most), p)
	}
	return int(n), nil
}

// asBound reads a bound of numbers.
func asBound(v *fastjson.Value, p *at) (*float64, error) {
	if v.Type() == fastjson.TypeNull {
		return nil, nil
	}
	f, ok := jsonFloat(v)
	if !ok {
		return nil, invalid("not a valid value", p)
	}
	return &f, nil
}

// patchedType applies the operations of a patch to a type. The values that existing resources are to be filled with count for
// attributes that are new or differ.
func (c *call) patchedType(old engine.ResourceType, ops []patchOp) (t engine.ResourceType, fill map[string]index.Value, err error) {
	t.Name = old.Name
	doc, err := applyJSONPatch(appendJSON(nil, resourceTypeObject(old)), ops)
	if err != nil {
		return t, nil, err
	}
	var fills map[string]*fastjson.Value
	if v := doc.Get("attributes"); v != nil {
		if t.Attributes, fills, err = parseAttributes(v, (*at)(nil).member("attributes"), true); err != nil {
			return t, nil, asInvalidInput(err)
		}
	}
	fill = make(map[string]index.Value)
	for _, a := range t.Attributes {
		was, ok := old.Attribute(a.Name)
		if ok && was.Type != a.Type {
			return t, nil, badRequest("Type update is not available yet. Changing " + attributeNames[was.Type] + " to " +
				attributeNames[a.Type] + " for attribute " + a.Name + " of resource " + t.Name)
		}
		if ok && sameAttribute(was, a) {
			continue
		}
		if fault := a.Check(); fault != "" {
			return t, nil, badRequest("Invalid input: " + fault)
		}
		option := "Invalid input: Option 'fill' of resource attribute " + a.Name + " is invalid: "
		v := fills[a.Name]
		if v == nil {
			if a.Required {
				return t, nil, badRequest(option + "must not be empty if required=True")
			}
			continue
		}
		if fill[a.Name], err = c.attributeValue(a, v, nil); err != nil {
			return t, nil, badRequest(option + reasonOf(err))
		}
	}
	return t, fill, nil
}

func sameAttribute(a, b engine.Attribute) bool {
	return string(appendJSON(nil, attributeObject(a))) == string(appendJSON(nil, attributeObject(b)))
}

// sameType tells whether two definitions differ in nothing but order.
func sameType(a, b engine.ResourceType) bool {
	return len(a.Attributes) == len(b.Attributes) && !slices.ContainsFunc(a.Attributes, func(x engine.Attribute) bool {
		y, ok := b.Attribute(x.Name)
		return !ok || !sameAttribute(x, y)
	})
}

// reasonOf is the sentence of a validation error.
func reasonOf(err error) string {
	var e *apiError
	if errors.As(err, &e) {
		if o, ok := e.desc.(object); ok && len(o) > 1 {
			if s, ok := o[1].value.(string); ok {
				return s
			}
		}
		if s, ok := e.desc.(string); ok {
			return s
		}
	}
	return err.Error()
}

// asInvalidInput puts a validation error into one sentence, as patches have it.
func asInvalidInput(err error) error { return badRequest("Invalid input: " + reasonOf(err)) }
