package engine

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// warmed opens the database and waits until its memory is warm.
func warmed(t *testing.T, o *Options, series int64) *DB {
	t.Helper()
	db, err := Open("db", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for end := time.Now().Add(20 * time.Second); db.head.count.Load() < series; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d series came into memory", db.head.count.Load(), series)
		}
	}
	return db
}

// TestWarm opens a database with gaps between its metrics and finds in memory what the records say, whatever happens meanwhile.
func TestWarm(t *testing.T) {
	o := &Options{FS: vfs.NewMem()}
	db, err := Open("db", o)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	const all, kept, perSeries = 500, 100, 20
	p := ArchivePolicy{Name: "p", Raw: RawForever, Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}}
	var metrics []Metric
	err = db.Update(ctx, func(tx *Tx) error {
		if err := tx.CreateArchivePolicy(p); err != nil {
			return err
		}
		for i := range all {
			r := Resource{ID: UUIDv5(UUID{}, fmt.Sprint(i)), OriginalID: fmt.Sprint(i), Type: genericType}
			if err := tx.CreateResource(&r); err != nil {
				return err
			}
			name := "m"
			m, err := tx.CreateMetric(Metric{Policy: "p", Name: &name, Resource: &r.ID})
			if err != nil {
				return err
			}
			metrics = append(metrics, m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const start = int64(1_700_000_000e9)
	add := func(db *DB, m Metric, from, to int) {
		var b Batch
		for i := from; i < to; i++ {
			b.Add(m.Ref, start+int64(i)*7e9, float64(m.Ref)+float64(i))
		}
		if _, err := db.Append(ctx, &b); err != nil {
			t.Fatal(err)
		}
	}
	check := func(db *DB, m Metric, n int) {
		t.Helper()
		v, err := db.View(m.Ref)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		ts, vs, err := v.Raw(ctx, m.Ref, 0, math.MaxInt64, nil, nil)
		if err != nil || len(ts) != n || vs[n-1] != float64(m.Ref)+float64(n-1) {
			t.Errorf("metric %d: %d samples of %d, %v", m.Ref, len(ts), n, err)
		}
	}
	for _, m := range metrics {
		add(db, m, 0, perSeries)
	}
	err = db.Update(ctx, func(tx *Tx) error {
		for _, m := range metrics[kept/2 : all-kept/2] {
			if err := tx.DeleteMetric(m.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	live := append(metrics[:kept/2:kept/2], metrics[all-kept/2:]...)

	db = warmed(t, o, kept)
	for i, m := range live {
		r, err := db.ResourceMetric(UUIDv5(UUID{}, fmt.Sprint(int(m.Ref)-1)), "m")
		if err != nil || r.Ref != m.Ref {
			t.Fatalf("metric %d: %+v, %v", i, r, err)
		}
		if !db.head.holds(m.Ref) {
			t.Errorf("metric %d: its series is not in memory", i)
		}
		check(db, m, perSeries)
	}
	if n := db.head.count.Load(); n != kept {
		t.Errorf("%d series in memory, want %d", n, kept)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	db, err = Open("db", o) // and appends beside it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, m := range live {
		add(db, m, perSeries, 2*perSeries)
	}
	if err := db.Update(ctx, func(tx *Tx) error { return tx.DeleteMetric(live[1].ID) }); err != nil {
		t.Fatal(err)
	}
	check(db, live[0], 2*perSeries)
	for _, m := range live[2:] {
		check(db, m, 2*perSeries)
	}
	if db.head.get(live[1].Ref) != nil {
		t.Error("a deleted metric's series is in memory")
	}
}

// TestWarmRecords brings the table blocks of records in parts, over gaps, to the last ordinal that there can be, and within their room.
func TestWarmRecords(t *testing.T) {
	db, err := Open("db", &Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	const last = math.MaxUint32
	ordinals := []uint32{1, 2, 3, 31, 32, 33, 34, 1000, 5000, 5001, last - 40, last - warmStep, last - 1, last}
	for i := range uint32(2000) {
		ordinals = append(ordinals, 10_000+i)
	}
	for _, ord := range ordinals {
		if err := db.p.Set(ordinalKey(keySeries, ord), make([]byte, 100), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.p.Flush(); err != nil {
		t.Fatal(err)
	}
	r := recordRun{kind: keySeries, room: 1 << 20}
	calls := 0
	for ; !r.end; calls++ {
		if r.bring(db, func() bool { return false }); calls > len(ordinals) {
			t.Fatalf("no end: at %d", r.next)
		}
	}
	if least := 2000 / warmStep / warmSteps; calls < least || r.room <= 0 || r.room == 1<<20 {
		t.Errorf("%d calls, want %d or more; %d bytes of room are left", calls, least, r.room)
	}
	r = recordRun{kind: keySeries, room: 1}
	if r.bring(db, func() bool { return true }); r.room > 0 || r.end {
		t.Errorf("it went on without room: %d bytes, at %d", r.room, r.next)
	}
}
