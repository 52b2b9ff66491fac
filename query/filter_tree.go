package query

import (
	"fmt"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

// filterOps are the names of what a filter can do.
var filterOps = map[string]index.Op{
	"=": index.Eq, "==": index.Eq, "eq": index.Eq,
	"<": index.Lt, "lt": index.Lt,
	">": index.Gt, "gt": index.Gt,
	"<=": index.Le, "≤": index.Le, "le": index.Le,
	">=": index.Ge, "≥": index.Ge, "ge": index.Ge,
	"!=": index.Ne, "≠": index.Ne, "ne": index.Ne,
	"like": index.Like, "in": index.In,
	"and": index.And, "∧": index.And, "or": index.Or, "∨": index.Or, "not": index.Not,
}

// condition is a filter whose grammar holds and whose attributes nobody has looked up yet.
type condition struct {
	op    index.Op // 0: an empty object
	field string
	value raw // of Eq to In; of id a UUID or []any of them
	subs  []*condition
}

// filterParser turns what either language gives into a filter: first all of its grammar is looked at, then what it compares.
type filterParser struct {
	schema             *FilterSchema
	conditions, values int
}

func (p *filterParser) filter(v raw) (*index.Filter, error) {
	c, err := p.condition(v, nil)
	if err != nil {
		return nil, err
	}
	if c.op == 0 {
		return nil, nil
	}
	return p.schema.bind(c)
}

// filterPlace is where in a filter somebody is.
type filterPlace struct {
	up   *filterPlace
	step any
}

func (p *filterPlace) at(step any) *filterPlace { return &filterPlace{p, step} }

func (p *filterPlace) path() []any {
	if p == nil {
		return nil
	}
	return append(p.up.path(), p.step)
}

func wrongFilter(phrase string, at *filterPlace) error {
	return &FilterShapeError{Phrase: phrase, Path: at.path()}
}

func wrongFilterKey(phrase string, at *filterPlace) error {
	return &FilterShapeError{Phrase: phrase, Path: at.path(), OfKey: true}
}

func filterTooLarge(what string, limit int) error {
	return &FilterError{fmt.Sprintf("Invalid filter: it has more than %d %s", limit, what)}
}

// size gives the length of what has one, as the grammar looks at that before it looks at the type.
func lengthOf(v raw) (int, bool) {
	switch v := v.(type) {
	case string:
		return len(v), true
	case []any:
		return len(v), true
	case rawObject:
		return len(v), true
	}
	return 0, false
}

// object wants an object of least to one members.
func oneMember(v raw, least int, at *filterPlace) (rawObject, error) {
	n, ok := lengthOf(v)
	s, isText := v.(string)
	switch {
	case !ok:
		return nil, wrongFilter("invalid value or type", at)
	case n < least:
		return nil, wrongFilter(fmt.Sprintf("length of value must be at least %d", least), at)
	case n > 1 && !(isText && len([]rune(s)) <= 1):
		return nil, wrongFilter("length of value must be at most 1", at)
	}
	o, ok := v.(rawObject)
	if !ok {
		return nil, wrongFilter("expected a dictionary", at)
	}
	return o, nil
}

func (p *filterParser) condition(v raw, at *filterPlace) (*condition, error) {
	if p.conditions++; p.conditions > MaxFilterConditions {
		return nil, filterTooLarge("conditions", MaxFilterConditions)
	}
	o, err := oneMember(v, 0, at)
	if err != nil {
		return nil, err
	}
	if len(o) == 0 {
		return &condition{}, nil
	}
	name, _ := o[0].key.(string)
	here := at.at(plainKey(o[0].key))
	op, known := filterOps[name]
	if !known {
		return nil, wrongFilterKey("not a valid value", here)
	}
	c := &condition{op: op}
	switch op {
	case index.And, index.Or:
		err = p.junction(c, o[0].value, here)
	case index.Not:
		var sub *condition
		sub, err = p.condition(o[0].value, here)
		c.subs = []*condition{sub}
	default:
		err = p.comparison(c, o[0].value, here)
	}
	return c, err
}

func (p *filterParser) junction(c *condition, v raw, at *filterPlace) error {
	list, ok := v.([]any)
	if !ok {
		return wrongFilter("expected a list", at)
	}
	if len(list) == 0 {
		return wrongFilter("length of value must be at least 1", at)
	}
	for i := range list {
		sub, err := p.condition(list[i], at.at(i))
		if err != nil {
			return err
		}
		c.subs = append(c.subs, sub)
	}
	return nil
}

func (p *filterParser) comparison(c *condition, v raw, at *filterPlace) error {
	o, err := oneMember(v, 1, at)
	if err != nil {
		return err
	}
	here := at.at(plainKey(o[0].key))
	var ok bool
	if c.field, ok = o[0].key.(string); !ok {
		return wrongFilterKey("expected str", here)
	}
	if c.op == index.In {
		return p.list(c, o[0].value, here)
	}
	if c.field == "id" {
		if c.op == index.Like {
			return wrongFilterKey("value must not be one of ['id']", here)
		}
		c.value, err = p.resourceID(o[0].value, here)
		return err
	}
	c.value = o[0].value
	return wantScalar(c.value, here)
}

func wantScalar(v raw, at *filterPlace) error {
	switch v.(type) {
	case []any, rawObject:
		return wrongFilter("expected str", at)
	}
	return nil
}

func (p *filterParser) list(c *condition, v raw, at *filterPlace) error {
	list, ok := v.([]any)
	if !ok {
		return wrongFilter("expected a list", at)
	}
	if len(list) == 0 {
		return wrongFilter("length of value must be at least 1", at)
	}
	if p.values += len(list); p.values > MaxFilterValues {
		return filterTooLarge("values in lists", MaxFilterValues)
	}
	c.value = list
	for i := range list {
		var err error
		if c.field == "id" {
			list[i], err = p.resourceID(list[i], at.at(i))
		} else {
			err = wantScalar(list[i], at.at(i))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *filterParser) resourceID(v raw, at *filterPlace) (raw, error) {
	s, ok := v.(string)
	if !ok {
		return nil, wrongFilter("expected str", at)
	}
	id, err := p.schema.ResourceID(s)
	if err != nil {
		return nil, wrongFilter(err.Error(), at)
	}
	return id, nil
}

// bind looks up what the condition compares.
func (s *FilterSchema) bind(c *condition) (*index.Filter, error) {
	switch c.op {
	case 0:
		return nil, &FilterError{"Unable to parse this query"}
	case index.And, index.Or, index.Not:
		f := &index.Filter{Op: c.op, Subs: make([]*index.Filter, len(c.subs))}
		for i := range c.subs {
			var err error
			if f.Subs[i], err = s.bind(c.subs[i]); err != nil {
				return nil, err
			}
		}
		return f, nil
	}
	switch c.field {
	case "created_by_user_id":
		return createdBy(c, pyText(c.value)+":%")
	case "created_by_project_id":
		return createdBy(c, "%:"+pyText(c.value))
	}
	convert, err := s.converter(c.field)
	if err != nil {
		return nil, err
	}
	bad := &FilterError{"Invalid value: `" + pyText(c.value) + "' for field `" + c.field + "'"}
	f := &index.Filter{Op: c.op, Field: c.field}
	if c.field == "lifespan" { // also of types that have an attribute of that name
		f.Field = engine.FieldLifespan
	}
	if c.op != index.In {
		if c.value == nil {
			return f, nil
		}
		var ok bool
		if f.Value, ok = convert(c.value); !ok {
			return nil, bad
		}
		return f, nil
	}
	for _, v := range c.value.([]any) {
		x, ok := convert(v)
		if !ok {
			return nil, bad
		}
		f.Values = append(f.Values, x)
	}
	return f, nil
}

// createdBy compares a part of the creator, which is USER:PROJECT.
func createdBy(c *condition, pattern string) (*index.Filter, error) {
	f := &index.Filter{Op: index.Like, Field: "creator", Value: index.Value{Kind: index.Bytes, Str: pattern}}
	switch c.op {
	case index.Eq, index.Like:
		return f, nil
	case index.Ne:
		return &index.Filter{Op: index.Not, Subs: []*index.Filter{f}}, nil
	}
	return nil, &FilterError{"Invalid value: `" + pyText(c.value) + "' for field `" + c.field + "'"}
}

// converter gives the function that turns values into those of the field.
func (s *FilterSchema) converter(field string) (func(v raw) (index.Value, bool), error) {
	switch field {
	case "id":
		return asUUID, nil
	case "original_resource_id", "type", "creator", "user_id", "project_id":
		return asText, nil
	case "started_at", "ended_at", "revision_start":
		return s.asTime, nil
	case "lifespan":
		return s.asSpan, nil
	case "revision_end":
		if s.History {
			return s.asTime, nil
		}
	case "revision":
		if s.History {
			return asNumber, nil
		}
	}
	a, ok := s.Type.Attribute(field)
	if !ok {
		return nil, &FilterError{"Resource type " + s.Type.Name + " has no " + field + " attribute"}
	}
	switch a.Type {
	case engine.AttributeUUID:
		return asUUID, nil
	case engine.AttributeNumber:
		return asNumber, nil
	case engine.AttributeBool:
		return asBool, nil
	case engine.AttributeDatetime:
		return s.asTime, nil
	}
	return asText, nil
}
