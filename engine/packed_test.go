package engine

import (
	"context"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// packAll packs every series that may be.
func (db *DB) packAll() {
	db.bg.relieving.Lock()
	defer db.bg.relieving.Unlock()
	for range 2 { // used ones in the second round
		_ = db.head.each(func(ref Ref) error {
			db.head.lockOne(ref)
			defer db.head.unlockOne(ref)
			db.visible.RLock()
			defer db.visible.RUnlock()
			if s := db.head.get(ref); s != nil && !s.sealing && s.firstSeq.Load() != 0 && s.packable() {
				db.head.pack(s)
			}
			return nil
		})
	}
}

// TestMoreActiveThanFit appends to metrics in turn that are more than have room in memory: some are packed, memory stays bounded, no tail of a few
// samples becomes a block, and all samples are there, also after a crash. What a sample costs then is bench/growth's to tell.
func TestMoreActiveThanFit(t *testing.T) {
	const metrics, cycles, batch = 12_000, 20, 1000
	fs := vfs.NewCrashableMem()
	o := &Options{FS: fs, MemoryBytes: 8 << 20}
	db, err := Open("db", o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	refs := make([]Ref, metrics)
	err = db.Update(t.Context(), func(tx *Tx) error {
		p := ArchivePolicy{Name: "p", Definition: []Granularity{{Width: 5 * time.Minute}}, Methods: []rollup.Method{rollup.Mean}, Raw: RawForever}
		if err := tx.CreateArchivePolicy(p); err != nil {
			return err
		}
		for i := range refs {
			m, err := tx.CreateMetric(Metric{Policy: "p"})
			if err != nil {
				return err
			}
			refs[i] = m.Ref
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(k int) int64 { return 1_700_000_100e9 + int64(k)*300e9 }
	value := func(i, k int) float64 { return float64(i%97*k) / 4 }
	most, packed := int64(0), 0
	for k := range cycles {
		var b Batch
		for i, ref := range refs {
			if b.Add(ref, at(k), value(i, k)); b.Len() == batch {
				if res, err := db.Append(t.Context(), &b); err != nil || res.Accepted != batch {
					t.Fatal(res, err)
				}
				b.Reset()
				most = max(most, db.head.bytes.Load())
			}
		}
		for _, ref := range refs {
			db.head.lockOne(ref)
			if db.head.packed(ref) != nil {
				packed++
			}
			db.head.unlockOne(ref)
		}
	}
	st, samples := db.Stats(), uint64(metrics*cycles)
	if need := int64(metrics * seriesBytes); need < db.headBudget() {
		t.Fatalf("%d series fit: they take %d bytes", metrics, need)
	}
	t.Logf("%d seals, %d blocks for %d samples; at most %d bytes of series, %d may be; %d times a series was packed when a cycle ended", st.Seals,
		st.Blocks, samples, most, db.headBudget(), packed)
	if packed == 0 {
		t.Error("no series is packed")
	}
	if most := 2 * samples / leastRows; st.Blocks > most { // raw samples and means
		t.Errorf("%d blocks were written for %d samples, at most %d are worth it", st.Blocks, samples, most)
	}
	if most > 2*db.headBudget() {
		t.Errorf("series took %d bytes, %d is what they may", most, db.headBudget())
	}
	look := func() {
		t.Helper()
		v, err := db.View(refs...)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		for i := 0; i < metrics; i += 7 {
			ts, vs, err := v.Raw(context.Background(), refs[i], 0, math.MaxInt64, nil, nil)
			if err != nil || len(ts) != cycles {
				t.Fatalf("metric %d has %d samples, want %d: %v", i, len(ts), cycles, err)
			}
			for k := range ts {
				if ts[k] != at(k) || vs[k] != value(i, k) {
					t.Fatalf("metric %d, sample %d: %d %v, want %d %v", i, k, ts[k], vs[k], at(k), value(i, k))
				}
			}
		}
	}
	look()
	left := fs.CrashClone(vfs.CrashCloneCfg{})
	for _, o.FS = range []vfs.FS{fs, left} {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if db, err = Open("db", o); err != nil {
			t.Fatal(err)
		}
		look()
	}
}

// TestPackedSeries asks and changes packed series in all the ways that have one looked up.
func TestPackedSeries(t *testing.T) {
	db, ms := reviewDB(t, ArchivePolicy{Methods: []rollup.Method{rollup.Mean}, Raw: RawForever, BackWindow: 2,
		Definition: []Granularity{{Width: time.Minute}}}, 2)
	appendEvery(t, db, ms[0], 0, 600e9, 5e9)
	if err := db.checkpoint(sealCut); err != nil {
		t.Fatal(err)
	}
	appendEvery(t, db, ms[0], 600e9, 700e9, 5e9)
	appendEvery(t, db, ms[1], 60e9, 90e9, 5e9)
	packed := func() {
		t.Helper()
		db.packAll()
		for _, m := range ms {
			if db.head.get(m.Ref) != nil || db.head.packed(m.Ref) == nil {
				t.Fatalf("metric %d is not packed", m.Ref)
			}
		}
	}
	packed()
	was := db.head.look(ms[0].Ref)
	if n := countPoints(t, db, ms[0], time.Minute); n != 12 {
		t.Errorf("%d points, want 12", n)
	}
	times, err := db.NewestTimes(t.Context(), []Ref{ms[0].Ref, ms[1].Ref}, nil)
	if err != nil || times[0] != 695e9 || times[1] != 85e9 {
		t.Errorf("newest times %v, %v", times, err)
	}
	if oldest, err := db.findOldest(t.Context()); err != nil || oldest != 0 {
		t.Errorf("oldest sample %d, %v", oldest, err)
	}
	packed() // none of these unpacked one
	if s := db.head.look(ms[0].Ref); !reflect.DeepEqual(s.tail, was.tail) || s.firstSeq.Load() != was.firstSeq.Load() {
		t.Errorf("packed series changed: %+v, was %+v", s, was)
	}
	var b Batch
	b.Add(ms[0].Ref, 695e9, 5) // again
	b.Add(ms[0].Ref, 650e9, 5)
	b.Add(ms[0].Ref, 1e9, 5)
	if res, err := db.Append(t.Context(), &b); err != nil || res.Late != 1 || res.Duplicate != 2 {
		t.Errorf("%+v, %v", res, err)
	}
	packed()
	err = db.Update(t.Context(), func(tx *Tx) error { return tx.DeleteMetric(ms[1].ID) })
	if err != nil || db.head.holds(ms[1].Ref) {
		t.Errorf("deleted metric: %v, in memory %v", err, db.head.holds(ms[1].Ref))
	}
	if seq := db.head.dirtySince(ms[0].Ref); seq == 0 || db.head.queue.oldest(&db.head) != seq {
		t.Errorf("oldest dirty is not that of the packed series, %d", seq)
	}
	if err := db.checkpoint(sealCut); err != nil {
		t.Fatal(err)
	}
	if seq := db.head.queue.oldest(&db.head); seq != 0 {
		t.Errorf("log record %d is needed after a checkpoint", seq)
	}
	if n := countPoints(t, db, ms[0], time.Minute); n != 12 {
		t.Errorf("%d points, want 12", n)
	}
	db.head.remove(db.head.get(ms[0].Ref))
	if n, series := db.head.bytes.Load(), db.head.count.Load(); n != 0 || series != 0 {
		t.Errorf("%d bytes of %d series in an empty head", n, series)
	}
}
