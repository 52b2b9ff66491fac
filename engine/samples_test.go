package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// sampled is a database of metrics under one policy, and what its samples should be.
type sampled struct {
	t    *testing.T
	fs   *vfs.MemFS
	db   *DB
	refs []Ref
	want map[Ref][]oneSample // oldest first
	seqs []uint32            // of the samples of the batch that is being made
}

type oneSample struct {
	ref     Ref
	t       int64
	v       float64
	context ContextRef
	arrival int64
	seq     uint32
}

func newSampled(t *testing.T, metrics int, p ArchivePolicy) *sampled {
	s := &sampled{t: t, fs: vfs.NewCrashableMem(), want: map[Ref][]oneSample{}}
	s.open()
	t.Cleanup(func() { s.db.Close() })
	err := s.db.Update(context.Background(), func(tx *Tx) error {
		p.Name = "p"
		if err := tx.CreateArchivePolicy(p); err != nil {
			return err
		}
		for range metrics {
			m, err := tx.CreateMetric(Metric{Policy: "p"})
			if err != nil {
				return err
			}
			s.refs = append(s.refs, m.Ref)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *sampled) open() {
	var err error
	if s.db, err = Open("db", &Options{FS: s.fs, MemoryBytes: 8 << 20}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sampled) contexts(cs ...Context) []ContextRef {
	s.t.Helper()
	refs, err := s.db.InternContexts(context.Background(), cs)
	if err != nil {
		s.t.Fatal(err)
	}
	return refs
}

// add puts samples into a batch and into what is wanted, behind what has the same time.
func (s *sampled) add(b *Batch, x oneSample) {
	b.AddSample(x.ref, x.t, x.v, x.context, x.arrival)
	if x.arrival == 0 {
		x.arrival = x.t
	}
	x.arrival -= x.arrival % nanosPerMilli
	list := s.want[x.ref]
	i, _ := slices.BinarySearchFunc(list, x.t+1, func(y oneSample, t int64) int { return int(y.t - t) })
	for k := i - 1; k >= 0 && list[k].t == x.t; k-- {
		x.seq++
	}
	s.want[x.ref] = slices.Insert(list, i, x)
	s.seqs = append(s.seqs, x.seq)
}

func (s *sampled) append(b *Batch) AppendResult {
	s.t.Helper()
	res, err := s.db.Append(context.Background(), b)
	if err != nil {
		s.t.Fatal(err)
	}
	if b.WantSeqs && s.seqs != nil && !slices.Equal(b.Seqs, s.seqs) {
		s.t.Fatalf("seqs %v, want %v", b.Seqs, s.seqs)
	}
	s.seqs = nil
	return res
}

// check compares what readers give, in both orders, whole and with limits, for one and for all metrics.
func (s *sampled) check(from, to int64, set *ContextSet) {
	s.t.Helper()
	v, err := s.db.View(s.refs...)
	if err != nil {
		s.t.Fatal(err)
	}
	defer v.Close()
	var all []oneSample
	for _, ref := range s.refs {
		var want []oneSample
		for _, x := range s.want[ref] {
			if x.t >= from && x.t < to && (set == nil || set.Has(x.context)) {
				want = append(want, x)
			}
		}
		all = append(all, want...)
		s.checkEnds(v, ref)
		for _, q := range []SampleQuery{{OldestFirst: true}, {}, {Limit: 3}, {Limit: 100}, {OldestFirst: true, Limit: 5}} {
			q.Contexts = set
			r := v.Samples(context.Background(), ref, from, to, q)
			var got []oneSample
			for r.Next() {
				got = appendSamples(got, r.Columns(), ref)
			}
			s.compare(fmt.Sprintf("metric %d %+v", ref, q), got, ordered(want, q), r.Err())
		}
	}
	for _, q := range []SampleQuery{{OldestFirst: true}, {}, {Limit: 7}, {Limit: 1000}} {
		q.Contexts = set
		r := v.MergeSamples(context.Background(), from, to, q)
		var got []oneSample
		for r.Next() {
			got = appendSamples(got, r.Columns(), 0)
		}
		s.compare(fmt.Sprintf("all %+v", q), got, ordered(all, q), r.Err())
	}
}

// checkEnds compares a metric's oldest and newest samples.
func (s *sampled) checkEnds(v *View, ref Ref) {
	s.t.Helper()
	list := s.want[ref]
	n, ok, err := v.NewestSample(context.Background(), ref)
	if err != nil || ok != (len(list) > 0) {
		s.t.Fatalf("newest: %+v, %v, %v", n, ok, err)
	}
	if !ok {
		return
	}
	last := list[len(list)-1]
	if want := (NewestSample{last.t, last.v, last.context, last.arrival}); n != want {
		s.t.Fatalf("newest: %+v, want %+v", n, want)
	}
	if t, ok, err := v.NewestTime(ref); t != last.t || !ok || err != nil {
		s.t.Fatalf("newest: %d, %v, %v, want %d", t, ok, err, last.t)
	}
	if ts, err := s.db.NewestTimes(context.Background(), []Ref{ref, 1 << 30, ref}, nil); err != nil || !slices.Equal(ts, []int64{last.t, NoSample, last.t}) {
		s.t.Fatalf("newest: %v, %v, want %d", ts, err, last.t)
	}
	if t, ok, err := v.OldestTime(ref); t != list[0].t || !ok || err != nil {
		s.t.Fatalf("oldest: %d, %v, %v, want %d", t, ok, err, list[0].t)
	}
}

func appendSamples(got []oneSample, c *Samples, ref Ref) []oneSample {
	for i, t := range c.Times {
		if c.Metrics != nil {
			ref = c.Metrics[i]
		}
		got = append(got, oneSample{ref, t, c.Values[i], c.Contexts[i], c.Arrivals[i], c.Seqs[i]})
	}
	return got
}

func ordered(want []oneSample, q SampleQuery) []oneSample {
	want = slices.Clone(want)
	slices.SortStableFunc(want, func(x, y oneSample) int {
		if x.t != y.t {
			if (x.t < y.t) == q.OldestFirst {
				return -1
			}
			return 1
		}
		if x.ref != y.ref {
			return int(x.ref) - int(y.ref)
		}
		if q.OldestFirst {
			return int(x.seq) - int(y.seq)
		}
		return int(y.seq) - int(x.seq)
	})
	if q.Limit > 0 && len(want) > q.Limit {
		want = want[:q.Limit]
	}
	return want
}

func (s *sampled) compare(what string, got, want []oneSample, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			s.t.Fatalf("%s: %d samples, want %d; sample %d:\n got %+v\nwant %+v", what, len(got), len(want), i,
				got[min(i, len(got)):min(i+3, len(got))], want[min(i, len(want)):min(i+3, len(want))])
		}
	}
}

func (s *sampled) reopen(crash bool) {
	s.t.Helper()
	if crash {
		fs := s.fs.CrashClone(vfs.CrashCloneCfg{})
		s.db.Close()
		s.fs = fs
	} else if err := s.db.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.open()
}

func (s *sampled) checkFiles() {
	s.t.Helper()
	if err := s.db.Close(); err != nil {
		s.t.Fatal(err)
	}
	if _, err := Check("db", &Options{FS: s.fs}, func(f Finding) { s.t.Errorf("%x: %v", f.Key, f.Err) }); err != nil {
		s.t.Fatal(err)
	}
	s.open()
}

func text(s string) *string { return &s }

// TestAnnotatedSamples writes samples with contexts and arrivals and reads them from tails, blocks, records and the log.
func TestAnnotatedSamples(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	s := newSampled(t, 3, ArchivePolicy{Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}, Raw: RawForever})
	var cs []ContextRef
	for i := range 5 {
		cs = append(cs, s.contexts(Context{Source: "s", Metadata: fmt.Appendf(nil, `{"n":%d}`, i)})...)
	}
	now := int64(1_700_000_000e9)
	from := now
	for round := range 40 {
		var b Batch
		for _, ref := range s.refs[:2+round%2] { // the third has plain samples at first
			for i := range int64(1 + r.IntN(200)) {
				x := oneSample{ref: ref, t: now + i*10e9 + r.Int64N(9e9), v: float64(r.IntN(100))}
				if ref != s.refs[2] || round > 10 {
					if x.context = cs[round/9]; r.IntN(30) == 0 {
						x.context = cs[r.IntN(5)]
					}
					x.arrival = x.t + r.Int64N(3e9) - 1e9
				}
				s.add(&b, x)
			}
		}
		now += 2000e9
		s.append(&b)
		switch r.IntN(12) {
		case 0:
			s.reopen(false)
		case 1:
			s.reopen(true)
		case 2:
			if err := s.db.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
		case 3:
			if err := s.db.checkpoint(sealCut); err != nil {
				t.Fatal(err)
			}
		case 4, 5:
			s.db.packAll()
		}
		if round%4 == 0 {
			s.check(0, now, nil)
			s.check(from+r.Int64N(now-from), now, nil)
			s.check(0, from+r.Int64N(now-from), NewContextSet(cs[0], cs[3]))
		}
	}
	if err := s.db.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.check(0, now, nil)
	s.check(0, now, NewContextSet(cs[2]))
	s.checkFiles()
	s.check(0, now, nil)
}

func TestContexts(t *testing.T) {
	s := newSampled(t, 3, ArchivePolicy{Definition: []Granularity{{Width: time.Minute}}, Methods: []rollup.Method{rollup.Mean}, Raw: RawForever})
	a := Context{UserID: text("u"), ProjectID: text("p1"), Source: "openstack", Unit: "%", Type: "gauge",
		Metadata: []byte(`{"b": {"c": 1.0, "d.e": true}, "a": ["x", 2, "x"], "n": null, "long": "<>"}`)}
	b := a
	b.Metadata = []byte(`{"a":["x",2,"x"],"b":{"d.e":true,"c":1.0},"long":"<>","n":null}`)
	c := a
	c.ProjectID, c.Metadata = nil, nil
	d := Context{ProjectID: text("p1"), Metadata: []byte(`{"b": {"c": "1"}}`)}
	refs := s.contexts(a, b, c, d)
	if refs[0] != refs[1] || refs[0] == refs[2] || refs[2] == refs[3] {
		t.Fatal(refs)
	}
	if again := s.contexts(d, b); again[0] != refs[3] || again[1] != refs[0] {
		t.Fatal(again)
	}
	_, err := s.db.InternContexts(context.Background(), []Context{{Metadata: []byte("[]")}})
	if err == nil {
		t.Error("a list is no metadata")
	}
	s.reopen(true)
	got, err := s.db.Context(refs[0])
	if err != nil || string(got.Metadata) != `{"a":["x",2,"x"],"b":{"c":1.0,"d.e":true},"long":"<>","n":null}` || *got.ProjectID != "p1" || got.Unit != "%" {
		t.Errorf("%+v %s %v", got, got.Metadata, err)
	}
	eq := func(field string, v index.Value) *index.Filter {
		return &index.Filter{Op: index.Eq, Field: field, Value: v}
	}
	for _, tc := range []struct {
		f    *index.Filter
		want []ContextRef
	}{
		{nil, []ContextRef{refs[0], refs[2], refs[3]}},
		{eq("project_id", textValue("p1")), []ContextRef{refs[0], refs[3]}},
		{eq("project_id", index.Value{}), []ContextRef{refs[2]}},
		{eq("metadata.b.c", MetadataValue(1.0)), []ContextRef{refs[0]}},
		{eq("metadata.b.c", MetadataValue("1")), []ContextRef{refs[3]}},
		{eq("metadata.b.d.e", MetadataValue(true)), []ContextRef{refs[0]}},
		{eq("metadata.a", MetadataValue("x")), []ContextRef{refs[0]}},
		{eq("metadata.a", MetadataValue(2.0)), []ContextRef{refs[0]}},
		{eq("metadata.n", index.Value{}), []ContextRef{refs[0], refs[2], refs[3]}},
		{eq("type", textValue("delta")), nil},
	} {
		set, err := s.db.FindContexts(context.Background(), tc.f)
		if err != nil || !slices.Equal(slices.Collect(set.All()), tc.want) {
			t.Errorf("%+v: %v, want %v (%v)", tc.f, slices.Collect(set.All()), tc.want, err)
		}
	}
	var batch Batch
	batch.AddSample(s.refs[0], 1e18, 1, refs[0], 0)
	batch.AddSample(s.refs[1], 1e18, 1, refs[2], 0)
	batch.AddSample(s.refs[1], 2e18, 1, refs[0], 0)
	batch.Add(s.refs[2], 1e18, 1)
	s.append(&batch)
	s.reopen(true)
	for _, tc := range []struct{ set, want []int }{{[]int{0}, []int{0, 1}}, {[]int{2}, []int{1}}, {[]int{3}, nil}, {[]int{0, 2, 3}, []int{0, 1}}} {
		set := NewContextSet()
		for _, i := range tc.set {
			set.set.Add(uint32(refs[i]))
		}
		var want []Ref
		for _, i := range tc.want {
			want = append(want, s.refs[i])
		}
		if got, err := s.db.MetricsOfContexts(context.Background(), set); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v (%v)", tc.set, got, want, err)
		}
	}
	batch.Reset()
	batch.AddSample(s.refs[0], 3e18, 1, 99, 0)
	if _, err := s.db.Append(context.Background(), &batch); err == nil {
		t.Error("a context that does not exist was taken")
	}
	s.checkFiles()
}
