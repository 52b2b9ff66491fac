package ceilometer

import (
	"github.com/telemetrydb/tsdb/engine"
)

// facts are what is known of samples before they are read.
type facts struct {
	meter    *meter          // nil: not known
	context  *engine.Context // nil: not known
	metadata map[string]any  // of the context
}

var yes, no = &expr{op: opAnd}, &expr{op: opOr} // of nothing

// reduce gives what is left to be asked of samples of which the facts are known; yes or no if nothing is.
func (e *expr) reduce(f *facts) *expr {
	if e.op != opAnd && e.op != opOr {
		v, known := f.value(e)
		switch {
		case !known:
			return e
		case e.compare(v) != e.not:
			return yes
		}
		return no
	}
	neutral, final := yes, no
	if e.op == opOr {
		neutral, final = no, yes
	}
	out := &expr{op: e.op}
	for _, sub := range e.subs {
		switch r := sub.reduce(f); r {
		case neutral:
		case final:
			return final
		default:
			out.subs = append(out.subs, r)
		}
	}
	switch len(out.subs) {
	case 0:
		return neutral
	case 1:
		return out.subs[0]
	}
	return out
}

// value gives what the samples have of a leaf's field, as far as the facts tell.
func (f *facts) value(e *expr) (v value, known bool) {
	switch e.field {
	case "message_signature": // it is not kept
		return value{}, true
	case "resource_metadata", "recorded_at": // objects and dates equal no text and no number
		return value{kind: other}, true
	case "meter", "resource_id":
		if f.meter == nil {
			return v, false
		}
		if e.field == "meter" {
			return value{kind: text, text: f.meter.name}, true
		}
		return value{kind: text, text: f.meter.resource.OriginalID}, true
	}
	if f.context == nil {
		return v, false
	}
	opt := func(s *string) (value, bool) {
		if s == nil {
			return value{}, true
		}
		return value{kind: text, text: *s}, true
	}
	switch c := f.context; e.field {
	case "type":
		return opt(&c.Type)
	case "unit":
		return opt(&c.Unit)
	case "source":
		return opt(&c.Source)
	case "user_id":
		return opt(c.UserID)
	case "project_id":
		return opt(c.ProjectID)
	case "metadata":
		x, there := lookUp(f.metadata, e.path)
		if !there {
			return value{}, true
		}
		return jsonValue(x), true
	}
	return v, false
}

// selects tells whether the rest of an expression selects a sample.
func (e *expr) selects(ref engine.Ref, c *engine.Samples, i int, id func() string) bool {
	switch e.op {
	case opAnd:
		for _, sub := range e.subs {
			if !sub.selects(ref, c, i, id) {
				return false
			}
		}
		return true
	case opOr:
		for _, sub := range e.subs {
			if sub.selects(ref, c, i, id) {
				return true
			}
		}
		return false
	}
	switch e.field {
	case "timestamp":
		at, cmp := floorDiv(c.Times[i], milli), 0
		if at < e.at {
			cmp = -1
		} else if at > e.at {
			cmp = 1
		}
		return ordered(e.op, cmp) != e.not
	case "volume":
		return e.compare(value{kind: number, num: c.Values[i]}) != e.not
	}
	return e.compare(value{kind: text, text: id()}) != e.not // the message's id
}
