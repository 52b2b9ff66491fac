package ceilometer

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/server/simplequery"
)

const supportedTypes = "['integer', 'float', 'string', 'boolean', 'datetime']"

// metadataValue reads what metadata is compared with: of the type that is given, or of that which the text looks like.
func metadataValue(s, typ string) (value, error) {
	v, ok := value{}, false
	switch typ {
	case "":
		if v, ok = pythonLiteral(s); !ok {
			v, ok = value{kind: text, text: s}, true
		}
	case "string":
		v, ok = value{kind: text, text: s}, true
	case "integer":
		v.kind = number
		v.num, ok = pythonInt(strings.TrimSpace(s))
	case "float":
		v.kind = number
		v.num, ok = anyPythonFloat(strings.TrimSpace(s))
	case "boolean":
		var truth bool
		if truth, ok = simplequery.Truth(s); truth {
			v.num = 1
		}
		v.kind = boolean
	case "datetime":
		_, _, ok = simplequery.ParseISO(s)
		v.kind = other // dates equal dates alone, and metadata of JSON has none
	default:
		return v, badRequest("The data type " + typ + " is not supported. The supported data type list is: " + supportedTypes)
	}
	if !ok {
		return v, badRequest("Unable to convert the value " + s + " to the expected data type " + typ + ".")
	}
	return v, nil
}

// pythonInt reads what Python's int() takes.
func pythonInt(s string) (float64, bool) {
	digits := strings.TrimPrefix(s, "-")
	sign := 1.0
	if digits != s {
		sign = -1
	} else {
		digits = strings.TrimPrefix(s, "+")
	}
	digits, ok := withoutUnderscores(digits)
	if !ok || digits == "" || !isDigits(digits) {
		return 0, false
	}
	f, ok := integer(digits, 10)
	return sign * f, ok
}

// anyPythonFloat reads what Python's float() takes.
func anyPythonFloat(s string) (float64, bool) {
	rest := strings.TrimPrefix(s, "-")
	sign := 1.0
	if rest != s {
		sign = -1
	} else {
		rest = strings.TrimPrefix(s, "+")
	}
	switch strings.ToLower(rest) {
	case "inf", "infinity":
		return math.Inf(int(sign)), true
	case "nan":
		return math.NaN(), true
	}
	f, ok := pythonFloat(rest)
	return sign * f, ok
}

// jsonValue is a decoded value of JSON (with json.Number) as a value.
func jsonValue(x any) value {
	switch x := x.(type) {
	case nil:
		return value{}
	case bool:
		v := value{kind: boolean}
		if x {
			v.num = 1
		}
		return v
	case json.Number:
		f, err := strconv.ParseFloat(string(x), 64)
		if err != nil && !math.IsInf(f, 0) {
			return value{kind: other}
		}
		return value{kind: number, num: f}
	case string:
		return value{kind: text, text: x}
	case []any:
		v := value{kind: list}
		for _, e := range x {
			v.list = append(v.list, jsonValue(e))
		}
		return v
	}
	return value{kind: other}
}

// equals tells whether two values are the same, as MongoDB has it.
func (v value) equals(w value) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case null:
		return true
	case boolean, number:
		return v.num == w.num
	case text:
		return v.text == w.text
	case list:
		return slices.EqualFunc(v.list, w.list, value.equals)
	}
	return false
}

// isFound tells whether metadata that has stored, perhaps nothing, at a path is what a filter asks for: the value, or a list that has it.
func (v value) isFound(stored any, there bool) bool {
	if !there {
		return v.kind == null
	}
	w := jsonValue(stored)
	return v.equals(w) || w.kind == list && slices.ContainsFunc(w.list, v.equals)
}

// lookUp finds what metadata has at a path, in which dots separate levels, or stand in keys.
func lookUp(level map[string]any, path string) (any, bool) {
	if x, ok := level[path]; ok {
		return x, true
	}
	for i := 0; i < len(path); i++ {
		if path[i] != '.' {
			continue
		}
		if below, ok := level[path[:i]].(map[string]any); ok {
			if x, ok := lookUp(below, path[i+1:]); ok {
				return x, true
			}
		}
	}
	return nil, false
}

// maxIndexed is how much of a text, and of a path with the name of the metadata before it, the index of contexts holds.
const maxIndexed = 512

// contextFilter is the condition on contexts that their metadata has the value at the path; nil: the index cannot tell. exact tells
// whether it selects these contexts alone.
func (v value) contextFilter(path string) (f *index.Filter, exact bool) {
	field := "metadata." + path
	exact = len(field) <= maxIndexed
	field = field[:min(len(field), maxIndexed)]
	f = &index.Filter{Op: index.Eq, Field: field}
	switch v.kind {
	case null: // objects and lists are not there either, for the index
		return f, false
	case boolean:
		f.Value = index.Value{Kind: index.Bool, Num: v.num}
	case number:
		f.Value = index.Value{Kind: index.Number, Num: v.num}
		exact = exact && math.Abs(v.num) < 1<<53
	case text:
		f.Value = index.Value{Kind: index.Bytes, Str: v.text[:min(len(v.text), maxIndexed)]}
		exact = exact && len(v.text) < maxIndexed
	case list:
		f = &index.Filter{Op: index.And}
		for _, e := range v.list {
			if sub, _ := e.contextFilter(path); sub != nil && (e.kind == boolean || e.kind == number || e.kind == text) {
				f.Subs = append(f.Subs, sub)
			}
		}
		if len(f.Subs) == 0 {
			return nil, false
		}
		return f, false
	default:
		return &index.Filter{Op: index.Or}, true
	}
	return f, exact
}

// attributeFilter is a condition that all resources meet whose attributes have the value at the path; nil: that of all resources.
func (v value) attributeFilter(path string) *index.Filter {
	eq := func(w index.Value) *index.Filter { return &index.Filter{Op: index.Eq, Field: path, Value: w} }
	switch v.kind {
	case boolean:
		return eq(index.Value{Kind: index.Bool, Num: v.num})
	case number:
		return eq(index.Value{Kind: index.Number, Num: v.num})
	case text:
		f := &index.Filter{Op: index.Or, Subs: []*index.Filter{eq(textValue(v.text))}}
		if id, err := engine.ParseUUID(v.text); err == nil {
			f.Subs = append(f.Subs, eq(index.Value{Kind: index.Bytes, Str: string(id[:])}))
		}
		if t, _, ok := simplequery.ParseISO(v.text); ok {
			f.Subs = append(f.Subs, eq(index.Value{Kind: index.Time, Time: simplequery.Nanos(t)}))
		}
		return f
	case null:
		return nil
	}
	return &index.Filter{Op: index.Or}
}
