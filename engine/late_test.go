package engine

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/rollup"
)

// TestKeepAll sends samples late, doubled and in disorder, and compares raw samples with all that was sent and aggregates with those of all
// computed afresh, wherever the samples are by then.
func TestKeepAll(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	methods := []rollup.Method{rollup.Mean, rollup.Count, rollup.Std, rollup.Last}
	for i, p := range []ArchivePolicy{
		{Definition: []Granularity{{Width: time.Second}, {Width: time.Minute}, {Width: time.Hour}}, Methods: methods},
		{Definition: []Granularity{{Width: 10 * time.Second}, {Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean, rollup.Mean.OfRate()}},
		{Definition: []Granularity{{Width: 7 * time.Second}, {Width: time.Minute}}, Methods: methods},
		{Definition: []Granularity{{Width: 7 * time.Second}, {Width: time.Minute}}, Methods: append(rollup.CounterMethods(), rollup.Mean)},
		{Definition: []Granularity{{Width: 10 * time.Second}, {Width: 25 * time.Second}, {Width: time.Minute}}, Methods: []rollup.Method{rollup.Sum, rollup.Sum.OfRate()}, BackWindow: 3},
	} {
		for run := range uint64(3) {
			r := rand.New(rand.NewPCG(seed, uint64(i)<<8|run))
			p.Raw, p.KeepAll = RawForever, true
			s := newSampled(t, 2, p)
			keepAllRun(s, r)
			s.checkFiles()
			s.compareGroups()
		}
	}
}

func keepAllRun(s *sampled, r *rand.Rand) {
	c := s.contexts(Context{Source: "a"}, Context{Source: "b"})
	now := int64(1_700_000_000e9)
	from := now
	for range 40 {
		b := Batch{WantSeqs: r.IntN(4) > 0}
		for _, ref := range s.refs {
			step := []int64{1e9, 1e9, 10e9, 3e8}[r.IntN(4)]
			at := now
			if r.IntN(3) == 0 { // late, also before everything
				at = from - 4000e9 + r.Int64N(now-from+4001e9)
			}
			for range 1 + r.IntN(60) {
				x := oneSample{ref: ref, t: at, v: float64(r.IntN(100))}
				if r.IntN(3) > 0 {
					x.context = c[r.IntN(2)]
					x.arrival = x.t + r.Int64N(5e9)
				}
				s.add(&b, x)
				if r.IntN(8) > 0 {
					at += step
				}
			}
		}
		now += r.Int64N(400e9)
		if r.IntN(6) == 0 {
			now += r.Int64N(100000e9)
		}
		if res := s.append(&b); res.Late != 0 || res.Duplicate != 0 {
			s.t.Fatalf("%+v", res)
		}
		switch r.IntN(10) {
		case 0:
			s.reopen(false)
		case 1:
			s.reopen(true)
		case 2:
			if err := s.db.Compact(context.Background()); err != nil {
				s.t.Fatal(err)
			}
		case 3, 4:
			if err := s.db.checkpoint(sealCut); err != nil {
				s.t.Fatal(err)
			}
		case 7:
			s.db.packAll()
		case 5, 6:
			s.check(0, math.MaxInt64, nil)
			s.compareGroups()
		}
	}
	s.check(0, math.MaxInt64, nil)
	s.compareGroups()
}

// compareGroups compares all aggregates with those of all samples.
func (s *sampled) compareGroups() {
	s.t.Helper()
	v, err := s.db.View(s.refs...)
	if err != nil {
		s.t.Fatal(err)
	}
	defer v.Close()
	for _, ref := range s.refs {
		vs, err := v.find(ref)
		if err != nil {
			s.t.Fatal(err)
		}
		var ts []int64
		var values []float64
		for _, x := range s.want[ref] {
			ts, values = append(ts, x.t), append(values, x.v)
		}
		ts, values = lastOfEqual(ts, values)
		pl := vs.plan
		var g grouper
		for wi, w := range pl.widths {
			starts, cols := g.compute(pl, wi, samples{ts, values, sampleState{t: noTime}}, math.MinInt64, math.MaxInt64, nil, pl.methods)
			all := newGroupRows(len(cols))
			all.add(starts, cols, 0, len(starts))
			got, err := v.Measures(context.Background(), ref, time.Duration(w), pl.methods, 0, math.MaxInt64)
			if err != nil {
				s.t.Fatal(err)
			}
			for c, m := range pl.methods {
				var wt []int64
				var wv []float64
				for i := range starts {
					if all.has[c][i] {
						wt, wv = append(wt, starts[i]), append(wv, all.values[c][i])
					}
				}
				if !slices.Equal(got[c].Times, wt) || !slices.Equal(got[c].Values, wv) {
					for i := range max(len(wt), len(got[c].Times)) {
						if i >= len(wt) || i >= len(got[c].Times) || wt[i] != got[c].Times[i] || wv[i] != got[c].Values[i] {
							s.t.Logf("first difference at %d: got %v, want %v", i, got[c].Times[i:min(i+3, len(got[c].Times))], wt[i:min(i+3, len(wt))])
							break
						}
					}
					s.t.Fatalf("metric %d %v of %v: %d points, want %d (sealed %d)", ref, m, time.Duration(w), len(got[c].Times), len(wt), vs.sealed)
				}
			}
		}
	}
}

// TestTakenFrom: a late sample is taken if all samples of its groups are kept.
func TestTakenFrom(t *testing.T) {
	p := ArchivePolicy{Name: "p", Definition: []Granularity{{Width: time.Minute}, {Width: time.Hour}}, Methods: []rollup.Method{rollup.Mean}, Raw: 3 * time.Hour, KeepAll: true}
	pl := newPlan(&p)
	for _, tc := range []struct{ maxT, want int64 }{
		{10 * 3600e9, 8 * 3600e9},
		{11*3600e9 - 1, 8 * 3600e9},
		{12*3600e9 - 2, 9 * 3600e9},
	} {
		if got := pl.takenFrom(tc.maxT); got != tc.want {
			t.Errorf("newest %d: from %d, want %d", tc.maxT, got, tc.want)
		}
	}
}

// TestLateWriters makes views while late samples come without end: each batch is seen whole, and views come to an end.
func TestLateWriters(t *testing.T) {
	s := newSampled(t, 3, ArchivePolicy{Definition: []Granularity{{Width: time.Second}, {Width: time.Minute}}, Methods: []rollup.Method{rollup.Count}, Raw: RawForever, KeepAll: true})
	const base = 1_700_000_000e9
	var first Batch
	for _, ref := range s.refs {
		for i := range int64(3000) {
			first.Add(ref, base+i*1e9, 0)
		}
	}
	s.append(&first)
	if err := s.db.checkpoint(sealCut); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for n := int64(0); ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				var b Batch
				at := base + r.Int64N(2900e9)
				for _, ref := range s.refs { // one for each, so that counts are equal
					b.Add(ref, at, float64(n))
				}
				if _, err := s.db.Append(context.Background(), &b); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 60 {
		v, err := s.db.View(s.refs...)
		if err != nil {
			t.Fatal(err)
		}
		n := -1
		for _, ref := range s.refs {
			ts, _, err := v.Raw(context.Background(), ref, 0, math.MaxInt64, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if n >= 0 && len(ts) != n {
				t.Fatalf("metric %d has %d samples, the one before %d", ref, len(ts), n)
			}
			n = len(ts)
		}
		v.Close()
	}
	close(stop)
	writers.Wait()
	s.checkFiles()
}
