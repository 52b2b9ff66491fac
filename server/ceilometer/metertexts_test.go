package ceilometer

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/samples"
)

// TestKeptMeters changes resources and their metrics at random, and holds the lists of meters of a handler that keeps texts to those of one that has
// kept nothing yet.
func TestKeptMeters(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r, h := rand.New(rand.NewPCG(seed, 0)), newHarness(t)
	update := func(fn func(tx *engine.Tx) error) {
		t.Helper()
		if err := h.db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx *engine.Tx) error {
		return tx.CreateArchivePolicy(engine.ArchivePolicy{Name: "p", Methods: []rollup.Method{rollup.Mean},
			Definition: []engine.Granularity{{Width: time.Minute, Points: 10, Timespan: 10 * time.Minute}}})
	})
	changes := []func(id engine.UUID){
		func(engine.UUID) {
			owner := fmt.Sprint("p", r.IntN(2))
			h.write(samples.Sample{Meter: fmt.Sprint("m", r.IntN(6)), ResourceID: fmt.Sprint("r", r.IntN(4)), Unit: fmt.Sprint("u", r.IntN(2)), UserID: &owner, ProjectID: &owner,
				Source: fmt.Sprint("s", r.IntN(2)), Time: at("2024-01-01T00:00:00") + r.Int64N(1e12)})
		},
		func(id engine.UUID) { // a metric with a record of its own
			update(func(tx *engine.Tx) error {
				name, unit := fmt.Sprint("own", r.IntN(3)), fmt.Sprint("u", r.IntN(3))
				if _, err := h.db.ResourceMetric(id, name); err == nil {
					return nil
				}
				_, err := tx.CreateMetric(engine.Metric{Policy: "p", Resource: &id, Name: &name, Unit: &unit})
				return err
			})
		},
		func(id engine.UUID) {
			res, err := h.db.Resource(id)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range res.Metrics {
				update(func(tx *engine.Tx) error { return tx.DeleteMetric(m.ID) })
				return
			}
		},
	}
	changes[0](engine.UUID{})
	for range 300 {
		id := h.store.ResourceUUID(fmt.Sprint("r", r.IntN(4)))
		if change := r.IntN(len(changes)); change == 0 {
			changes[0](id)
		} else if _, err := h.db.Resource(id); err == nil {
			changes[change](id)
		}
		fresh := *h
		fresh.handler = New(h.db, h.store, &Options{Gate: auth.NewGate(auth.None{}, nil)})
		for _, args := range []string{"", "?limit=3", fmt.Sprint("?limit=", 1+r.IntN(12)), "?unique=True"} {
			for _, project := range []string{"", "p0", "p1"} {
				header := as(project)
				if project == "" {
					header = nil
				}
				for range 2 {
					got, want := h.ask("GET", "/v2/meters"+args, "", header).Body.String(), fresh.ask("GET", "/v2/meters"+args, "", header).Body.String()
					if got != want {
						t.Fatalf("%q of %q:\n got %s\nwant %s", args, project, got, want)
					}
					fresh.handler = New(h.db, h.store, &Options{Gate: auth.NewGate(auth.None{}, nil)})
				}
			}
		}
	}
}
