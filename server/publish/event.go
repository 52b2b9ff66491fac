package publish

import (
	"math"
	"strconv"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/valyala/fastjson"
)

// What an event may be made of, as far as the store has a place for it.
const (
	maxTraits     = 1024
	maxTraitBytes = 64 << 10
	maxRawBytes   = 1 << 20
	maxEventChars = 255
)

// isEvent tells events from samples.
func isEvent(v *fastjson.Value) bool {
	return v.Exists("event_type") && (v.Exists("traits") || v.Exists("generated"))
}

// event reads an event, in the form of the http publisher or of files.
func (d *decoder) event(v *fastjson.Value, arrival int64) (e engine.Event, bad *Refusal) {
	for _, x := range []struct {
		key  string
		into *string
	}{{"message_id", &e.MessageID}, {"event_type", &e.Type}} {
		text, bad := textOf(v.Get(x.key), reasonShape, x.key, maxEventChars)
		if bad == nil && (text == nil || *text == "") {
			bad = refuse(reasonShape, "an event without %s", x.key)
		}
		if bad != nil {
			return e, bad
		}
		*x.into = *text
	}
	about := func(bad *Refusal) *Refusal {
		return refuse(bad.Reason, "%s, of event %s of type %s", bad.Detail, quoted(e.MessageID), quoted(e.Type))
	}
	if e.Generated, bad = timestamp(v.Get("generated"), arrival); bad != nil {
		return e, about(bad)
	}
	if e.Traits, bad = traits(v.Get("traits")); bad != nil {
		return e, about(bad)
	}
	if raw := v.Get("raw"); raw != nil && raw.Type() != fastjson.TypeNull {
		if e.Raw, bad = appendJSON(nil, raw, maxDepth); bad == nil && len(e.Raw) > maxRawBytes {
			bad = refuse(reasonLarge, "what is raw has %d bytes, the most is %d", len(e.Raw), maxRawBytes)
		}
		if bad != nil {
			return e, about(bad)
		}
	}
	if err := e.Check(); err != nil {
		return e, refuse(reasonShape, "%v", err)
	}
	return e, nil
}

// traits reads a list of [name, type, value] or {"name", "dtype", "value"}.
func traits(v *fastjson.Value) ([]engine.Trait, *Refusal) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil, nil
	}
	list, err := v.Array()
	if err != nil {
		return nil, refuse(reasonTraits, "the traits are a %s, not a list", v.Type())
	}
	if len(list) > maxTraits {
		return nil, refuse(reasonTraits, "%d traits, the most is %d", len(list), maxTraits)
	}
	out := make([]engine.Trait, 0, len(list))
	for _, one := range list {
		name, dtype, value := one.Get("name"), one.Get("dtype"), one.Get("value")
		if parts, err := one.Array(); err == nil {
			if len(parts) != 3 {
				return nil, refuse(reasonTraits, "a trait of %d parts, not name, type and value", len(parts))
			}
			name, dtype, value = parts[0], parts[1], parts[2]
		}
		t, bad := trait(name, dtype, value)
		if bad != nil {
			return nil, bad
		}
		out = append(out, t)
	}
	return out, nil
}

func trait(name, dtype, value *fastjson.Value) (t engine.Trait, bad *Refusal) {
	text, bad := textOf(name, reasonTraits, "name of a trait", maxEventChars)
	if bad != nil {
		return t, bad
	}
	if text == nil || *text == "" {
		return t, refuse(reasonTraits, "a trait without a name")
	}
	t.Name = *text
	kind := 0
	if dtype != nil && dtype.Type() != fastjson.TypeNull {
		if kind, _ = dtype.Int(); dtype.Type() != fastjson.TypeNumber || kind < int(engine.TraitNone) || kind > int(engine.TraitTime) {
			return t, refuse(reasonTraits, "trait %s is of an unknown type", quoted(t.Name))
		}
	}
	if value == nil || value.Type() == fastjson.TypeNull {
		return t, nil
	}
	t.Kind = engine.TraitKind(kind)
	if !readTrait(&t, value) {
		return t, refuse(reasonTraits, "trait %s has a value that is not of its type", quoted(t.Name))
	}
	return t, nil
}

// readTrait takes the value as one of the trait's kind.
func readTrait(t *engine.Trait, v *fastjson.Value) (ok bool) {
	text := scalar(v)
	var err error
	switch t.Kind {
	case engine.TraitText:
		t.Text = text
		return len(text) <= maxTraitBytes && checkText(text, "", maxTraitBytes) == nil
	case engine.TraitInt:
		if t.Int, err = strconv.ParseInt(text, 10, 64); err != nil {
			var f float64
			f, err = strconv.ParseFloat(text, 64)
			if err == nil && (math.IsNaN(f) || math.Abs(f) >= 1<<63) {
				return false
			}
			t.Int = int64(f)
		}
	case engine.TraitFloat:
		t.Float, err = strconv.ParseFloat(text, 64)
		return err == nil && !math.IsNaN(t.Float) && !math.IsInf(t.Float, 0)
	case engine.TraitTime:
		var bad *Refusal
		t.Int, bad = timestamp(v, 0)
		return bad == nil
	}
	return err == nil
}

// scalar gives a value as a text: of a string what it says, of others their JSON.
func scalar(v *fastjson.Value) string {
	if s, err := v.StringBytes(); err == nil {
		return strings.Clone(string(s))
	}
	b, bad := appendJSON(nil, v, maxDepth)
	if bad != nil {
		return ""
	}
	return string(b)
}
