package ceilometer

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/ceilometer"
	"github.com/telemetrydb/tsdb/server/publish"
	"github.com/telemetrydb/tsdb/server/samples"
)

// serve runs the API and the publisher's door in this process.
func serve(t *testing.T) string {
	db, err := engine.Open("samples", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	store := samples.New(db, nil)
	mux := http.NewServeMux()
	mux.Handle(publishPath, publish.New(store, nil).Publish())
	mux.Handle("/", ceilometer.New(db, store, nil))
	s := httptest.NewServer(mux)
	t.Cleanup(func() {
		s.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.URL
}

// TestPublishAskAndCheck gives a little of the work to a server in this process, and compares all of it.
func TestPublishAskAndCheck(t *testing.T) {
	base := serve(t)
	const ticks, clients = 700, 2 // metadata change in it
	r := Report{o: Options{Ticks: ticks, Clients: clients}}
	var err error
	if r.one, err = together(base, 1, func(c *served.Client, w *workload.Workload) (posted, error) { return publishAll(c, w, ticks) }); err != nil {
		t.Fatal(err)
	}
	if r.one.samples != ticks*70 || len(r.one.took) != ticks {
		t.Errorf("%d samples in %d requests", r.one.samples, len(r.one.took))
	}
	c, w := served.NewClient(base), workload.A(0)
	defer c.Close()
	if r.warm, err = ask(c, w, ticks); err != nil {
		t.Fatal(err)
	}
	if n, err := check(c, w, ticks); err != nil || n != ticks*70 {
		t.Errorf("%d samples, %v", n, err)
	}
	if _, err := check(c, w, ticks+1); err == nil {
		t.Error("a missing sample was not noticed")
	}
	r.ones, err = together(base, clients, func(c *served.Client, w *workload.Workload) (posted, error) {
		return postOnes(c, w, ticks, 50*time.Millisecond)
	})
	if err != nil || r.ones.clients != clients || r.ones.samples < clients || r.ones.samples != len(r.ones.took) {
		t.Fatalf("one by one: %d samples of %d clients, %v", r.ones.samples, r.ones.clients, err)
	}
	r.many, r.interval, r.onesMany, r.onesLoose = r.one, r.one, r.ones, r.ones
	if all := r.Goals(); len(all) < 15 || all[0].PeerIs != nil || !strings.HasPrefix(all[0].Note, "part of the work") {
		t.Errorf("goals of a short run are\n%+v", all)
	}
	r.o.Ticks = workload.A(0).Ticks
	if all := r.Goals(); len(all) < 15 || *all[0].PeerIs != mongoBytes || !all[0].Recorded || !strings.Contains(all[0].Note, "2,644") {
		t.Errorf("the goals are\n%+v", all)
	}
}

func TestSamplesAreOfOneSize(t *testing.T) {
	w := workload.A(0)
	e := newEncoder(w, Metadata)
	for row := range w.Rows(1) {
		body := append(e.append([]byte{'['}, row), ']')
		var list []map[string]any
		if err := json.Unmarshal(body, &list); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		if mean := len(body) / len(list); mean < 1200 || mean > 1400 {
			t.Errorf("resource %d: samples of %d bytes", row.Resource, mean)
		}
		if m := w.Resources[row.Resource].Metrics[0]; list[0]["counter_name"] != m.Name || list[0]["timestamp"] != "2026-01-01T00:00:00" ||
			list[0]["counter_volume"] != row.Values[0] {
			t.Errorf("resource %d: %v", row.Resource, list[0])
		}
	}
	if a, b := Metadata(1, 1), Metadata(1, 2); string(a) == string(b) || !json.Valid(a) {
		t.Errorf("metadata %s and %s", a, b)
	}
}
