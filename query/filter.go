package query

import (
	"fmt"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/valyala/fastjson"
)

// FilterSchema tells a filter of resources what it may compare. Times, timespans and ids are read as the dialect spells them.
type FilterSchema struct {
	Type    engine.ResourceType // its attributes may be compared beside what every resource has
	History bool                // the filter looks at past states, too: revision and revision_end may be compared

	Time       func(text string) (nanos int64, err error) // since the Unix epoch
	Span       func(text string) (nanos int64, ok bool)
	ResourceID func(text string) (engine.UUID, error)
}

// The limits of one filter, in either language. Nesting of JSON is limited by whoever decodes it.
const (
	MaxFilterDepth      = 200     // brackets and negations one within the other, in text
	MaxFilterConditions = 10_000  // comparisons and connectives
	MaxFilterValues     = 100_000 // in lists
)

// FilterError says what is wrong with a filter as such.
type FilterError struct{ Text string }

func (e *FilterError) Error() string { return e.Text }

// FilterShapeError says which part of a filter is not as the grammar wants it.
type FilterShapeError struct {
	Phrase string // what is wrong: "expected a list"
	Path   []any  // members' names and lists' indexes that lead there; a name that is no string is a float64, bool, nil or []any
	OfKey  bool   // the phrase is about the last name itself, not about the value behind it
}

func (e *FilterShapeError) Error() string { return fmt.Sprintf("%s at %v", e.Phrase, e.Path) }

// ParseFilter reads a filter of JSON in Gnocchi's search grammar. An empty object selects everything: nil.
// Errors are a *FilterShapeError or a *FilterError. v is not kept.
func ParseFilter(v *fastjson.Value, s *FilterSchema) (*index.Filter, error) {
	p := filterParser{schema: s}
	return p.filter(rawOfJSON(v))
}

// ParseFilterText reads a filter in the language of Gnocchi's filter strings. Errors are a *FilterShapeError or a *FilterError.
func ParseFilterText(text string, s *FilterSchema) (*index.Filter, error) {
	t := filterText{src: text}
	raw, err := t.parse()
	if err != nil {
		return nil, err
	}
	p := filterParser{schema: s}
	return p.filter(raw)
}

// raw is a value of either language before anybody has looked at what it should be: nil, bool, rawNumber, string, []any of those, or
// rawObject.
type raw = any

// rawNumber keeps how a number is written: 5 and 5.0 differ as text.
type rawNumber struct {
	f    float64
	text string // as Python writes it
}

type rawObject []rawMember

type rawMember struct {
	key   raw
	value raw
}

func rawOfJSON(v *fastjson.Value) raw {
	switch v.Type() {
	case fastjson.TypeTrue:
		return true
	case fastjson.TypeFalse:
		return false
	case fastjson.TypeNumber:
		return numberOfJSON(v)
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return string(b)
	case fastjson.TypeArray:
		a, _ := v.Array()
		list := make([]any, len(a))
		for i := range a {
			list[i] = rawOfJSON(a[i])
		}
		return list
	case fastjson.TypeObject:
		o, _ := v.Object()
		out := make(rawObject, 0, o.Len())
		o.Visit(func(key []byte, v *fastjson.Value) {
			for i := range out {
				if out[i].key == string(key) { // the last of one name counts
					out[i].value = rawOfJSON(v)
					return
				}
				if len(out) > 2 { // too many already: see object
					return
				}
			}
			out = append(out, rawMember{string(key), rawOfJSON(v)})
		})
		return out
	}
	return nil
}
