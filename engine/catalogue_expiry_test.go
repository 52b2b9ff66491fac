package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestExpireCatalogue: resources go when they have been over for long enough, with all that belongs to them, and so do past
// states.
func TestExpireCatalogue(t *testing.T) {
	now := time.Unix(1_800_000_000, 0).UTC()
	ctx := t.Context()
	db, err := Open("db", &Options{FS: vfs.NewMem(), Now: func() time.Time { return now }, KeepEnded: time.Hour, KeepRevisions: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const n = 3 * expireMany // of which a third lives, a third has ended just now, a third long ago
	err = db.Update(ctx, func(tx *Tx) error {
		if err := tx.CreateArchivePolicy(samplePolicy()); err != nil {
			return err
		}
		name := "cpu"
		for i := range n {
			r := &Resource{ID: UUIDv5(UUID{}, fmt.Sprint(i)), Type: "generic", StartedAt: now.Add(-48 * time.Hour)}
			if i%3 > 0 {
				r.EndedAt = ptr(now.Add(-time.Duration(i%3-1) * 2 * time.Hour))
			}
			if err := tx.CreateResource(r); err != nil {
				return err
			}
			if _, err := tx.CreateMetric(Metric{Name: &name, Policy: samplePolicy().Name, Resource: &r.ID}); err != nil {
				return err
			}
			r.ProjectID = ptr("p")
			if err := tx.UpdateResource(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func(resources, revisions int) {
		t.Helper()
		if err := db.expireCatalogue(); err != nil {
			t.Fatal(err)
		}
		if a, b, c := db.CountResources(), db.CountMetrics(), db.CountRevisions(); a != resources || b != resources || c != revisions {
			t.Errorf("%d resources, %d metrics, %d revisions; want %d, %d, %d", a, b, c, resources, resources, revisions)
		}
		rs, err := db.Resources(ctx, Query{History: true})
		if err != nil || len(rs) != resources+revisions {
			t.Errorf("a search finds %d, %v", len(rs), err)
		}
	}
	check(2*n/3, 2*n/3)
	now = now.Add(30 * time.Minute)
	check(2*n/3, 0)
	now = now.Add(time.Hour)
	check(n/3, 0)
}
