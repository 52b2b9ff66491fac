package engine

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

func TestSmoke(t *testing.T) {
	for _, raw := range []time.Duration{0, RawForever} {
		pol := ArchivePolicy{Name: "p", Definition: []Granularity{{Width: time.Second}, {Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean, rollup.Sum, rollup.Count, rollup.Std, rollup.Mean | 0x8000}, Raw: raw}
		if raw != 0 {
			pol.Methods = pol.Methods[:4]
		}
		fs := vfs.NewMem()
		o := &Options{FS: fs}
		db, err := Open("db", o)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(context.Background(), func(tx *Tx) error {
			if err := tx.CreateArchivePolicy(pol); err != nil {
				return err
			}
			for r := Ref(1); r <= 3; r++ {
				if m, err := tx.CreateMetric(Metric{Policy: "p"}); err != nil || m.Ref != r {
					t.Fatal(m, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var b Batch
		const n = 20000
		t0 := int64(1767225600e9)
		for i := 0; i < n; i++ {
			b.Reset()
			for r := Ref(1); r <= 3; r++ {
				b.Add(r, t0+int64(i)*1e9, float64(i)*float64(r))
			}
			if res, err := db.Append(context.Background(), &b); err != nil || res.Accepted != 3 {
				t.Fatal(res, err)
			}
		}
		check := func() {
			t.Helper()
			v, err := db.View(1, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			ps, err := v.Measures(context.Background(), 2, time.Second, pol.Methods[:3], 0, math.MaxInt64)
			if err != nil {
				t.Fatal(err)
			}
			if len(ps[0].Times) != n || ps[0].Values[n-1] != 2*(n-1) || ps[1].Values[5] != 10 || ps[2].Values[n/2] != 1 {
				t.Fatal(len(ps[0].Times), ps[0].Values[max(0, len(ps[0].Values)-3):])
			}
			ps, err = v.Measures(context.Background(), 2, time.Minute, pol.Methods[:3], 0, math.MaxInt64)
			if err != nil {
				t.Fatal(err)
			}
			if len(ps[0].Times) != (n+59)/60 || ps[2].Values[0] != 60 {
				t.Fatal(len(ps[0].Times), ps)
			}
			if raw != 0 {
				ts, vs, err := v.Raw(context.Background(), 1, t0+100e9, t0+5100e9, nil, nil)
				if err != nil || len(ts) != 5000 || vs[0] != 100 || vs[4999] != 5099 {
					t.Fatal(err, len(ts))
				}
			}
		}
		check()
		time.Sleep(50 * time.Millisecond)
		t.Logf("%+v", db.Stats())
		check()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if db, err = Open("db", o); err != nil {
			t.Fatal(err)
		}
		check()
		if err := db.Compact(context.Background()); err != nil {
			t.Fatal(err)
		}
		check()
		t.Logf("%+v", db.Stats())
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
