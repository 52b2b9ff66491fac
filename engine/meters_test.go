package engine

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/rollup"
)

// TestMeters notes meters of a resource and looks for them after all that may happen to it.
func TestMeters(t *testing.T) {
	s, ctx := newSampled(t, 1, ArchivePolicy{Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}}), context.Background()
	id := NewUUID()
	update := func(fn func(tx *Tx) error) {
		t.Helper()
		if err := s.db.Update(ctx, fn); err != nil {
			t.Fatal(err)
		}
	}
	meters := []Meter{{"cpu", "cumulative", "ns"}, {"cpu", "gauge", ""}}
	state := uint64(0)
	changed := func(want bool) {
		t.Helper()
		now, err := s.db.ResourceState(id)
		if err != nil || now == 0 || (now != state) != want {
			t.Errorf("state %d, was %d, %v", now, state, err)
		}
		state = now
	}
	update(func(tx *Tx) error {
		if err := tx.CreateResource(&Resource{ID: id, Type: "generic", Source: "ignored", StartedAt: time.Unix(1, 0)}); err != nil {
			return err
		}
		if r, err := tx.Resource(id); err != nil || r.Source != "" {
			t.Errorf("%+v, %v", r, err)
		}
		return tx.SetMeters(id, "src", meters)
	})
	changed(true)
	check := func() {
		t.Helper()
		r, err := s.db.Resource(id)
		if err != nil || r.Source != "src" || !reflect.DeepEqual(r.Meters, meters) {
			t.Errorf("%+v, %v", r, err)
		}
		r.Meters[0].Name = "mine"
	}
	check()
	update(func(tx *Tx) error {
		r := &Resource{ID: id, ProjectID: text("p"), Source: "ignored", StartedAt: time.Unix(1, 0)}
		return tx.UpdateResource(r)
	})
	check()
	changed(true)
	changed(false)
	if n := s.db.CountRevisions(); n != 1 {
		t.Errorf("%d revisions", n)
	}
	s.reopen(true)
	check()
	update(func(tx *Tx) error {
		_, err := tx.CreateMetric(Metric{Name: text("cpu"), Policy: "p", Resource: &id})
		return err
	})
	check()
	changed(true)
	err := s.db.Update(ctx, func(tx *Tx) error { return tx.SetMeters(id, strings.Repeat("x", 2000), nil) })
	if !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	err = s.db.Update(ctx, func(tx *Tx) error { return tx.SetMeters(NewUUID(), "", nil) })
	if !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if state, err := s.db.ResourceState(NewUUID()); state != 0 || err != nil {
		t.Error(state, err)
	}
	s.checkFiles()
}
