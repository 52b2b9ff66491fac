package engine

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// reviewDB opens an empty database with one policy and n metrics of it.
func reviewDB(t *testing.T, p ArchivePolicy, n int) (*DB, []Metric) {
	t.Helper()
	db, err := Open("db", &Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	ms := make([]Metric, n)
	p.Name = "p"
	err = db.Update(context.Background(), func(tx *Tx) error {
		err := tx.CreateArchivePolicy(p)
		for i := range ms {
			if err == nil {
				ms[i], err = tx.CreateMetric(Metric{Policy: "p"})
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return db, ms
}

// appendEvery appends samples from <= t < to.
func appendEvery(t *testing.T, db *DB, m Metric, from, to, step int64) {
	t.Helper()
	var b Batch
	for ; from < to; from += step {
		b.Add(m.Ref, from, float64(from/step%97))
	}
	if _, err := db.Append(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
}

func countPoints(t *testing.T, db *DB, m Metric, width time.Duration) int {
	t.Helper()
	v, err := db.View(m.Ref)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	pts, err := v.Measures(context.Background(), m.Ref, width, []rollup.Method{rollup.Mean}, 0, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	return len(pts[0].Times)
}

// TestDirtyQueueOrder pushes out of order: trimming the log goes by the oldest.
func TestDirtyQueueOrder(t *testing.T) {
	var h head
	for i, seq := range []uint64{2, 1, 5, 4, 3} { // Appends of other series overtake one another
		s := &series{ref: Ref(i)}
		s.firstSeq.Store(seq)
		h.put(s)
		h.queue.push(s, seq)
	}
	for want := uint64(1); want <= 5; want++ {
		if seq := h.queue.oldest(&h); seq != want {
			t.Fatalf("oldest is %d, want %d", seq, want)
		}
		h.get(h.queue.longest(&h, 1)[0]).firstSeq.Store(0)
	}
}

// TestExpiryMeetsBackfill seals old samples of a metric that had none when expiry walked the partition.
func TestExpiryMeetsBackfill(t *testing.T) {
	day := int64(24 * time.Hour)
	db, ms := reviewDB(t, ArchivePolicy{Methods: []rollup.Method{rollup.Mean},
		Definition: []Granularity{{Width: time.Second, Points: 2 * 86400, Timespan: 48 * time.Hour}}}, 3)
	for _, m := range []Metric{ms[0], ms[2]} {
		appendEvery(t, db, m, 0, 1000e9, 1e9)
		appendEvery(t, db, m, 10*day, 10*day+2e9, 1e9)
	}
	if err := db.checkpoint(sealCut); err != nil {
		t.Fatal(err)
	}
	x, err := db.beginExpiry(blockKey{kind: keyAgg, width: 1e9})
	if err != nil {
		t.Fatal(err)
	}
	failed := x.walk()
	appendEvery(t, db, ms[1], 0, 1000e9, 1e9)
	if err := db.checkpoint(sealCut); err != nil {
		t.Fatal(err)
	}
	if err := x.end(failed); err != nil {
		t.Fatal(err)
	}
	if n := countPoints(t, db, ms[1], time.Second); n != 1000 {
		t.Fatalf("%d points, want 1000", n)
	}
	if err := db.expireNow(); err != nil { // now it knows of all three
		t.Fatal(err)
	}
	if n := countPoints(t, db, ms[1], time.Second); n != 1000 {
		t.Fatalf("%d points, want 1000", n)
	}
	it, err := db.p.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for it.SeekGE([]byte{keyAgg}); it.Valid(); it.Next() {
		if k, ok := parseBlockKey(it.Key()); ok && k.partition == 0 && k.ref != ms[1].Ref {
			t.Errorf("block of metric %d has not expired", k.ref)
		}
	}
}

// TestRawKeepRecord stores how long derived points need raw blocks.
func TestRawKeepRecord(t *testing.T) {
	p := ArchivePolicy{Name: "p", Raw: time.Hour, Methods: []rollup.Method{rollup.Mean},
		Definition: []Granularity{{Width: time.Second, Points: 3600, Timespan: time.Hour}}}
	for _, c := range []struct {
		keep time.Duration
		ok   bool
	}{{0, true}, {2 * time.Hour, true}, {RawForever, true}, {time.Minute, false}, {-2, false}} {
		p.rawKeep = c.keep
		got, err := decodePolicy(appendPolicy(nil, &p))
		if (err == nil) != c.ok || c.ok && got.rawKeep != c.keep {
			t.Errorf("%v: got %v, %v", c.keep, got.rawKeep, err)
		}
	}
}

// TestRaisedTimespanKeepsDerived raises the timespan of a width whose points are read from raw samples: they live as long.
func TestRaisedTimespanKeepsDerived(t *testing.T) {
	hour := int64(time.Hour)
	db, ms := reviewDB(t, ArchivePolicy{Methods: []rollup.Method{rollup.Mean}, Raw: time.Hour,
		Definition: []Granularity{{Width: time.Second, Points: 3600, Timespan: time.Hour}}}, 1)
	ctx := context.Background()
	appendEvery(t, db, ms[0], 0, hour, 1e9)
	if err := db.checkpoint(sealCut); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(ctx, func(tx *Tx) error {
		_, err := tx.UpdateArchivePolicy("p", []Granularity{{Width: time.Second, Points: 36000, Timespan: 10 * time.Hour}}, nil)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for h := int64(1); h < 5; h++ {
		appendEvery(t, db, ms[0], h*hour, (h+1)*hour, 1e9)
		if err := db.checkpoint(sealCut); err != nil {
			t.Fatal(err)
		}
	}
	if n := countPoints(t, db, ms[0], time.Second); n != 5*3600 {
		t.Fatalf("%d points, want %d", n, 5*3600)
	}
}

// TestDamagedBlockDoesNotStopSealing seals past a last block that cannot be joined.
func TestDamagedBlockDoesNotStopSealing(t *testing.T) {
	db, ms := reviewDB(t, ArchivePolicy{Methods: []rollup.Method{rollup.Mean}, Raw: RawForever,
		Definition: []Granularity{{Width: time.Second}}}, 2)
	appendEvery(t, db, ms[0], 0, 100e9, 1e9)
	if err := db.checkpoint(sealCut); err != nil {
		t.Fatal(err)
	}
	s := db.head.get(ms[0].Ref)
	k := blockKey{keyRaw, 1e9, 0, s.ref, s.ends[0].end}
	if err := db.p.Set(k.append(nil), []byte{blockColumns, 1, 2, 3}, nil); err != nil {
		t.Fatal(err)
	}
	appendEvery(t, db, ms[0], 200e9, 300e9, 1e9)
	appendEvery(t, db, ms[1], 200e9, 300e9, 1e9)
	if err := db.checkpoint(sealCut); err != nil {
		t.Fatal(err)
	}
	for _, m := range ms {
		if db.head.get(m.Ref).firstSeq.Load() != 0 {
			t.Fatalf("metric %d is not sealed", m.Ref)
		}
	}
}

// TestRecodePastDamage encodes old partitions anew although a block in the first of them cannot be read.
func TestRecodePastDamage(t *testing.T) {
	db, ms := reviewDB(t, ArchivePolicy{Methods: []rollup.Method{rollup.Mean}, Raw: RawForever,
		Definition: []Granularity{{Width: time.Second}}}, 1)
	day := int64(24 * time.Hour)
	for d := range int64(5) { // in all less than the sealer waits for: checkpoint leaves what it is at
		appendEvery(t, db, ms[0], d*day, d*day+800e9, 1e9)
	}
	if err := db.checkpoint(sealCut); err != nil {
		t.Fatal(err)
	}
	if err := db.p.Set(blockKey{keyRaw, 1e9, 0, ms[0].Ref, 5e9}.append(nil), []byte{blockColumns, 1, 2, 3}, nil); err != nil {
		t.Fatal(err)
	}
	if err := db.recode(); err != nil {
		t.Fatal(err)
	}
	if mark, err := db.coldMark(blockKey{kind: keyRaw, width: 1e9}); err != nil || mark.partition == 0 {
		t.Errorf("mark %+v, %v: want a later partition", mark, err)
	}
}
