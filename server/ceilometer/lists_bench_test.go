package ceilometer

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/samples"
)

// many fills a database with so many resources of 5 meters, with a sample each at times of their own: of one owner but for every hundredth, which
// belongs to another project.
func many(b *testing.B, resources int) http.Handler {
	db, err := engine.Open(b.TempDir(), &engine.Options{Sync: engine.SyncInterval})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	store := samples.New(db, nil)
	begin, user, projects := at("2024-01-01T00:00:00"), "u1", []string{"p1", "p2"}
	var batch []samples.Sample
	for r := range resources {
		project := &projects[0]
		if r%100 == 0 {
			project = &projects[1]
		}
		for m := range 5 {
			batch = append(batch, samples.Sample{Meter: fmt.Sprintf("meter.%d", m), Type: "gauge", Unit: "%", Volume: float64(m),
				ResourceID: fmt.Sprintf("instance-%d", r), UserID: &user, ProjectID: project, Source: "openstack",
				Time: begin + int64(r*7919%resources)*1e9, Metadata: []byte(`{"status": "active"}`)})
		}
		if len(batch) > 4000 || r == resources-1 {
			if _, err := store.Write(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	return New(db, store, &Options{Gate: auth.NewGate(auth.None{}, nil)})
}

// BenchmarkLists asks for the first hundred of many.
func BenchmarkLists(b *testing.B) {
	for _, resources := range []int{1000, 10_000} {
		server := httptest.NewServer(many(b, resources))
		for _, bc := range []struct{ name, path string }{
			{"resources", "/v2/resources"},
			{"resources-of-a-project", "/v2/resources?q.field=project_id&q.value=p2"},
			{"meters", "/v2/meters"},
			{"samples", "/v2/samples"},
			{"samples-of-a-meter", "/v2/meters/meter.1"},
		} {
			b.Run(fmt.Sprintf("%s/%d", bc.name, resources), func(b *testing.B) {
				for b.Loop() {
					resp, err := http.Get(server.URL + bc.path)
					if err != nil {
						b.Fatal(err)
					}
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if resp.StatusCode != 200 || err != nil {
						b.Fatal(resp.Status, err)
					}
				}
			})
		}
		server.Close()
	}
}
