package engine

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// TestResample compares Resample, over blocks and tail, with a group taken sample by sample.
func TestResample(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	db, err := Open("db", &Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	policy := ArchivePolicy{Name: "p", Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}, Raw: RawForever}
	var m Metric
	err = db.Update(t.Context(), func(tx *Tx) error {
		if err := tx.CreateArchivePolicy(policy); err != nil {
			return err
		}
		m, err = tx.CreateMetric(Metric{Policy: "p"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.View(m.Ref)
	if err != nil {
		t.Fatal(err)
	}
	if ts, vs, err := v.Resample(t.Context(), m.Ref, time.Second, rollup.Mean, 0, math.MaxInt64, nil, nil); err != nil || len(ts)+len(vs) > 0 {
		t.Errorf("no samples: got %v %v %v", ts, vs, err)
	}
	v.Close()
	var ts []int64
	var vs []float64
	at := int64(1.5e18)
	for range 4 {
		var b Batch
		for range 3000 {
			if at += 1e9; r.IntN(20) == 0 {
				at += r.Int64N(400e9)
			}
			ts, vs = append(ts, at), append(vs, math.Round(r.NormFloat64()*1e4)/100)
			b.Add(m.Ref, at, vs[len(vs)-1])
		}
		if _, err := db.Append(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	if v, err = db.View(m.Ref); err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for range 200 {
		i := r.IntN(len(ts))
		from, to := ts[i]-r.Int64N(2e9), ts[i+r.IntN(len(ts)-i)]+r.Int64N(2e9)
		width := time.Duration(1 + r.Int64N(int64(time.Hour)>>r.IntN(20)))
		method := []rollup.Method{rollup.Mean, rollup.Std, rollup.Count, rollup.Last, rollup.Pct(90), rollup.Mean.OfRate(), rollup.Std.OfRate()}[r.IntN(7)]
		gt, gv, err := v.Resample(t.Context(), m.Ref, width, method, from, to, []int64{7}, []float64{8})
		if err != nil || gt[0] != 7 || gv[0] != 8 {
			t.Fatal(gt, gv, err)
		}
		wt, wv := resampleSlowly(ts, vs, width, method, from, to)
		if !slices.Equal(gt[1:], wt) || !slices.Equal(gv[1:], wv) {
			t.Fatalf("%v of %v from %d to %d: got %v %v, want %v %v", method, width, from, to, gt[1:], gv[1:], wt, wv)
		}
	}
	for _, width := range []time.Duration{0, -1} {
		if _, _, err := v.Resample(t.Context(), m.Ref, width, rollup.Mean, 0, 1, nil, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("width %v: got %v", width, err)
		}
	}
	if _, _, err := v.Resample(t.Context(), m.Ref, 1, 0, 0, 1, nil, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("no method: got %v", err)
	}
	if _, _, err := v.Resample(t.Context(), m.Ref+1, 1, rollup.Mean, 0, 1, nil, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("no metric: got %v", err)
	}
}

// resampleSlowly aggregates one group after the other.
func resampleSlowly(ts []int64, vs []float64, width time.Duration, method rollup.Method, from, to int64) (starts []int64, points []float64) {
	groups := map[int64][]float64{}
	prev := math.NaN()
	for i, t := range ts {
		if t < from || t >= to {
			continue
		}
		start, v := t/int64(width)*int64(width), vs[i]
		if len(starts) == 0 || starts[len(starts)-1] != start {
			starts = append(starts, start)
		}
		if !method.Rate() {
			groups[start] = append(groups[start], v)
		} else if prev == prev {
			groups[start] = append(groups[start], v-prev)
		}
		prev = v
	}
	var agg rollup.Aggregator
	starts = slices.DeleteFunc(starts, func(start int64) bool {
		group := groups[start]
		n := len(points)
		points, _ = agg.Append(points, method, []int32{0, int32(len(group))}, group)
		return len(points) == n
	})
	return starts, points
}
