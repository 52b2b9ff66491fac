package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// TestDeletedMetric appends to a metric that was deleted: refused at once, not when its space has been given back.
func TestDeletedMetric(t *testing.T) {
	db, err := Open("db", &Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	var m Metric
	err = db.Update(ctx, func(tx *Tx) (err error) {
		p := ArchivePolicy{Name: "p", Definition: []Granularity{{Width: 1e9}}, Methods: []rollup.Method{rollup.Mean}}
		if err = tx.CreateArchivePolicy(p); err == nil {
			m, err = tx.CreateMetric(Metric{Policy: "p"})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	b.Add(m.Ref, 1, 1)
	if _, err := db.Append(ctx, &b); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(ctx, func(tx *Tx) error { return tx.DeleteMetric(m.ID) }); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	b.Add(m.Ref, 2, 1)
	if _, err := db.Append(ctx, &b); !errors.Is(err, ErrNotFound) {
		t.Fatalf("append to a deleted metric: %v, want ErrNotFound", err)
	}
}
