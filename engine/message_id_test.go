package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/telemetrydb/tsdb/rollup"
)

// nameModel is samples, some of them named, as they should be.
type nameModel struct {
	*sampled
	r     *rand.Rand
	names map[Ref]map[int64][]string // by instant, in the order of arrival
	sent  []namedSample
}

type namedSample struct {
	ref  Ref
	t    int64
	name string
}

func TestMessageIDs(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &nameModel{r: rand.New(rand.NewPCG(seed, 0)), names: map[Ref]map[int64][]string{}}
	s.sampled = newSampled(t, 3, ArchivePolicy{Definition: []Granularity{{Width: time.Second}, {Width: time.Minute}},
		Methods: []rollup.Method{rollup.Mean}, Raw: RawForever, KeepAll: true})
	now := int64(1_700_000_000e9)
	for round := range 60 {
		s.batch(now, round%7 == 6)
		now += s.r.Int64N(100e9)
		switch s.r.IntN(10) {
		case 0:
			s.reopen(false)
		case 1:
			s.reopen(true)
		case 2:
			if err := s.db.checkpoint(sealCut); err != nil {
				t.Fatal(err)
			}
		case 3:
			if err := s.db.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if round%10 == 9 {
			s.compareNames()
		}
	}
	s.compareNames()
	s.checkFiles()
}

// batch sends samples: some late, some of one instant, some a second time.
func (s *nameModel) batch(now int64, again bool) {
	b := Batch{WantSeqs: true}
	var want []uint32
	twice := 0
	send := func(x namedSample) {
		b.AddNamedSample(x.ref, x.t, 1, 0, x.t, x.name)
		at := s.names[x.ref]
		if at == nil {
			at = map[int64][]string{}
			s.names[x.ref] = at
		}
		if i := slices.Index(at[x.t], x.name); i >= 0 && x.name != "" {
			want = append(want, uint32(i))
			twice++
			return
		}
		want = append(want, uint32(len(at[x.t])))
		at[x.t] = append(at[x.t], x.name)
		s.sent = append(s.sent, x)
	}
	for again && b.Len() < 5 { // nothing but what was sent before
		if x := s.sent[s.r.IntN(len(s.sent))]; x.name != "" {
			send(x)
		}
	}
	for range 1 + s.r.IntN(40) {
		if again {
			break
		}
		x := namedSample{ref: s.refs[s.r.IntN(3)], t: now + s.r.Int64N(10)*1e9}
		switch s.r.IntN(6) {
		case 0:
		case 1:
			x.name = fmt.Sprint("text ", s.r.IntN(1000))
		case 2:
			x.t -= s.r.Int64N(5000) * 1e9
			fallthrough
		default:
			x.name = UUID{0: byte(s.r.IntN(256)), 5: byte(s.r.IntN(256)), 15: 1}.String()
		}
		send(x)
		if s.r.IntN(4) == 0 {
			send(s.sent[s.r.IntN(len(s.sent))])
		}
	}
	res := s.append(&b)
	if !slices.Equal(b.Seqs, want) || res.Duplicate != twice || res.Accepted != len(want)-twice {
		s.t.Fatalf("seqs %v, want %v; %+v, want %d twice", b.Seqs, want, res, twice)
	}
}

func (s *nameModel) compareNames() {
	s.t.Helper()
	v, err := s.db.View(s.refs...)
	if err != nil {
		s.t.Fatal(err)
	}
	defer v.Close()
	for _, ref := range s.refs {
		n := 0
		r := v.Samples(context.Background(), ref, 0, math.MaxInt64, SampleQuery{})
		for r.Next() {
			c := r.Columns()
			for i, at := range c.Times {
				want := s.names[ref][at]
				got, err := s.db.MessageID(ref, at, c.Seqs[i])
				if err != nil {
					s.t.Fatal(err)
				}
				if int(c.Seqs[i]) >= len(want) || got != want[c.Seqs[i]] {
					s.t.Fatalf("metric %d at %d: sample %d is called %q, want %q", ref, at, c.Seqs[i], got, want)
				}
				n++
			}
		}
		for _, names := range s.names[ref] {
			n -= len(names)
		}
		if r.Err() != nil || n != 0 {
			s.t.Fatalf("metric %d has %d samples too many: %v", ref, n, r.Err())
		}
	}
	for range 50 {
		x := s.sent[s.r.IntN(len(s.sent))]
		if x.name == "" {
			continue
		}
		got, err := s.db.SampleByMessageID(context.Background(), x.name)
		if err != nil {
			s.t.Fatal(err)
		}
		if names := s.names[got.Metrics[0]][got.Times[0]]; names[got.Seqs[0]] != x.name {
			s.t.Fatalf("%q is %+v, called %q", x.name, got, names)
		}
	}
	if _, err := s.db.SampleByMessageID(context.Background(), "nobody"); !errors.Is(err, ErrNotFound) {
		s.t.Fatal(err)
	}
}

// countKeys counts the keys that begin with a byte.
func countKeys(t *testing.T, db *DB, kind byte) (n int) {
	t.Helper()
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{kind}, UpperBound: []byte{kind + 1}})
	if err != nil {
		t.Fatal(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestMessageIDsGo has samples go with retention and with their metric, and looks for what is left of their names.
func TestMessageIDsGo(t *testing.T) {
	s := newSampled(t, 3, ArchivePolicy{Definition: []Granularity{{Width: time.Second}}, Methods: []rollup.Method{rollup.Mean},
		Raw: 48 * time.Hour, KeepAll: true})
	const day = int64(24 * time.Hour)
	send := func(m int, t int64, name string) {
		var b Batch
		b.AddNamedSample(s.refs[m], t, 1, 0, t, name)
		s.append(&b)
	}
	for d := range int64(10) {
		for m := range 2 {
			for k := range int64(5) {
				send(m, (1000+d)*day+k, fmt.Sprintf("n%d%d%d", m, d, k))
			}
		}
	}
	send(2, 1000*day, "stopped")
	if err := s.db.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n, m := countKeys(t, s.db, keyNames), countKeys(t, s.db, keyMessageID); n != 101 || m != 101 {
		t.Fatalf("%d and %d names", n, m)
	}
	if err := s.db.Expire(); err != nil {
		t.Fatal(err)
	}
	if n, m := countKeys(t, s.db, keyNames), countKeys(t, s.db, keyMessageID); n != 31 || m != 31 {
		t.Errorf("%d and %d names, want those of three days and of what has stopped", n, m)
	}
	send(0, 1000*day, "n000") // too old to be taken, so it gets no name
	if _, err := s.db.SampleByMessageID(context.Background(), "n000"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	m, err := s.db.MetricByRef(s.refs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.Update(context.Background(), func(tx *Tx) error { return tx.DeleteMetric(m.ID) }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.SampleByMessageID(context.Background(), "n094"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if got, err := s.db.SampleByMessageID(context.Background(), "n194"); err != nil || got.Times[0] != 1009*day+4 {
		t.Error(got, err)
	}
	if err := s.db.purge(); err != nil {
		t.Fatal(err)
	}
	if n, m := countKeys(t, s.db, keyNames), countKeys(t, s.db, keyMessageID); n != 16 || m != 16 {
		t.Errorf("%d and %d names", n, m)
	}
	s.checkFiles()
}

// FuzzDecodeNames decodes anything behind a right checksum: what is taken comes out again.
func FuzzDecodeNames(f *testing.F) {
	for _, names := range [][]string{nil, {""}, {"a", "", UUID{1}.String(), "A"}} {
		rec := appendNames(nil, names)
		f.Add(rec[1 : len(rec)-4])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		names, err := decodeNames(endRecord(append(beginRecord(nil), body...), 0))
		if err != nil {
			return
		}
		again, err := decodeNames(appendNames(nil, names))
		if err != nil || !slices.Equal(again, names) {
			t.Fatalf("%q became %q, %v", names, again, err)
		}
	})
}

// TestMessageIDsTogether has many writers of the same named samples: each is stored once.
func TestMessageIDsTogether(t *testing.T) {
	s := newSampled(t, 2, ArchivePolicy{Definition: []Granularity{{Width: time.Second}}, Methods: []rollup.Method{rollup.Mean},
		Raw: RawForever, KeepAll: true})
	var stored atomic.Int64
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for i := range 40 {
				b := Batch{WantSeqs: true}
				for k := range 5 {
					b.AddNamedSample(s.refs[k%2], 1e18+int64(i-i%3)*1e9, float64(i), 0, 0, fmt.Sprint("n", i, " ", k))
				}
				res, err := s.db.Append(context.Background(), &b)
				if err != nil || res.Accepted+res.Duplicate != 5 {
					t.Errorf("%+v, %v", res, err)
				}
				stored.Add(int64(res.Accepted))
				for k, seq := range b.Seqs {
					name, err := s.db.MessageID(s.refs[k%2], 1e18+int64(i-i%3)*1e9, seq)
					if want := fmt.Sprint("n", i, " ", k); err != nil || name != want {
						t.Errorf("%q, want %q, %v", name, want, err)
					}
				}
				if i%10 == 9 {
					if err := s.db.checkpoint(sealCut); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := stored.Load(); n != 200 {
		t.Errorf("%d samples are stored, want 200", n)
	}
	s.checkFiles()
}
