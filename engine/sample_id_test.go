package engine

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/rollup"
)

func TestSampleIDs(t *testing.T) {
	s := newSampled(t, 2, ArchivePolicy{Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}, Raw: RawForever, KeepAll: true})
	ids, err := s.db.SampleIDs()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[UUID]bool{}
	for i := range 5000 {
		m, at, seq := Ref(r.Uint32()), r.Int64N(maxSampleTime), r.Uint32N(1<<16)
		switch i {
		case 0:
			m, at, seq = 0, 0, 0
		case 1:
			m, at, seq = math.MaxUint32, maxSampleTime-1, 1<<16-1
		}
		id := ids.Make(m, at, seq)
		if gm, gt, gs, ok := ids.Parse(id); !ok || gm != m || gt != at || gs != seq || seen[id] {
			t.Fatalf("%d %d %d became %v: %d %d %d %v", m, at, seq, id, gm, gt, gs, ok)
		}
		if again, err := ParseUUID(id.String()); err != nil || again != id || id.String()[14] != '4' {
			t.Fatalf("%v is no random UUID: %v", id, err)
		}
		seen[id] = true
	}
	strange := 0
	for range 20000 {
		if _, _, _, ok := ids.Parse(NewUUID()); ok {
			strange++
		}
	}
	if strange > 40 {
		t.Errorf("%d of 20000 foreign ids are taken for samples", strange)
	}

	var b Batch
	c := s.contexts(Context{Source: "x"})[0]
	for i, v := range []float64{1, 2, 3} {
		s.add(&b, oneSample{ref: s.refs[0], t: 1e18, v: v, context: c, arrival: 1e18 + int64(i)*5e6})
	}
	s.append(&b)
	second := ids.Make(s.refs[0], 1e18, 1)
	for _, crash := range []bool{false, true} {
		got, err := s.db.SampleByID(context.Background(), second)
		if err != nil || got.Values[0] != 2 || got.Contexts[0] != c || got.Arrivals[0] != 1e18+5e6 || got.Metrics[0] != s.refs[0] {
			t.Fatalf("%+v %v", got, err)
		}
		s.reopen(crash)
	}
	for _, id := range []UUID{ids.Make(s.refs[0], 1e18, 3), ids.Make(s.refs[0], 1e18+1, 0), ids.Make(s.refs[1], 1e18, 0), ids.Make(999, 1e18, 0), NewUUID()} {
		if _, err := s.db.SampleByID(context.Background(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%v: %v", id, err)
		}
	}
	s.checkFiles()
}

func TestSeqs(t *testing.T) {
	s := newSampled(t, 1, ArchivePolicy{Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}, Raw: time.Hour, KeepAll: true})
	b := Batch{WantSeqs: true}
	for _, tc := range []struct {
		t    int64
		want uint32
	}{{1e18, 0}, {1e18, 1}, {1e18 + 5, 0}, {1e18, 2}, {1e18 - 1, 0}, {1e18 + 7200e9, 0}, {1e18, NoSeq}} {
		b.Reset()
		b.Add(s.refs[0], tc.t, 1)
		b.Add(s.refs[0], tc.t+8000e9, 1)
		if tc.want != NoSeq {
			b.rows = b.rows[:1]
		}
		s.append(&b)
		if b.Seqs[0] != tc.want || len(b.Seqs) != b.Len() {
			t.Errorf("%d: %v, want %d", tc.t, b.Seqs, tc.want)
		}
	}
}

func TestOldestSample(t *testing.T) {
	s := newSampled(t, 2, ArchivePolicy{Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}, Raw: 48 * time.Hour, KeepAll: true})
	check := func(want int64) {
		t.Helper()
		got, ok, err := s.db.OldestSample(context.Background())
		if err != nil || ok != (want >= 0) || ok && got != want {
			t.Fatalf("got %d %v %v, want %d", got, ok, err, want)
		}
	}
	const day = int64(24 * time.Hour)
	put := func(m int, at int64) {
		var b Batch
		b.Add(s.refs[m], at, 1)
		s.append(&b)
	}
	check(-1)
	put(0, 1000*day+5)
	check(1000*day + 5)
	put(1, 1000*day+7)
	put(1, 1000*day+3) // late
	check(1000*day + 3)
	s.reopen(true)
	check(1000*day + 3)
	put(0, 1001*day)
	put(0, 1010*day)
	put(1, 1010*day+1)
	if err := s.db.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Expire(); err != nil {
		t.Fatal(err)
	}
	check(1010 * day)
	s.reopen(false)
	check(1010 * day)
}
