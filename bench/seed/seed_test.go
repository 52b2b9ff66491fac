package seed

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/gnocchi"
)

func TestBatchesHoldEveryMeasure(t *testing.T) {
	w := workload.A(0)
	const ticks = 130 // two batches of a minute and a rest
	type list struct {
		Measures []struct {
			Timestamp string
			Value     float64
		}
		Policy string `json:"archive_policy_name"`
		Unit   string
	}
	all := batches(w, ticks, 60)
	if len(all) != 3 {
		t.Fatalf("%d batches, want 3", len(all))
	}
	measures, next := 0, map[string]int{}
	for _, b := range all {
		var body map[string]map[string]list
		if err := json.Unmarshal(b.body, &body); err != nil {
			t.Fatal(err)
		}
		measures += b.measures
		cpu := body[w.Resources[0].ID]["cpu_util"]
		if cpu.Policy != "1days_per_sec" || cpu.Unit != "%" {
			t.Errorf("policy %q, unit %q", cpu.Policy, cpu.Unit)
		}
		for _, m := range cpu.Measures {
			if want := iso(workload.Start + int64(next["cpu_util"])); m.Timestamp != want {
				t.Fatalf("timestamp %s, want %s", m.Timestamp, want)
			}
			next["cpu_util"]++
		}
	}
	if measures != ticks*70 || next["cpu_util"] != ticks {
		t.Errorf("%d measures, %d of one metric; want %d and %d", measures, next["cpu_util"], ticks*70, ticks)
	}
}

// TestLoadAndCheck posts two minutes to a server in this process and compares every value with the generator.
func TestLoadAndCheck(t *testing.T) {
	db, err := engine.Open("seed", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := httptest.NewServer(gnocchi.New(db, nil))
	defer s.Close()
	c, w := served.NewClient(s.URL), workload.A(0)
	defer c.Close()
	if err := prepare(c, w); err != nil {
		t.Fatal(err)
	}
	const ticks = 120
	for _, b := range batches(w, ticks, 60) {
		if _, _, err := c.Do(http.MethodPost, batchPath, b.body, http.StatusAccepted); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := check(c, w, ticks); err != nil || n != ticks*70*len(methods) {
		t.Errorf("%d values, %v; want %d", n, err, ticks*70*len(methods))
	}
	if _, err := check(c, w, ticks+1); err == nil {
		t.Error("a missing point was not noticed")
	}
}

func TestCheckPoints(t *testing.T) {
	const good = `[["2026-01-01T00:00:00+00:00",1.0,2.5],["2026-01-01T00:00:01+00:00",1.0,3]]`
	want := []float64{2.5, 3}
	for _, tc := range []struct {
		name, body, method string
		ok                 bool
	}{
		{"equal", good, "mean", true},
		{"a value", strings.Replace(good, "2.5", "2.50000001", 1), "mean", false},
		{"a time", strings.Replace(good, "00:01", "00:02", 1), "mean", false},
		{"a granularity", strings.Replace(good, "1.0", "60.0", 1), "mean", false},
		{"too few", good[:43] + "]", "mean", false},
		{"count of another", good, "count", false},
		{"no JSON", "<html>", "mean", false},
	} {
		if err := checkPoints([]byte(tc.body), tc.method, want); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}
