package ceilometer

import (
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
	"github.com/telemetrydb/tsdb/server/samples"
)

// TestAggregatesOnly has a metric whose archive policy keeps no samples: what the database still has of them, to aggregate, is not shown
// as if it were all.
func TestAggregatesOnly(t *testing.T) {
	h := newHarness(t)
	err := h.db.Update(t.Context(), func(tx *engine.Tx) error {
		minutes := engine.Granularity{Width: time.Minute, Points: 1000, Timespan: 1000 * time.Minute}
		if err := tx.CreateArchivePolicy(engine.ArchivePolicy{Name: "p", Methods: []rollup.Method{rollup.Mean}, Definition: []engine.Granularity{minutes}}); err != nil {
			return err
		}
		return tx.CreateRule(engine.Rule{Name: "r", Pattern: "thin*", Policy: "p"})
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, when := range []string{"2024-01-01T00:00:00", "2024-01-01T00:05:00"} {
		ids = h.write(samples.Sample{Meter: "thin", ResourceID: "r", ProjectID: ptr("p"), Time: at(when), Volume: 1, Metadata: []byte(`{"a": 1}`)},
			samples.Sample{Meter: "whole", ResourceID: "r", ProjectID: ptr("p"), Time: at(when), Volume: 2, Metadata: []byte(`{"a": 1}`)})
	}
	for _, path := range []string{"/v2/samples?", "/v2/samples?" + q("resource eq r"), "/v2/samples?" + q("project eq p"), "/v2/samples?" + q("metadata.a eq 1"),
		"/v2/samples?" + q("resource eq r", "metadata.a eq 1"), "/v2/resources?" + q("timestamp ge 2024-01-01")} {
		want := "whole; whole"
		if path[4] == 'r' {
			want = "<nil>"
		}
		check(t, path, show(h.get(path, nil), "meter"), want)
	}
	for _, path := range []string{"/v2/meters/thin", "/v2/meters/thin?" + q("project eq p"), "/v2/meters/thin/statistics", "/v2/meters/thin/statistics?" + q("resource eq r")} {
		check(t, path, show(h.get(path, nil)), "")
	}
	got := h.decoded(h.ask("POST", "/v2/query/samples", `{}`, as("p")), 200)
	check(t, "a complex query", show(got, "volume"), "2; 2")
	if w := h.ask("GET", "/v2/samples/"+ids[0], "", nil); w.Code != 404 {
		t.Errorf("by its id: %d %s", w.Code, w.Body)
	}
	check(t, "meters", show(h.get("/v2/meters", nil), "name"), "thin; whole")
}
