package familiar

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestValue(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: `{}`, `{"a":"}"},`: `{"a":"}"}`, `[[1],{"b":[]}]]`: `[[1],{"b":[]}]`, `"a\"b\\"c`: `"a\"b\\"`, `"a`: "", `{"a`: "", `{"a":[}`: "",
		`5`: "", ``: "", ` {}`: "", `]`: "", `"\\\"":1`: `"\\\""`,
	} {
		if got := text[:Value([]byte(text))]; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestScalar(t *testing.T) {
	for text, want := range map[string]string{
		`"a"b`: `"a"`, `""`: `""`, `"a\n"`: "", `"a`: "", `-1.5e+3,`: "-1.5e+3", `0]`: "0", `-`: "", `-,`: "", `+1`: "", `.5`: "", `nullx`: "null", `nul`: "",
		`true`: "true", `false}`: "false", `{}`: "", ``: "", `Inf`: "", `NaN`: "",
	} {
		if got := text[:Scalar([]byte(text))]; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// walked is what List and Object come by.
func walked(text string) (fields []string, whole bool) {
	whole = List([]byte(text), func(rest []byte) int {
		return Object(rest, func(key, rest []byte) int {
			n := Scalar(rest)
			if n == 0 {
				n = Value(rest)
			}
			fields = append(fields, fmt.Sprintf("%s=%s", key, rest[:n]))
			return n
		})
	})
	return fields, whole
}

func TestWalk(t *testing.T) {
	for _, tc := range []struct {
		text, fields string
		whole        bool
	}{
		{` [ {"a" : 1 , "b":[2,{}]} , {} ,{"c":"d"}] `, `a=1 b=[2,{}] c="d"`, true},
		{"\t{\"a\":null}\n", "a=null", true},
		{`[]`, "", true}, {`{}`, "", true}, {`[ ]x`, "", false}, {``, "", false}, {`[`, "", false}, {`[{}`, "", false}, {`[{},]`, "", false}, {`[{}{}]`, "", false},
		{`{"a":1}}`, "a=1", false}, {`{"a":1,}`, "a=1", false}, {`{"a" 1}`, "", false}, {`{"a":}`, "a=", false}, {`{"a`, "", false}, {`{"a":1`, "a=1", false},
		{`{a:1}`, "", false}, {`{"a\u0062":1}`, "", false}, {`5`, "", false},
	} {
		fields, whole := walked(tc.text)
		if got := strings.Join(fields, " "); got != tc.fields || whole != tc.whole {
			t.Errorf("%s: %s, %v; want %s, %v", tc.text, got, whole, tc.fields, tc.whole)
		}
	}
}

// FuzzWalk: of JSON every value is found where it is.
func FuzzWalk(f *testing.F) {
	f.Add(`[{"a":1,"b":[2,{"c":"]\""}]},{"d":true}]`)
	f.Add(`{"a":-1e5,"b":{"c":null}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var list []map[string]json.RawMessage
		got, whole := walked(text)
		if json.Unmarshal([]byte(text), &list) != nil {
			list = []map[string]json.RawMessage{nil}
			if json.Unmarshal([]byte(text), &list[0]) != nil {
				return
			}
		}
		if !whole {
			if !strings.Contains(text, `\`) && !strings.Contains(text, "null") { // of keys, and for elements
				t.Fatalf("%q is JSON", text)
			}
			return
		}
		for _, object := range list {
			for key, value := range object {
				if !slices.Contains(got, key+"="+string(value)) && json.Valid([]byte(text)) && !strings.ContainsRune(key, '\uFFFD') {
					t.Errorf("%q: %s is not among %q", text, key, got)
				}
			}
		}
	})
}

func TestMemo(t *testing.T) {
	var m Memo[int]
	if _, ok := m.Get([]byte("a")); ok {
		t.Error("an empty memo knows something")
	}
	const n, size = 1000, memoBytes / 100
	for i := range n {
		m.Put(fmt.Append(nil, "text ", i), i, size)
		if _, ok := m.Get([]byte("text 0")); !ok {
			t.Fatalf("what is asked for again and again is forgotten after %d", i)
		}
	}
	known := 0
	for i := range n {
		if v, ok := m.Get(fmt.Append(nil, "text ", i)); ok {
			known++
			if v != i {
				t.Errorf("%d is %d", i, v)
			}
		}
	}
	if known < 50 || known > 200 {
		t.Errorf("%d of %d are remembered", known, n)
	}
	m.Put([]byte("large"), 1, memoBytes)
	if _, ok := m.Get([]byte("large")); ok {
		t.Error("what is too large is remembered")
	}
}
