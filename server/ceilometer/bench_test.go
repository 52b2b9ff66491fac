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

// founding fills a database with the founding measurement: 4 resources with 70 meters in all, a sample a second for so many seconds, with
// metadata of a VM's size that change every ten minutes.
func founding(b *testing.B, seconds int) http.Handler {
	db, err := engine.Open(b.TempDir(), &engine.Options{Sync: engine.SyncInterval})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	store := samples.New(db, nil)
	begin, project := at("2024-01-01T00:00:00"), "p1"
	meters := func(r int) int { return []int{25, 25, 10, 10}[r] }
	var batch []samples.Sample
	for s := range seconds {
		for r := range 4 {
			metadata := foundingMetadata(r, s/600)
			for m := range meters(r) {
				batch = append(batch, samples.Sample{Meter: fmt.Sprintf("meter.%d", m), Type: "gauge", Unit: "%", Volume: float64(s*m%997) / 8,
					ResourceID: fmt.Sprintf("instance-%d", r), UserID: &project, ProjectID: &project, Source: "openstack",
					Time: begin + int64(s)*1e9, Metadata: metadata})
			}
		}
		if len(batch) > 4000 || s == seconds-1 {
			if _, err := store.Write(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	return New(db, store, &Options{Gate: auth.NewGate(auth.None{}, nil)})
}

var foundingTexts = map[[2]int][]byte{}

func foundingMetadata(r, version int) []byte {
	key := [2]int{r, version}
	if foundingTexts[key] == nil {
		text := fmt.Sprintf(`{"status": "%d", "flavor": {"id": "1", "name": "m1.tiny", "ram": 512}`, version)
		for i := range 28 {
			text += fmt.Sprintf(`, "property_%d": "a value of resource %d"`, i, r)
		}
		foundingTexts[key] = []byte(text + "}")
	}
	return foundingTexts[key]
}

// BenchmarkFounding asks what Ceilometer's users asked of five and a half hours.
func BenchmarkFounding(b *testing.B) {
	server := httptest.NewServer(founding(b, 5*3600+1800))
	defer server.Close()
	of := "?q.field=resource_id&q.value=instance-1&limit="
	for _, bc := range []struct{ name, path string }{
		{"newest-9127", "/v2/meters/meter.7" + of + "9127"},
		{"newest-1000", "/v2/meters/meter.7" + of + "1000"},
		{"newest-100-of-all", "/v2/samples"},
		{"statistics-60", "/v2/meters/meter.7/statistics?period=60&q.field=resource_id&q.value=instance-1"},
		{"statistics-60-of-4", "/v2/meters/meter.7/statistics?period=60&groupby=resource_id"},
		{"meters", "/v2/meters"},
		{"resources", "/v2/resources"},
	} {
		b.Run(bc.name, func(b *testing.B) {
			size := int64(0)
			for b.Loop() {
				resp, err := http.Get(server.URL + bc.path)
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 200 || err != nil {
					b.Fatal(resp.Status, err)
				}
				size = n
			}
			b.ReportMetric(float64(size), "B")
		})
	}
}
