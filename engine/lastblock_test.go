package engine

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// TestLastBlock reads a metric's last blocks from memory: it shows what the view's moment had, whatever is sealed or expired since.
func TestLastBlock(t *testing.T) {
	db, err := Open("db", &Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) // after the views
	ctx := t.Context()
	p := ArchivePolicy{Name: "p", Raw: RawForever, Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}}
	var m Metric
	err = db.Update(ctx, func(tx *Tx) (err error) {
		if err = tx.CreateArchivePolicy(p); err == nil {
			m, err = tx.CreateMetric(Metric{Policy: "p"})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const start, step = int64(1_700_006_400e9), int64(10e9) // a full minute
	n := int64(0)
	add := func(samples int64) {
		var b Batch
		for range samples {
			b.Add(m.Ref, start+n*step, float64(n))
			n++
		}
		if _, err := db.Append(ctx, &b); err != nil {
			t.Fatal(err)
		}
	}
	view := func() *View {
		v, err := db.View(m.Ref)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(v.Close)
		return v
	}
	// check reads samples and points from sample i on, of which there are end in all.
	check := func(v *View, i, end int64) {
		t.Helper()
		ts, vs, err := v.Raw(ctx, m.Ref, start+i*step, math.MaxInt64, nil, nil)
		if err != nil || int64(len(ts)) != end-i || ts[0] != start+i*step || vs[0] != float64(i) || vs[len(vs)-1] != float64(end-1) {
			t.Fatalf("raw from %d of %d: %d samples, %v", i, end, len(ts), err)
		}
		points, err := v.Measures(ctx, m.Ref, time.Minute, p.Methods, start+i*step, math.MaxInt64)
		if err != nil || int64(len(points[0].Times)) != (end+5)/6-i/6 || points[0].Values[0] != float64(i/6*6)+2.5 {
			t.Fatalf("points from %d of %d: %v, %v", i, end, points, err)
		}
	}
	cached := func() (ends []int64) {
		for _, kind := range []byte{keyRaw, keyAgg} {
			if b, ok := db.last.cache.get(lastKey{kind, int64(time.Minute), m.Ref}); ok {
				ends = append(ends, b.end)
			}
		}
		return ends
	}
	add(3000)
	if err := db.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	before := view()
	for range 2 { // what is asked for again is kept
		check(before, 600, 3000)
	}
	old := cached()
	if len(old) != 2 {
		t.Fatalf("%d blocks are kept", len(old))
	}
	add(2400)
	unsealed := view()
	check(unsealed, 600, 5400)
	if err := db.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	sealed := view()
	for range 2 { // views take turns at filling the cache
		check(before, 600, 3000)
		check(unsealed, 600, 5400)
		check(sealed, 600, 5400)
		check(sealed, 5000, 5400)
	}
	if ends := cached(); slices.Equal(ends, old) {
		t.Error("the older blocks are still kept")
	}
	// From memory alone: neither record nor blocks are in the store any more.
	if err := db.p.DeleteRange([]byte{keySeries}, []byte{keyEnd}, pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int64{0, 100, 399} { // from the decoded rows and the block
		check(view(), 5000+i, 5400)
	}
	// What has expired is gone, and an older view does not bring it back for others.
	db.visible.Lock()
	db.last.expired()
	db.visible.Unlock()
	check(sealed, 5000, 5400)
	if len(cached()) != 0 {
		t.Error("a view from before the expiry fills the cache")
	}
	if ts, _, err := view().Raw(ctx, m.Ref, start+5000*step, start+5100*step, nil, nil); err != nil || len(ts) != 0 {
		t.Errorf("deleted blocks: %d samples, %v", len(ts), err)
	}
}
