package gnocchi

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// post sends a body as it is, with the headers given.
func (h *harness) post(path string, body []byte, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, bytes.NewReader(body))
	r.SetBasicAuth("admin", "")
	r.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	z.Write(b)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestBodyLimit(t *testing.T) {
	h := newHarness(t) // takes 64 KiB
	h.fill(t)
	path := measureTargets[0].path
	fits := []byte("[" + strings.Repeat(" ", 64<<10-2) + "]")
	over := append(fits, ' ')
	gzipHeader := map[string]string{"Content-Encoding": "gzip"}
	for _, tc := range []struct {
		name   string
		body   []byte
		header map[string]string
		want   int
	}{
		{"fits", fits, nil, http.StatusAccepted},
		{"over", over, nil, http.StatusRequestEntityTooLarge},
		{"gzip fits", zipped(t, fits), gzipHeader, http.StatusAccepted},
		{"gzip over", zipped(t, over), gzipHeader, http.StatusRequestEntityTooLarge},
		{"gzip bomb", zipped(t, bytes.Repeat([]byte{' '}, 2<<20)), gzipHeader, http.StatusRequestEntityTooLarge},
		{"no gzip", fits, gzipHeader, http.StatusBadRequest},
		{"gzip cut", zipped(t, fits)[:30], gzipHeader, http.StatusBadRequest},
		{"unknown encoding", fits, map[string]string{"Content-Encoding": "br"}, http.StatusUnsupportedMediaType},
	} {
		w := h.post(path, tc.body, tc.header)
		if w.Code != tc.want {
			t.Errorf("%s: %d %s, want %d", tc.name, w.Code, w.Body, tc.want)
		}
		if w.Code == http.StatusRequestEntityTooLarge && !strings.Contains(w.Body.String(), "65536 bytes") {
			t.Errorf("%s: %s does not name the limit", tc.name, w.Body)
		}
	}
	// Without a length known before.
	r := httptest.NewRequest("POST", path, struct{ *bytes.Reader }{bytes.NewReader(over)})
	r.ContentLength = -1
	r.SetBasicAuth("admin", "")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	if h.handler.ServeHTTP(w, r); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("length unknown: %d %s", w.Code, w.Body)
	}
}

func TestNesting(t *testing.T) {
	h := newHarness(t)
	h.fill(t)
	for _, depth := range []int{10, 299, 301, 30_000} {
		body := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		for _, to := range append(catalogueTargets, measureTargets...) {
			if status, answer := h.do(to.method, to.path, body); status != http.StatusBadRequest {
				t.Errorf("depth %d: %s %s: %d %s", depth, to.method, to.path, status, answer)
			}
		}
	}
}

// TestNames stores names of odd characters and finds them again.
func TestNames(t *testing.T) {
	h := newHarness(t)
	h.fill(t)
	for _, tc := range []struct{ json, path string }{
		{`caf\u00e9`, "caf%C3%A9"},
		{`\ud83d\ude00`, "%F0%9F%98%80"},
		{`nul\u0000byte`, "nul%00byte"},
		{`quote\"back\\slash`, "quote%22back%5Cslash"},
		{`a b?c#d`, "a%20b%3Fc%23d"},
		{`..`, ".."},
	} {
		metric := "/v1/resource/generic/" + fuzzResource + "/metric"
		if status, answer := h.do("POST", metric, `{"`+tc.json+`": {}}`); status != 200 {
			t.Errorf("%s: %d %s", tc.json, status, answer)
		}
		if status, answer := h.do("GET", metric+"/"+tc.path, ""); status != 200 || !strings.Contains(answer, `"name": "`+tc.json+`"`) {
			t.Errorf("%s: %d %s", tc.json, status, answer)
		}
		if status, answer := h.do("POST", "/v1/resource/generic", `{"id": "`+tc.json+`"}`); status != 201 {
			t.Errorf("%s: %d %s", tc.json, status, answer)
		}
		if status, answer := h.do("GET", "/v1/resource/generic/"+tc.path, ""); status != 200 ||
			!strings.Contains(answer, `"original_resource_id": "`+tc.json+`"`) {
			t.Errorf("%s: %d %s", tc.json, status, answer)
		}
	}
	long := strings.Repeat("x", 256)
	for _, to := range []target{{"POST", "/v1/metric"}, {"POST", "/v1/archive_policy"}} {
		if status, answer := h.do(to.method, to.path, `{"name": "`+long+`"}`); status != 400 || !strings.Contains(answer, "at most 255") {
			t.Errorf("%s: %d %s", to.path, status, answer)
		}
	}
}

// TestManyMembers has objects large enough to be looked through by a map, with names given twice.
func TestManyMembers(t *testing.T) {
	h := newHarness(t)
	h.fill(t)
	var b strings.Builder
	b.WriteString(`{"` + fuzzResource + `": {`)
	for i := range 100 {
		name := string(rune('a'+i%50%26)) + string(rune('a'+i%50/26))
		if i > 0 {
			b.WriteString(", ")
		}
		value := "1"
		if i >= 50 {
			value = "2"
		}
		b.WriteString(`"` + name + `": [{"timestamp": 60, "value": ` + value + `}]`)
	}
	b.WriteString("}}")
	if status, answer := h.do("POST", measureTargets[4].path, b.String()); status != 202 {
		t.Fatalf("%d %s", status, answer)
	}
	if got := h.db.Stats().Samples; got != 50 {
		t.Errorf("%d samples, want 50", got)
	}
	_, answer := h.do("GET", "/v1/resource/generic/"+fuzzResource+"/metric/ba/measures", "")
	if want := `[["1970-01-01T00:01:00+00:00", 60.0, 2.0]]`; answer != want {
		t.Errorf("%s, want %s", answer, want)
	}
}

// TestLongAnswer has an answer that goes out in pieces.
func TestLongAnswer(t *testing.T) {
	h := newHarness(t)
	h.fill(t)
	if status, answer := h.do("PATCH", "/v1/archive_policy/low", `{"definition": [{"granularity": 60, "points": 100000}]}`); status != 200 {
		t.Fatal(status, answer)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	want := []byte("[")
	var days dayWriter
	const points, part = 20_000, 1000
	for from := 0; from < points; from += part {
		body := []byte("[")
		for i := from; i < from+part; i++ {
			if i > from {
				body = append(body, ',')
			}
			if i > 0 {
				want = append(want, ", "...)
			}
			v := rng.NormFloat64()
			body = append(body, `{"timestamp": `...)
			body = appendPyFloat(body, float64(60*i))
			body = append(body, `, "value": `...)
			body = append(appendPyFloat(body, v), '}')
			want = append(days.append(append(want, `["`...), int64(60*i)*1e9), `", 60.0, `...)
			want = append(appendPyFloat(want, v), ']')
		}
		if w := h.post(measureTargets[0].path, append(body, ']'), nil); w.Code != 202 {
			t.Fatal(w.Code, w.Body)
		}
	}
	want = append(want, ']')
	status, answer := h.do("GET", measureTargets[0].path, "")
	if status != 200 || answer != string(want) {
		t.Errorf("%d: %d bytes, want %d", status, len(answer), len(want))
	}
}
