package engine

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestRevive: samples from after its end make a resource live again, with a revision of when it had ended; older ones do not.
func TestRevive(t *testing.T) {
	fs, ctx := vfs.NewMem(), t.Context()
	open := func() *DB {
		t.Helper()
		db, err := Open("db", &Options{FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	db := open()
	id, other := UUID{15: 1}, UUID{15: 2}
	end := time.Unix(1000, 0).UTC()
	refs := map[string]Ref{}
	err := db.Update(ctx, func(tx *Tx) error {
		if err := tx.CreateArchivePolicy(samplePolicy()); err != nil {
			return err
		}
		for _, id := range []UUID{id, other} {
			if err := tx.CreateResource(&Resource{ID: id, Type: "generic", EndedAt: &end}); err != nil {
				return err
			}
		}
		for _, name := range []string{"cpu", "memory"} {
			m, err := tx.CreateMetric(Metric{Name: &name, Policy: samplePolicy().Name, Resource: &id})
			if err != nil {
				return err
			}
			refs[name] = m.Ref
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open()
	defer db.Close()
	ended := func(id UUID) bool {
		t.Helper()
		r, err := db.Resource(id)
		if err != nil {
			t.Fatal(err)
		}
		return r.EndedAt != nil
	}
	put := func(name string, times ...int64) {
		t.Helper()
		var b Batch
		for _, s := range times {
			b.Add(refs[name], s*int64(time.Second), 1)
		}
		if _, err := db.Append(ctx, &b); err != nil {
			t.Fatal(err)
		}
	}
	if put("cpu", 10, 999); !ended(id) {
		t.Error("samples from before the end took it back")
	}
	if put("memory", 20, 1000, 30); ended(id) || !ended(other) {
		t.Error("a sample of the moment of the end did not take it back, or more than that")
	}
	past, err := db.Resources(ctx, Query{History: true, Sort: []SortKey{{Field: fieldRevision, Desc: true}}, Limit: 1})
	if err != nil || len(past) != 1 || past[0].ID != id || past[0].EndedAt == nil || !past[0].EndedAt.Equal(end) {
		t.Errorf("its past: %+v, %v", past, err)
	}
	put("cpu", 2000)
	if n := db.CountRevisions(); n != 1 {
		t.Errorf("%d revisions, want 1", n)
	}
}
