package engine

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// TestCheckFindsNothing checks databases whose log was and was not trimmed.
func TestCheckFindsNothing(t *testing.T) {
	for _, compact := range []bool{false, true} {
		fs := vfs.NewMem()
		o := &Options{FS: fs}
		db, err := Open("db", o)
		if err != nil {
			t.Fatal(err)
		}
		var ref Ref
		err = db.Update(context.Background(), func(tx *Tx) error {
			p := ArchivePolicy{Name: "p", Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}}
			if err := tx.CreateArchivePolicy(p); err != nil {
				return err
			}
			m, err := tx.CreateMetric(Metric{Policy: "p"})
			ref = m.Ref
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var b Batch
		for i := range int64(1000) {
			b.Add(ref, 1_700_000_000e9+i*1e9, float64(i))
		}
		if _, err := db.Append(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		if compact {
			if err := db.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		sum, err := Check("db", o, func(f Finding) { t.Errorf("%x: %v", f.Key, f.Err) })
		if err != nil || sum.Keys == 0 {
			t.Errorf("check: %+v, %v", sum, err)
		}
	}
}
