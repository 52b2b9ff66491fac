package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

func openDB(t *testing.T) *engine.DB {
	t.Helper()
	db, err := engine.Open("db", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	err = db.Update(context.Background(), func(tx *engine.Tx) error {
		minutes := engine.Granularity{Width: time.Minute, Points: 60, Timespan: time.Hour}
		if err := tx.CreateArchivePolicy(engine.ArchivePolicy{Name: "low", Definition: []engine.Granularity{minutes},
			Methods: []rollup.Method{rollup.Mean, rollup.Count}}); err != nil {
			return err
		}
		if err := tx.CreateResourceType(engine.ResourceType{Name: "host"}); err != nil {
			return err
		}
		return tx.CreateRule(engine.Rule{Name: "r", Pattern: "cpu*", Policy: "low"})
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func text(s string) *string { return &s }

// one is a write of a sample to cpu of a resource.
func one(id engine.UUID) *Write {
	return &Write{Type: "host", Creator: text("me"), Resources: []Resource{{ID: id, Original: "h"}},
		Samples: []Sample{{Metric: "cpu", Time: 1e9, Value: 2}}, Now: time.Unix(7, 0)}
}

func TestStoreMakesWhatIsMissing(t *testing.T) {
	db, ctx, id := openDB(t), context.Background(), engine.NewUUID()
	typed := 0
	w := one(id)
	w.NeedType = func(*engine.Tx) error { typed++; return nil }
	w.Samples = append(w.Samples, Sample{Metric: "cpu.idle", Time: 1e9, Value: 3}, Sample{Metric: "cpu", Time: 2e9, Value: 4})
	for range 2 {
		if res, err := w.Store(ctx, db); err != nil || res.Accepted != 3 {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	r, err := db.Resource(id)
	if err != nil {
		t.Fatal(err)
	}
	if typed != 1 || r.Type != "host" || *r.Creator != "me" || r.OriginalID != "h" || !r.StartedAt.Equal(w.Now) || len(r.Metrics) != 2 {
		t.Errorf("type asked for %d times, resource %+v", typed, r)
	}
	m, err := db.Metric(r.Metrics["cpu"].ID)
	if err != nil || *m.Creator != "me" || m.Policy != "low" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestStoreRefuses(t *testing.T) {
	db, ctx := openDB(t), context.Background()
	known := engine.NewUUID()
	if _, err := one(known).Store(ctx, db); err != nil {
		t.Fatal(err)
	}
	denied := errors.New("denied")
	for _, tc := range []struct {
		name, reason string
		change       func(w *Write)
		is           func(err error) bool
	}{
		{"another type", "resource of another type", func(w *Write) { w.Type = "vm" }, func(err error) bool {
			var e *TypeError
			return errors.As(err, &e) && e.ID == known && e.Type == "host" && e.Want == "vm"
		}},
		{"no rule", "no policy", func(w *Write) { w.Samples[0].Metric = "mem" }, func(err error) bool {
			var e *PolicyError
			return errors.As(err, &e) && e.Metric == "mem"
		}},
		{"a policy that is not there", "invalid", func(w *Write) { w.Policy, w.Samples[0].Metric = "none", "cpu2" },
			func(err error) bool { return errors.Is(err, engine.ErrNotFound) }},
		{"a slash", "invalid", func(w *Write) { w.Samples[0].Metric = "cpu/1" }, func(err error) bool { return errors.Is(err, engine.ErrInvalid) }},
		{"no right to add", "error", func(w *Write) { w.Access.UpdateResource = func(*engine.Resource) error { return denied } },
			func(err error) bool { return errors.Is(err, denied) }},
		{"no right to create", "error", func(w *Write) {
			w.Resources[0].ID = engine.NewUUID()
			w.Access.CreateResource = func(*engine.Resource) error { return denied }
		}, func(err error) bool { return errors.Is(err, denied) }},
		{"no right to post", "error", func(w *Write) { w.Access.PostMeasures = func(engine.Ref) error { return denied } },
			func(err error) bool { return errors.Is(err, denied) }},
		{"no such type", "error", func(w *Write) {
			w.Resources[0].ID = engine.NewUUID()
			w.NeedType = func(*engine.Tx) error { return denied }
		}, func(err error) bool { return errors.Is(err, denied) }},
		{"before 1970", "invalid", func(w *Write) { w.Samples[0].Time = -1 }, func(err error) bool { return errors.Is(err, engine.ErrInvalid) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := db.Stats().Samples
			w := one(known)
			tc.change(w)
			_, err := w.Store(ctx, db)
			if !tc.is(err) || Reason(err) != tc.reason {
				t.Errorf("%v, reason %q", err, Reason(err))
			}
			if db.Stats().Samples != before {
				t.Error("something was stored")
			}
		})
	}
	w := one(known)
	w.Type = "generic"
	if _, err := w.Store(ctx, db); err != nil {
		t.Errorf("every resource is generic: %v", err)
	}
}

func TestStoreSkips(t *testing.T) {
	db, ctx := openDB(t), context.Background()
	w := one(engine.NewUUID())
	w.Samples = append(w.Samples, Sample{Metric: "mem", Time: 1, Value: 3}, Sample{Metric: "cpu/2", Time: 1, Value: 3}, Sample{Metric: "mem", Time: 2})
	skipped := map[string]int{}
	w.Skip = func(metric string, n int, err error) { skipped[metric+": "+Reason(err)] += n }
	res, err := w.Store(ctx, db)
	if err != nil || res.Accepted != 1 || fmt.Sprint(skipped) != "map[cpu/2: invalid:1 mem: no policy:2]" {
		t.Errorf("%+v, %v, skipped %v", res, err, skipped)
	}
}

// TestStoreTogether has many writers make the same things, and one that deletes them.
func TestStoreTogether(t *testing.T) {
	db, ctx, id := openDB(t), context.Background(), engine.NewUUID()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 30 {
				w := one(id)
				w.Samples[0].Metric = fmt.Sprint("cpu", i%3)
				if _, err := w.Store(ctx, db); err != nil {
					t.Error(err)
				}
				if g == 0 && i%10 == 9 {
					err := db.Update(ctx, func(tx *engine.Tx) error { return tx.DeleteResource(id) })
					if err != nil && !errors.Is(err, engine.ErrNotFound) {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestRefused(t *testing.T) {
	r := NewRefused()
	r.Add("statsd", "format", 2)
	r.Add("statsd", "format", 0)
	(*Refused)(nil).Add("statsd", "format", 1)
	registry := prometheus.NewRegistry()
	registry.MustRegister(r)
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || families[0].GetMetric()[0].GetCounter().GetValue() != 2 {
		t.Errorf("%v, %v", families, err)
	}
}
