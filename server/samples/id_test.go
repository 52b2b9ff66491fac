package samples

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/telemetrydb/tsdb/engine"
)

// TestMessageIDs sends a batch twice, with and without keeping message ids.
func TestMessageIDs(t *testing.T) {
	for _, keep := range []bool{false, true} {
		db := openDB(t)
		s, ctx := New(db, &Options{KeepMessageIDs: keep}), context.Background()
		in := []Sample{oneSample(), oneSample(), oneSample(), oneSample()}
		in[0].MessageID, in[0].Volume = "58d3e2a0-0b5e-11f0-8000-fa163e000001", 1
		in[1].MessageID, in[1].Volume = "something else", 2
		in[2].Volume = 3
		in[3].MessageID, in[3].Volume = in[0].MessageID, 1 // again
		want := []float64{1, 2, 3, 3}
		if !keep {
			want = []float64{1, 1, 1, 1, 2, 2, 3, 3}
		}
		for range 2 {
			ids, err := s.Write(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for i, id := range ids {
				if keep && in[i].MessageID != "" && id != in[i].MessageID {
					t.Errorf("sample %d got the id %s", i, id)
				}
				got, err := s.Sample(ctx, id)
				if err != nil || got.Values[0] != in[i].Volume {
					t.Errorf("sample %d by its id %s: %+v, %v", i, id, got, err)
				}
			}
		}
		m, err := db.ResourceMetric(s.ResourceUUID("vm-1"), "cpu_util")
		if err != nil {
			t.Fatal(err)
		}
		v, err := db.View(m.Ref)
		if err != nil {
			t.Fatal(err)
		}
		r := v.Samples(ctx, m.Ref, 0, math.MaxInt64, engine.SampleQuery{})
		var values []float64
		for r.Next() {
			c := r.Columns()
			for i := range c.Times {
				id, err := db.MessageID(m.Ref, c.Times[i], c.Seqs[i])
				if err != nil || (id != "") != (keep && c.Values[i] < 3) {
					t.Errorf("%g has the message id %q, %v", c.Values[i], id, err)
				}
			}
			values = append(values, c.Values...)
		}
		v.Close()
		if slices.Sort(values); r.Err() != nil || !slices.Equal(values, want) {
			t.Errorf("keep %v: %v, want %v (%v)", keep, values, want, r.Err())
		}
		if _, err := s.Sample(ctx, "nobody"); !errors.Is(err, engine.ErrNotFound) {
			t.Error(err)
		}
	}
}
