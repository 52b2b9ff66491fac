package engine

import (
	"sync"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/rollup"
)

// TestWindowOfPackedSeries changes a back window while packed series are sealed and looked up.
func TestWindowOfPackedSeries(t *testing.T) {
	db, ms := reviewDB(t, ArchivePolicy{Methods: []rollup.Method{rollup.Mean}, BackWindow: 1,
		Definition: []Granularity{{Width: time.Minute}}}, 100)
	done := make(chan struct{})
	var beside sync.WaitGroup
	defer beside.Wait()
	defer close(done)
	again := func(fn func(at int64)) {
		beside.Go(func() {
			for at := int64(60e9); ; at += 5e9 {
				select {
				case <-done:
					return
				default:
					fn(at)
				}
			}
		})
	}
	refs := make([]Ref, len(ms))
	for i, m := range ms {
		refs[i] = m.Ref
	}
	again(func(at int64) {
		var b Batch
		for _, m := range ms {
			b.Add(m.Ref, at, 1)
		}
		if _, err := db.Append(t.Context(), &b); err != nil {
			t.Error(err)
		}
		db.packAll()
		times, err := db.NewestTimes(t.Context(), refs, nil)
		if err != nil {
			t.Error(err)
		}
		for _, newest := range times {
			if newest != at {
				t.Errorf("newest sample at %d, want %d", newest, at)
				break
			}
		}
	})
	again(func(int64) {
		for _, m := range ms {
			if err := db.seal(m.Ref, sealNothing); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 40 {
		window := 1 + i%2
		if err := db.Update(t.Context(), func(tx *Tx) error {
			_, err := tx.UpdateArchivePolicy("p", []Granularity{{Width: time.Minute}}, &window)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMemoryOfLateSamples has late samples placed in a tail, and holds what the head is said to take to what its series take.
func TestMemoryOfLateSamples(t *testing.T) {
	db, ms := reviewDB(t, ArchivePolicy{Methods: []rollup.Method{rollup.Mean}, Raw: RawForever, KeepAll: true,
		Definition: []Granularity{{Width: time.Minute}, {Width: 90 * time.Second}}}, 1)
	appendEvery(t, db, ms[0], 0, 505e9, 5e9)
	if err := db.seal(ms[0].Ref, sealCut); err != nil {
		t.Fatal(err)
	}
	for at := int64(421e9); at < 440e9; at += 2e9 { // groups of 90 s are sealed up to 450, those of 60 s up to 420
		appendEvery(t, db, ms[0], at, at+1, 1)
		countPoints(t, db, ms[0], time.Minute)
		if got, want := db.head.bytes.Load(), db.head.get(ms[0].Ref).memBytes(); got != want {
			t.Fatalf("%d bytes in the head, its series takes %d", got, want)
		}
	}
}
