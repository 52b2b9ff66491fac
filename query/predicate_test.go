package query

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
)

func TestPredicate(t *testing.T) {
	for _, tc := range []struct {
		in      string
		matches []float64
		not     []float64
	}{
		{`{"=": 12}`, []float64{12}, []float64{11, math.NaN()}},
		{`{"≠": 12}`, []float64{11, math.NaN()}, []float64{12}},
		{`{"or": [{">": [{"+": 1}, 8]}, {"lt": -3}]}`, []float64{7.5, -4}, []float64{7, -3, math.NaN()}},
		{`{"∧": [{"≥": 10}, {"<": [{"%": 10}, 5]}]}`, []float64{10, 24.5}, []float64{4, 15}},
		{`{"and": []}`, []float64{1}, nil},
		{`{"∨": []}`, nil, []float64{1}},
		{`{"+": -2}`, []float64{1, math.NaN()}, []float64{2}},
		{`{"<": [2, {"*": true}]}`, []float64{3}, []float64{2}},
		{`{"=": [{"pow": 2}, {"÷": [8, 2]}]}`, []float64{2, -2}, []float64{4}},
	} {
		p, err := parsePredicate(t, tc.in)
		if err != nil {
			t.Errorf("%s: %v", tc.in, err)
			continue
		}
		for _, v := range tc.matches {
			if !p.Matches(v) {
				t.Errorf("%s does not match %v", tc.in, v)
			}
		}
		for _, v := range tc.not {
			if p.Matches(v) {
				t.Errorf("%s matches %v", tc.in, v)
			}
		}
	}
}

func TestPredicateErrors(t *testing.T) {
	for _, tc := range []struct{ in, phrase, path string }{
		{`[]`, "expected a dictionary", ""},
		{`{}`, "length of value must be at least 1", ""},
		{`{"=": 1, "<": 2}`, "length of value must be at most 1", ""},
		{`{"clip_min": 1}`, "extra keys not allowed", "clip_min"},
		{`{"max": 1}`, "extra keys not allowed", "max"},
		{`{"and": {"=": 1}}`, "expected a list", "and"},
		{`{"and": [{"=": 1}, {"<": [1, 2, 3]}]}`, "length of value must be at most 2", "and 1 <"},
		{`{"=": ["a", 1]}`, "expected float", "= 0"},
		{`{"=": null}`, "expected float", "="},
		{`{"not": [{"=": 1}]}`, "Unknown operator not", ""},
		{`{"or": [{"not": 1}]}`, "not a valid value", "or 0 not"},
	} {
		_, err := parsePredicate(t, tc.in)
		var e *PredicateError
		if !errors.As(err, &e) || e.Phrase != tc.phrase || strings.Join(e.Path, " ") != tc.path {
			t.Errorf("%s: %v", tc.in, err)
		}
	}
	for _, in := range []string{strings.Repeat(`{"and": [`, 120) + `{"=": 1}` + strings.Repeat(`]}`, 120),
		`{"or": [{"=": 1}` + strings.Repeat(`, {"=": 1}`, MaxTerms) + `]}`} {
		_, err := parsePredicate(t, in)
		var e *LimitError
		if !errors.As(err, &e) {
			t.Errorf("%.30s: %v", in, err)
		}
	}
}

func parsePredicate(t testing.TB, in string) (*Predicate, error) {
	t.Helper()
	v, err := fastjson.Parse(in)
	if err != nil {
		t.Fatalf("%s: %v", in, err)
	}
	return ParsePredicate(v)
}

// FuzzPredicate reads any predicate and asks it about some values.
func FuzzPredicate(f *testing.F) {
	for _, s := range []string{`{"=": 1}`, `{"or": [{">": [{"+": 1}, 8]}, {"and": []}]}`, `{"**": [{"/": 0}, {"%": [1, -0.0]}]}`, `{"not": []}`, `1`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := fastjson.Parse(s)
		if err != nil {
			return
		}
		if p, err := ParsePredicate(v); err == nil {
			for _, x := range []float64{0, -1, 1e300, math.NaN(), math.Inf(1)} {
				p.Matches(x)
			}
		}
	})
}
