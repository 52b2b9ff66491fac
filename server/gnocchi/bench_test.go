package gnocchi

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
)

// benchMetrics is how many metrics the resource of a benchmark has.
const benchMetrics = 70

// benchHarness has a resource with metrics m0 to m69 of one second's granularity.
func benchHarness(b *testing.B) *harness {
	h := newHarness(b)
	if status, answer := h.do("POST", "/v1/archive_policy", `{"name": "p", "definition": [{"granularity": 1, "points": 86400}],
		"aggregation_methods": ["mean", "max", "min", "sum", "count"]}`); status != 201 {
		b.Fatal(status, answer)
	}
	body := []byte(`{"id": "` + fuzzResource + `", "metrics": {`)
	for i := range benchMetrics {
		body = fmt.Appendf(body, `"m%d": {"archive_policy_name": "p"}, `, i)
	}
	body = append(bytes.TrimSuffix(body, []byte(", ")), "}}"...)
	if status, answer := h.do("POST", "/v1/resource/generic", string(body)); status != 201 {
		b.Fatal(status, answer)
	}
	return h
}

// appendBatch appends a batch of so many seconds of all metrics from the second given on.
func appendBatch(dst []byte, from, seconds int) []byte {
	dst = append(dst, `{"`+fuzzResource+`": {`...)
	for m := range benchMetrics {
		dst = fmt.Appendf(dst, `"m%d": [`, m)
		for s := range seconds {
			dst = append(dst, `{"timestamp": `...)
			dst = strconv.AppendInt(dst, int64(1767225600+from+s), 10)
			dst = append(dst, `.0, "value": `...)
			dst = append(appendPyFloat(dst, float64(m)+math.Sin(float64(from+s))), "}, "...)
		}
		dst = append(bytes.TrimSuffix(dst, []byte(", ")), "], "...)
	}
	return append(bytes.TrimSuffix(dst, []byte(", ")), "}}"...)
}

// go test -run xxx -bench PostBatch ./server/gnocchi
func BenchmarkPostBatch(b *testing.B) {
	for _, seconds := range []int{1, 60} {
		b.Run(fmt.Sprintf("seconds=%d", seconds), func(b *testing.B) {
			h := benchHarness(b)
			h.handler = New(h.db, nil)
			var body []byte
			at := 0
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				body = appendBatch(body[:0], at, seconds)
				at += seconds
				r := httptest.NewRequest("POST", "/v1/batch/resources/metrics/measures", bytes.NewReader(body))
				r.SetBasicAuth("admin", "")
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				b.StartTimer()
				if h.handler.ServeHTTP(w, r); w.Code != http.StatusAccepted {
					b.Fatal(w.Code, w.Body)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*seconds*benchMetrics), "ns/sample")
		})
	}
}

// go test -run xxx -bench GetMeasures ./server/gnocchi
func BenchmarkGetMeasures(b *testing.B) {
	const points = 9100
	rng := rand.New(rand.NewPCG(1, 2))
	for _, shape := range []struct {
		name  string
		value func() float64
	}{
		{"counter", func() float64 { return float64(rng.IntN(1e9)) }},
		{"decimal", func() float64 { return float64(rng.IntN(10000)) / 100 }},
		{"noise", rng.Float64},
	} {
		b.Run("shape="+shape.name, func(b *testing.B) {
			h := benchHarness(b)
			h.handler = New(h.db, nil)
			body := []byte("[")
			for i := range points {
				body = fmt.Appendf(body, `{"timestamp": %d, "value": `, 1767225600+i)
				body = append(appendPyFloat(body, shape.value()), "}, "...)
			}
			path := "/v1/resource/generic/" + fuzzResource + "/metric/m0/measures"
			if w := h.post(path, append(bytes.TrimSuffix(body, []byte(", ")), ']'), nil); w.Code != http.StatusAccepted {
				b.Fatal(w.Code, w.Body)
			}
			w := &discard{header: http.Header{}}
			r := httptest.NewRequest("GET", path+"?granularity=1", nil)
			r.SetBasicAuth("admin", "")
			b.ReportAllocs()
			for b.Loop() {
				h.handler.ServeHTTP(w, r)
			}
			if w.status != http.StatusOK {
				b.Fatal(w.status)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*points), "ns/point")
		})
	}
}

// discard is an answer that nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }
