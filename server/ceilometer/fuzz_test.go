package ceilometer

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/valyala/fastjson"
)

// FuzzPythonLiteral reads literals: what was read, printed as Python does, reads the same again.
func FuzzPythonLiteral(f *testing.F) {
	for _, s := range []string{"5", "1.5", "-1e3", "0x10", "007", "5L", "True", "true", "None", `'x'`, `u"\u00e9"`, "[1, 2]", "(1,)", "(1)", "{'a': [1]}", "{1, 2}",
		"1, 2", "'a' 'b'", `'''long'''`, `b'x'`, "1_000", "--5", "1j", `"\x41\101\n"`, "[[[[", "- 5 # five", "0b12", "1e", "'a\nb'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := pythonLiteral(s)
		if !ok || v.kind == other || !utf8.ValidString(v.text) {
			return
		}
		switch v.kind {
		case text:
			again, ok := pythonLiteral(string(appendStringRepr(nil, v.text)))
			if !ok || again.text != v.text {
				t.Errorf("%q: %q, and again %q %v", s, v.text, again.text, ok)
			}
		case number:
			if v.num != v.num {
				t.Errorf("%q is no number", s)
			}
		}
	})
}

// FuzzFilter reads filters and selects with them, which must not fail in another way than by an error of the client's.
func FuzzFilter(f *testing.F) {
	f.Add("q.field=metadata.a&q.op=eq&q.type=integer&q.value=5")
	f.Add("q.field=timestamp&q.op=ge&q.value=2013-01-01&q.field=search_offset&q.value=5")
	f.Add("q.field=metadata.a.b&q.value=[1, None]&q.field=user&q.value=x")
	f.Add("q[1].field=project_id&q[1].value=p")
	metadata := []byte(`{"a": {"b": [1, null, "x"]}, "c": true, "d.e": 5}`)
	f.Fuzz(func(t *testing.T, query string) {
		parsed, err := listArguments.Parse(query)
		if err != nil {
			return
		}
		for _, fields := range []*fieldSet{&sampleFields, &resourceFields, &meterFields} {
			flt, err := parseFilter(parsed.Filters, fields, identity{admin: true})
			if err != nil {
				if e := statusOf(nil, err); e.status != 400 {
					t.Errorf("%q: %v", query, err)
				}
				continue
			}
			flt.matches(&engine.Context{Metadata: metadata})
			flt.selection()
		}
	})
}

// FuzzComplex reads complex filters: what an expression selects and what its negation selects are all samples, and none twice.
func FuzzComplex(f *testing.F) {
	for _, s := range []string{`{"=": {"meter": "a"}}`, `{"and": [{"<": {"volume": 5}}, {"not": {"in": {"metadata.a": [1, "x"]}}}]}`,
		`{"or": [{"=~": {"user": "^a"}}, {"!=": {"timestamp": "2013-01-01"}}]}`, `{"NOT": {"=<": {"metadata.c": true}}}`} {
		f.Add(s)
	}
	c := &engine.Context{UserID: ptr("abc"), Source: "s", Metadata: []byte(`{"a": [1, "y"], "c": true}`)}
	m := &meter{name: "a", resource: &engine.Resource{OriginalID: "r"}}
	known := &facts{meter: m, context: c, metadata: decodeMetadata(c.Metadata)}
	one := &engine.Samples{Times: []int64{at("2013-01-01T00:00:00")}, Values: []float64{4}, Contexts: []engine.ContextRef{1},
		Arrivals: []int64{0}, Seqs: []uint32{0}}
	id := func() string { return "id" }
	f.Fuzz(func(t *testing.T, s string) {
		x, err := parseExpr(s)
		if err != nil {
			return
		}
		e, err := newExpr(x)
		if err != nil {
			if a := statusOf(nil, err); a.status != 400 {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		n, err := treeOf(x, true, 0)
		if left := maxMatchParts; err == nil {
			err = n.compile(&left)
		}
		if err != nil {
			t.Fatalf("%q: its negation: %v", s, err)
		}
		selected := e.reduce(known).selects(1, one, 0, id)
		if selected == n.reduce(known).selects(1, one, 0, id) {
			t.Errorf("%q and its negation both are %v", s, selected)
		}
		if b := e.bounds(); selected && (one.Times[0] < b.times.from || one.Times[0] >= b.times.to) {
			t.Errorf("%q: times %v", s, b.times)
		}
		if selected && e.reduce(&facts{context: c, metadata: known.metadata}) == no {
			t.Errorf("%q: its context is not selected", s)
		}
	})
}

// FuzzFlatten prints metadata: it is an object of strings, whatever the metadata are.
func FuzzFlatten(f *testing.F) {
	f.Add(`{"a": {"b:c": [1, 2.0, {"x": null}]}, "d": "e\u0000"}`)
	f.Fuzz(func(t *testing.T, s string) {
		var m map[string]string
		if b := appendFlat(nil, decodeMetadata([]byte(s))); json.Unmarshal(b, &m) != nil {
			t.Errorf("%q: %q", s, b)
		}
	})
}

// FuzzPost reads samples of bodies.
func FuzzPost(f *testing.F) {
	f.Add(sampleWith(`"timestamp": "2013-01-01T00:00:00Z"`))
	f.Add(`{"samples": [{"counter_volume": "1e5", "resource_metadata": {"a.b": "c", "a": "d", "a.b.c": "e"}}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		var parser fastjson.Parser
		v, err := parser.Parse(s)
		if err != nil {
			return
		}
		list, err := samplesIn(v)
		if err != nil {
			return
		}
		for _, v := range list {
			var p posted
			if err := p.read(v); err != nil {
				if e := statusOf(nil, err); e.status != 400 {
					t.Errorf("%q: %v", s, err)
				}
				continue
			}
			if b := nested(p.flat); len(b) > 0 && !json.Valid(b) {
				t.Errorf("%q: %q", s, b)
			}
		}
	})
}

func TestPythonLiteral(t *testing.T) {
	for s, want := range map[string]value{
		"5": {kind: number, num: 5}, "1.5": {kind: number, num: 1.5}, "1e3": {kind: number, num: 1000}, "0x10": {kind: number, num: 16},
		"0o17": {kind: number, num: 15}, "-7": {kind: number, num: -7}, ".5": {kind: number, num: .5}, "5.": {kind: number, num: 5},
		"1_000": {kind: number, num: 1000}, "00": {kind: number}, "123456789012345678901234567890": {kind: number, num: 123456789012345678901234567890},
		"True": {kind: boolean, num: 1}, "False": {kind: boolean}, "None": {}, `'x'`: {kind: text, text: "x"}, `"x"`: {kind: text, text: "x"},
		`'it''s'`: {kind: text, text: "its"}, `"\x41\u00e9"`: {kind: text, text: "Aé"}, `r'\n'`: {kind: text, text: `\n`},
		"[1, 2]": {kind: list, list: []value{{kind: number, num: 1}, {kind: number, num: 2}}}, "[]": {kind: list},
		"(1)": {kind: number, num: 1}, "(1,)": {kind: list, list: []value{{kind: number, num: 1}}}, "1, 2": {kind: list, list: []value{{kind: number, num: 1}, {kind: number, num: 2}}},
		"5 ": {kind: number, num: 5},
	} {
		if v, ok := pythonLiteral(s); !ok || !v.equals(want) {
			t.Errorf("%s: %v %v, want %v", s, v, ok, want)
		}
	}
	for _, s := range []string{"", "007", "5L", "true", "null", "host1", " 5", "1_", "_1", "0x", "1e", "'x", "[1", "[1 2]", "1 2", "a'x'", "1__0", "+", "(", "--", "0b2", "[,]", "'a\nb'"} {
		if v, ok := pythonLiteral(s); ok {
			t.Errorf("%q: %v, want none", s, v)
		}
	}
	for s, want := range map[string]string{"1": "1.0", "1.5": "1.5", "1e22": "1e+22", "0.00001": "1e-05", "123456789012345680": "1.2345678901234568e+17", "1e15": "1000000000000000.0"} {
		f, _ := anyPythonFloat(s)
		check(t, s, string(appendFloat(nil, f)), want)
	}
}
