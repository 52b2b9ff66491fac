package gnocchi

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// go test -run xxx -bench Aggregates ./server/gnocchi
func BenchmarkAggregates(b *testing.B) {
	five, ids := fiveMethods(b)
	cloud := cloudHarness(b)
	for _, tc := range []struct {
		name, path, body string
		h                *harness
	}{
		{"five methods of 9100 points", "/v1/aggregates", fmt.Sprintf(
			`{"operations": ["metric", [%q, "mean"], [%[1]q, "max"], [%[1]q, "min"], [%[1]q, "sum"], [%[1]q, "count"]]}`, ids), five},
		{"mean over 100 metrics of 288 points", "/v1/aggregates",
			`{"resource_type": "generic", "search": "project_id = 'p3'", "operations": "(aggregate mean (metric cpu mean))"}`, cloud},
		{"1000 metrics of 288 points", "/v1/aggregates",
			`{"resource_type": "generic", "search": {}, "operations": "(aggregate mean (metric cpu mean))"}`, cloud},
		{"1000 metrics grouped", "/v1/aggregates?groupby=user_id",
			`{"resource_type": "generic", "search": {}, "operations": "(aggregate mean (metric cpu mean))"}`, cloud},
		{"rolling over 100 metrics", "/v1/aggregates",
			`{"resource_type": "generic", "search": "project_id = 'p3'", "operations": "(rolling mean 12 (metric cpu mean))"}`, cloud},
	} {
		b.Run("what="+tc.name, func(b *testing.B) {
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", tc.path, bytes.NewReader([]byte(tc.body)))
				r.SetBasicAuth("admin", "")
				r.Header.Set("Content-Type", "application/json")
				tc.h.handler.ServeHTTP(w, r)
			}
			if w.status != http.StatusOK {
				b.Fatal(w.status)
			}
		})
	}
}

// fiveMethods has one metric of 9,100 seconds.
func fiveMethods(b *testing.B) (h *harness, id string) {
	h = benchHarness(b)
	h.handler = New(h.db, nil)
	body := []byte("[")
	for i := range 9100 {
		body = fmt.Appendf(body, `{"timestamp": %d, "value": %v}, `, 1767225600+i, 50+40*math.Sin(float64(i)/300))
	}
	path := "/v1/resource/generic/" + fuzzResource + "/metric/m0/measures"
	if w := h.post(path, append(bytes.TrimSuffix(body, []byte(", ")), ']'), nil); w.Code != http.StatusAccepted {
		b.Fatal(w.Code, w.Body)
	}
	rid, _ := engine.ParseUUID(fuzzResource)
	m, err := h.db.ResourceMetric(rid, "m0")
	if err != nil {
		b.Fatal(err)
	}
	return h, m.ID.String()
}

// cloudHarness has 1,000 resources of ten projects and 5 users with one metric of 288 points of 5 minutes each.
func cloudHarness(b *testing.B) *harness {
	h := newHarness(b)
	h.handler = New(h.db, nil)
	var batch engine.Batch
	err := h.db.Update(context.Background(), func(tx *engine.Tx) error {
		if err := tx.CreateArchivePolicy(engine.ArchivePolicy{Name: "low", Methods: []rollup.Method{rollup.Mean},
			Definition: []engine.Granularity{{Width: 300e9, Points: 8640, Timespan: 300e9 * 8640}}}); err != nil {
			return err
		}
		name, creator := "cpu", "admin"
		for i := range 1000 {
			project, user := fmt.Sprint("p", i%10), fmt.Sprint("u", i%5)
			id := engine.UUIDv5(idSpace, fmt.Sprint(i))
			r := engine.Resource{ID: id, OriginalID: id.String(), Type: "generic", Creator: &creator, ProjectID: &project, UserID: &user,
				Attributes: map[string]index.Value{}}
			if err := tx.CreateResource(&r); err != nil {
				return err
			}
			m, err := tx.CreateMetric(engine.Metric{Name: &name, Creator: &creator, Policy: "low", Resource: &id})
			if err != nil {
				return err
			}
			for k := range 288 {
				batch.Add(m.Ref, (1767225600+300*int64(k))*1e9, math.Round(1e4*math.Sin(float64(k*i)))/100)
			}
		}
		return nil
	})
	if err == nil {
		_, err = h.db.Append(context.Background(), &batch)
	}
	if err != nil {
		b.Fatal(err)
	}
	return h
}
