package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/valyala/fastjson"
)

var filterKinds = engine.ResourceType{Name: "instance", Attributes: []engine.Attribute{
	{Name: "host", Type: engine.AttributeString, MaxLength: 255}, {Name: "size", Type: engine.AttributeNumber},
	{Name: "on", Type: engine.AttributeBool}, {Name: "at", Type: engine.AttributeDatetime}, {Name: "ref", Type: engine.AttributeUUID}}}

// testSchema reads times as RFC 3339 or seconds, timespans as Go does, and ids as text that is hashed.
func testSchema(history bool) *FilterSchema {
	return &FilterSchema{Type: filterKinds, History: history,
		Time: func(s string) (int64, error) {
			if f, err := strconv.ParseFloat(s, 64); err == nil {
				return int64(f * 1e9), nil
			}
			t, err := time.Parse(time.RFC3339Nano, s)
			return t.UnixNano(), err
		},
		Span: func(s string) (int64, bool) { d, err := time.ParseDuration(s); return int64(d), err == nil },
		ResourceID: func(s string) (engine.UUID, error) {
			if strings.Contains(s, "/") {
				return engine.UUID{}, errors.New("'/' is not supported in resource id")
			}
			return engine.UUIDv5(engine.UUID{}, s), nil
		}}
}

func filterText1(f *index.Filter) string {
	if f == nil {
		return "all"
	}
	value := func(v index.Value) string {
		switch v.Kind {
		case index.Bool, index.Number:
			return fmt.Sprint(v.Kind, ":", v.Num)
		case index.Time:
			return fmt.Sprint("time:", v.Time)
		case index.Bytes:
			return strconv.Quote(v.Str)
		}
		return "null"
	}
	names := [...]string{index.And: "and", index.Or: "or", index.Not: "not", index.Eq: "=", index.Ne: "!=", index.Lt: "<",
		index.Le: "<=", index.Gt: ">", index.Ge: ">=", index.In: "in", index.Like: "like"}
	var parts []string
	switch f.Op {
	case index.And, index.Or, index.Not:
		for _, s := range f.Subs {
			parts = append(parts, filterText1(s))
		}
		return names[f.Op] + "(" + strings.Join(parts, ", ") + ")"
	case index.In:
		for _, v := range f.Values {
			parts = append(parts, value(v))
		}
		return f.Field + " in [" + strings.Join(parts, ", ") + "]"
	}
	return f.Field + " " + names[f.Op] + " " + value(f.Value)
}

// errorText writes an error of a filter as its answer would say it.
func errorText(err error) string {
	var shape *FilterShapeError
	if !errors.As(err, &shape) {
		return err.Error()
	}
	s := shape.Phrase
	if n := len(shape.Path); n > 0 {
		if _, member := shape.Path[n-1].(string); member && !shape.OfKey {
			s += " for dictionary value"
		}
		s += " @ data"
	}
	for _, p := range shape.Path {
		if t, ok := p.(string); ok {
			s += "['" + t + "']"
		} else {
			s += fmt.Sprintf("[%v]", p)
		}
	}
	return s
}

// TestFilter runs testdata/filter: json and text are a filter in either language, a line each; answers are trees or errors.
func TestFilter(t *testing.T) {
	datadriven.Walk(t, "testdata/filter", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			for line := range strings.SplitSeq(d.Input, "\n") {
				var f *index.Filter
				var err error
				s := testSchema(d.HasArg("history"))
				if d.Cmd == "json" {
					f, err = ParseFilter(fastjson.MustParse(line), s)
				} else {
					f, err = ParseFilterText(line, s)
				}
				if err != nil {
					fmt.Fprintln(&out, errorText(err))
				} else {
					fmt.Fprintln(&out, filterText1(f))
				}
			}
			return out.String()
		})
	})
}

// TestFilterLimits: what is too large is refused, in a moment.
func TestFilterLimits(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("not (", n) + "host=a" + strings.Repeat(")", n) }
	many := func(n int) string { return "host=a" + strings.Repeat(" or host=a", n-1) }
	list := func(n int) string { return "host in [a" + strings.Repeat(",a", n-1) + "]" }
	for _, c := range []struct{ name, text, want string }{
		{"nested as deep as may be", deep(MaxFilterDepth / 2), ""},
		{"nested 10,000 deep", deep(10_000), "Invalid filter: Expected at most 200 levels of brackets and negations"},
		{"nested 1,000,000 deep, not closed", strings.Repeat("(", 1_000_000), "Invalid filter: Expected at most 200 levels"},
		{"negated 100,000 times", strings.Repeat("not ", 100_000) + "host=a", "Invalid filter: Expected at most 200 levels"},
		{"lists in lists", "host in " + strings.Repeat("[", 100_000), "Invalid filter: Expected at most 200 levels"},
		{"as many conditions as may be", many(MaxFilterConditions - 1), ""},
		{"more", many(MaxFilterConditions), "Invalid filter: it has more than 10000 conditions"},
		{"as many values as may be", list(MaxFilterValues), ""},
		{"more", list(MaxFilterValues + 1), "Invalid filter: it has more than 100000 values in lists"},
		{"10 MB of nothing", strings.Repeat(" ", 10<<20), "Invalid filter: Expected a condition, found end of text"},
		{"10 MB of one word", strings.Repeat("x", 10<<20), "Invalid filter: Expected a condition, found"},
		{"operators only", strings.Repeat("and ", 1<<20), "Invalid filter: Expected a condition"},
	} {
		_, err := ParseFilterText(c.text, testSchema(false))
		if got := fmt.Sprint(err); !strings.HasPrefix(got, c.want) || (c.want == "") != (err == nil) {
			t.Errorf("%s: %.200s", c.name, got)
		}
	}
}

func FuzzFilterText(f *testing.F) {
	for _, s := range []string{`a=b or not (c in [1,"x",null]) and at>"2020-01-01"`, "note=5", "host like 'x%' ∨ size≥-1e5", "id==x", "((host=1",
		"created_by_user_id=5", "lifespan>1h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tree, err := ParseFilterText(s, testSchema(true))
		checkParsed(t, tree, err)
	})
}

func FuzzFilterJSON(f *testing.F) {
	for _, s := range []string{`{"or":[{"=":{"host":"a"}},{"not":{"in":{"size":[1,2.0,true]}}}]}`, `{"like":{"id":"x"}}`, `[1,2]`, `{"=":{"revision":1}}`,
		`{"ge":{"started_at":1e400}}`, `{"and":[{}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := fastjson.Parse(s)
		if err != nil {
			return
		}
		tree, err := ParseFilter(v, testSchema(true))
		checkParsed(t, tree, err)
		if err == nil && json.Valid([]byte(s)) {
			again, err := ParseFilter(fastjson.MustParse(s), testSchema(true))
			if err != nil || filterText1(again) != filterText1(tree) {
				t.Fatalf("%s, then %s, %v", filterText1(tree), filterText1(again), err)
			}
		}
	})
}

// checkParsed: an error is one of the two kinds, and a tree is one that the index takes.
func checkParsed(t *testing.T, tree *index.Filter, err error) {
	t.Helper()
	var text *FilterError
	var shape *FilterShapeError
	if err != nil {
		if !errors.As(err, &text) && !errors.As(err, &shape) || err.Error() == "" {
			t.Fatalf("%T %v", err, err)
		}
		return
	}
	var walk func(f *index.Filter)
	walk = func(f *index.Filter) {
		for _, s := range f.Subs {
			walk(s)
		}
		if f.Op < index.And || f.Op > index.Like || f.Op > index.Not && f.Field == "" || f.Op == index.Not && len(f.Subs) != 1 ||
			f.Op < index.Not && len(f.Subs) == 0 || f.Value.Kind > index.Bytes {
			t.Fatalf("node %+v", f)
		}
	}
	if tree != nil {
		walk(tree)
	}
}
