package engine

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// TestRecode encodes old partitions anew and reads the same samples and aggregates before and after.
func TestRecode(t *testing.T) {
	db, err := Open("db", &Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	p := ArchivePolicy{Name: "p", Raw: RawForever, Definition: []Granularity{{Width: time.Minute}},
		Methods: []rollup.Method{rollup.Mean, rollup.Std}}
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
	r := rand.New(rand.NewPCG(1, 2))
	var b Batch
	at := int64(1_700_000_000e9)
	week := make([]float64, 700) // what repeats over more rows than a dictionary holds only a compressor finds
	for i := range week {
		week[i] = float64(r.IntN(1 << 20))
	}
	for i := range 60_000 { // 28 days: five partitions of a minute's width
		at += 40e9
		b.Add(m.Ref, at, week[i%len(week)])
		if b.Len() == 500 {
			if _, err := db.Append(ctx, &b); err != nil {
				t.Fatal(err)
			}
			b.Reset()
		}
	}
	if err := db.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		ts    []int64
		vs    []float64
		means []Points
	}
	read := func() (a answer) {
		v, err := db.View(m.Ref)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		if a.ts, a.vs, err = v.Raw(ctx, m.Ref, 0, math.MaxInt64, nil, nil); err != nil {
			t.Fatal(err)
		}
		if a.means, err = v.Measures(ctx, m.Ref, time.Minute, p.Methods, 0, math.MaxInt64); err != nil {
			t.Fatal(err)
		}
		return a
	}
	before := read()
	for range 3 {
		if err := db.recode(); err != nil {
			t.Fatal(err)
		}
	}
	if db.Stats().Recoded == 0 {
		t.Error("no block was encoded anew")
	}
	after := read()
	if !slices.Equal(before.ts, after.ts) || !slices.Equal(before.vs, after.vs) {
		t.Error("raw samples differ")
	}
	for i := range before.means {
		if !slices.Equal(before.means[i].Times, after.means[i].Times) || !slices.Equal(before.means[i].Values, after.means[i].Values) {
			t.Errorf("points of %v differ", p.Methods[i])
		}
	}
	mark, err := db.coldMark(blockKey{kind: keyRaw, width: int64(time.Minute)})
	if err != nil || mark.partition == 0 {
		t.Errorf("mark %+v, %v: want a partition", mark, err)
	}
}
