package engine

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// changing compares a metric whose policy changes with a naive computation: points that are kept, and points of the samples at hand.
type changing struct {
	t    *testing.T
	r    *rand.Rand
	fs   *vfs.MemFS
	db   *DB
	id   UUID
	ref  Ref
	pl   *plan // present policy's
	name string
	sent int
	gaps bool // then there are no rates but of policies that keep all: without its predecessor in the window Gnocchi's have no difference

	have []sampleState     // samples at hand, by time, then arrival
	edge int64             // sealed at least so far since the last change
	from int64             // late samples before it are refused by a policy that keeps all
	low  map[int64]int64   // by width: groups before have their points in kept
	kept map[point]float64 // that samples no longer give
}

type point struct {
	width, start int64
	method       rollup.Method
}

var changingPolicies = []ArchivePolicy{
	{Name: "raw", Definition: days(10*time.Second, time.Minute), Methods: []rollup.Method{rollup.Mean, rollup.Count, rollup.Max}, Raw: RawForever},
	{Name: "none", Definition: days(time.Minute, time.Hour), Methods: []rollup.Method{rollup.Mean, rollup.Count, rollup.Std}},
	{Name: "none too", Definition: days(10*time.Second, time.Minute, 24*time.Hour), Methods: []rollup.Method{rollup.Count, rollup.Sum}, BackWindow: 2},
	{Name: "hour", Definition: days(10*time.Second, 5*time.Minute), Methods: []rollup.Method{rollup.Count, rollup.Last, rollup.Mean.OfRate()}, Raw: time.Hour},
	{Name: "all", Definition: days(time.Minute, 10*time.Minute), Methods: []rollup.Method{rollup.Mean, rollup.Count, rollup.Last}, Raw: RawForever, KeepAll: true},
	{Name: "all odd", Definition: days(7*time.Second, time.Minute), Methods: []rollup.Method{rollup.Sum, rollup.Count, rollup.Sum.OfRate()}, Raw: RawForever, KeepAll: true},
	{Name: "short", Definition: []Granularity{{Width: 10 * time.Second, Points: 50, Timespan: 500 * time.Second}, {Width: time.Minute, Points: 60, Timespan: time.Hour}},
		Methods: []rollup.Method{rollup.Mean, rollup.Min, rollup.Count}, Raw: 10 * time.Minute},
	{Name: "dense", Definition: days(time.Second), Methods: []rollup.Method{rollup.Mean, rollup.Count}, Raw: RawForever},
}

func days(widths ...time.Duration) (def []Granularity) {
	for _, w := range widths {
		def = append(def, Granularity{Width: w})
	}
	return def
}

// TestChangePolicy changes the policy of a metric time and again, with samples, restarts and seals in between.
func TestChangePolicy(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for run := range uint64(40) {
		c := newChanging(t, rand.New(rand.NewPCG(seed, run)))
		for range 30 {
			c.step()
			if t.Failed() {
				t.Fatalf("run %d", run)
			}
		}
		if err := c.db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Check("db", &Options{FS: c.fs}, func(f Finding) { t.Errorf("check: %x: %v", f.Key, f.Err) }); err != nil {
			t.Fatal(err)
		}
	}
}

func newChanging(t *testing.T, r *rand.Rand) *changing {
	c := &changing{t: t, r: r, fs: vfs.NewCrashableMem(), id: NewUUID(), low: map[int64]int64{}, kept: map[point]float64{}, edge: noTime, from: noTime}
	c.open()
	c.gaps = r.IntN(2) == 0
	first := c.choose()
	c.name, c.pl = first.Name, newPlan(&first)
	c.must(c.db.Update(context.Background(), func(tx *Tx) error {
		for _, p := range changingPolicies {
			if err := tx.CreateArchivePolicy(p); err != nil {
				return err
			}
		}
		m, err := tx.CreateMetric(Metric{ID: c.id, Policy: first.Name})
		c.ref = m.Ref
		return err
	}))
	return c
}

func (c *changing) choose() ArchivePolicy {
	for {
		p := changingPolicies[c.r.IntN(len(changingPolicies))]
		if !c.gaps || !newPlan(&p).hasRate || p.KeepAll {
			return p
		}
	}
}

func (c *changing) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *changing) open() {
	var err error
	c.db, err = Open("db", &Options{FS: c.fs, MemoryBytes: 8 << 20})
	c.must(err)
}

func (c *changing) maxT() int64 {
	if len(c.have) == 0 {
		return noTime
	}
	return c.have[len(c.have)-1].t
}

func (c *changing) step() {
	switch c.r.IntN(12) {
	case 0:
		c.must(c.db.Close())
		c.open()
	case 1: // a crash
		c.fs = c.fs.CrashClone(vfs.CrashCloneCfg{})
		c.must(c.db.Close())
		c.open()
	case 2, 3:
		c.must(c.db.checkpoint(sealCut))
	case 4:
		c.must(c.db.Compact(context.Background()))
	case 5, 6:
		c.late()
	case 7, 8:
		c.change()
	case 9:
		c.db.packAll()
	default:
		c.append()
	}
	c.compare()
}

// append adds samples that are newer than all before, in one batch.
func (c *changing) append() {
	if c.sent > 3000 { // or a long tail is sealed in the background, one cannot know when
		return
	}
	t := max(c.maxT(), 1_700_000_000e9)
	if c.gaps {
		t += c.r.Int64N(2) * c.r.Int64N(20000e9)
	}
	var b Batch
	for range 1 + c.r.IntN(400) {
		t += 1e9 + c.r.Int64N(5)*500e6
		for range 1 + c.r.IntN(8)/7 {
			v := float64(c.r.IntN(1000))
			b.Add(c.ref, t, v)
			c.sent++
			switch {
			case c.maxT() != t || c.pl.keepAll:
				c.have = append(c.have, sampleState{t: t, bits: bitsOf(v)})
			default: // of equal ones in a batch the least
				last := &c.have[len(c.have)-1]
				last.bits = bitsOf(min(v, floatOf(last.bits)))
			}
		}
	}
	c.send(&b, 0)
}

// late sends a sample that is older than the newest.
func (c *changing) late() {
	if len(c.have) == 0 || c.pl.hasRate && !c.pl.keepAll {
		return
	}
	t, v := c.maxT()-c.r.Int64N([]int64{100e9, 4000e9, 100000e9}[c.r.IntN(3)]), float64(c.r.IntN(1000))
	if !c.gaps && c.have[0].t-t > 3e9 { // it would leave one
		return
	}
	low := max(c.pl.floor(c.maxT()), c.edge)
	if c.pl.keepAll {
		low = max(c.pl.takenFrom(c.maxT()), c.from)
	}
	var b Batch
	b.Add(c.ref, t, v)
	if t < low {
		c.send(&b, 1)
		return
	}
	c.send(&b, 0)
	i, _ := slices.BinarySearchFunc(c.have, t+1, func(s sampleState, t int64) int { return int(s.t - t) })
	if i > 0 && c.have[i-1].t == t && !c.pl.keepAll {
		c.have[i-1].bits = bitsOf(v)
		return
	}
	c.have = slices.Insert(c.have, i, sampleState{t: t, bits: bitsOf(v)})
}

func (c *changing) send(b *Batch, late int) {
	res, err := c.db.Append(context.Background(), b)
	c.must(err)
	if res.Late != late {
		c.t.Fatalf("policy %s: %+v, want %d late", c.name, res, late)
	}
}

// change gives the metric another policy.
func (c *changing) change() {
	p := c.choose()
	s, err := c.db.peek(c.ref)
	c.must(err)
	before := c.points()
	err = c.db.Update(context.Background(), func(tx *Tx) error { return tx.ChangePolicy(c.id, p.Name) })
	if p.Name == c.name || len(c.have) == 0 {
		c.must(err)
		c.name, c.pl = p.Name, newPlan(&p)
		return
	}
	to, first := newPlan(&p), c.firstAtHand(&s)
	t0 := c.have[first].t
	edge, common := int64(noTime), false
	low, kept := map[int64]int64{}, map[point]float64{}
	complete := s.sealed == noTime || c.pl.raw < 0 && c.from == noTime
	for _, w := range to.widths {
		both := func(m rollup.Method) bool { return slices.Contains(c.pl.methods, m) && slices.Contains(to.methods, m) }
		if complete || c.pl.width(w) < 0 || !slices.ContainsFunc(to.methods, both) {
			continue
		}
		common = true
		b := min(rollup.Floor(t0, w)+w, sealEnd(s.sealed, w))
		low[w], edge = b, max(edge, b)
		for at, v := range before {
			if at.width == w && both(at.method) && at.start < b {
				kept[at] = v
			}
		}
	}
	lost := false
	for at := range before {
		lost = lost || !complete && !common && at.start < rollup.Floor(t0, at.width)
	}
	if lost {
		if !errors.Is(err, ErrUnsupported) {
			c.t.Fatalf("from %s to %s: %v, want a refusal", c.name, p.Name, err)
		}
		return
	}
	c.must(err)
	c.t.Logf("%s to %s: %d samples, %d points kept, up to %d", c.name, p.Name, len(c.have)-first, len(kept), edge)
	c.have = slices.Clone(c.have[first:])
	if !to.keepAll {
		slices.Reverse(c.have) // of one instant the last one stays
		c.have = slices.CompactFunc(c.have, func(a, b sampleState) bool { return a.t == b.t })
		slices.Reverse(c.have)
	}
	c.name, c.pl, c.low, c.kept, c.from = p.Name, to, low, kept, edge
	c.edge = max(edge, to.floor(c.maxT()))
}

// firstAtHand is the first sample that the old policy kept, or the tail has.
func (c *changing) firstAtHand(s *viewSeries) int {
	from := s.tailFirst()
	switch {
	case c.pl.raw < 0:
		return 0
	case c.pl.raw > 0:
		from = min(from, c.shown())
	}
	first := slices.IndexFunc(c.have, func(x sampleState) bool { return x.t >= from })
	if first > 0 && c.have[first].t >= s.tailFirst() {
		first-- // known for the sake of differences
	}
	return first
}

// shown is from where raw samples are shown.
func (c *changing) shown() int64 {
	switch {
	case c.pl.raw < 0:
		return 0
	case c.pl.raw > 0:
		return min(c.maxT()-c.pl.raw+1, c.pl.floor(c.maxT()))
	}
	return max(c.pl.floor(c.maxT()), c.pl.tailStart(c.edge))
}

// points are what the metric has by this account.
func (c *changing) points() map[point]float64 {
	all := map[point]float64{}
	for wi, w := range c.pl.widths {
		for _, m := range c.pl.methods {
			points := c.pointsOf(w, m)
			newest := rollup.Floor(max(0, c.maxT()), w)
			if m.Rate() || m == rollup.Std {
				newest = noTime
				for at := range points {
					newest = max(newest, at.start)
				}
			}
			for at, v := range points {
				if keep := c.pl.keep[wi]; keep == 0 || at.start > newest-keep {
					all[at] = v
				}
			}
		}
	}
	return all
}

// pointsOf are those of a granularity and method whatever their age.
func (c *changing) pointsOf(w int64, m rollup.Method) map[point]float64 {
	values := map[int64][]float64{}
	before := sampleState{t: noTime}
	for i, x := range c.have {
		if i+1 < len(c.have) && c.have[i+1].t == x.t {
			continue
		}
		start := rollup.Floor(x.t, w)
		switch {
		case !m.Rate():
			values[start] = append(values[start], floatOf(x.bits))
		case before.t != noTime:
			values[start] = append(values[start], floatOf(x.bits)-floatOf(before.bits))
		}
		before = x
	}
	low, isLow := c.low[w]
	points := map[point]float64{}
	var agg rollup.Aggregator
	for start, vs := range values {
		if isLow && start < low {
			continue
		}
		out, present := agg.Append(nil, m, []int32{0, int32(len(vs))}, vs)
		if present == nil || rollup.Has(present, 0) {
			points[point{w, start, m}] = out[0]
		}
	}
	for at, v := range c.kept {
		if at.width == w && at.method == m {
			points[at] = v
		}
	}
	return points
}

func (c *changing) compare() {
	c.t.Helper()
	v, err := c.db.View(c.ref)
	c.must(err)
	defer v.Close()
	want := c.points()
	for _, w := range c.pl.widths {
		got, err := v.Measures(context.Background(), c.ref, time.Duration(w), c.pl.methods, 0, math.MaxInt64)
		c.must(err)
		for k, m := range c.pl.methods {
			for i, start := range got[k].Times {
				at := point{w, start, m}
				x, ok := want[at]
				if y := got[k].Values[i]; !ok || math.Abs(x-y) > 1e-9*math.Abs(x) {
					c.t.Fatalf("policy %s: %v of %v at %d is %v, want %v, %v", c.name, m, time.Duration(w), start, y, x, ok)
				}
				delete(want, at)
			}
		}
	}
	for at, x := range want {
		c.t.Fatalf("policy %s: no %v of %v at %d, want %v", c.name, at.method, time.Duration(at.width), at.start, x)
	}
	ts, vs, err := v.Raw(context.Background(), c.ref, 0, math.MaxInt64, nil, nil)
	c.must(err)
	have := c.have[len(c.have):]
	if from := c.shown(); len(c.have) > 0 {
		i, _ := slices.BinarySearchFunc(c.have, from, func(s sampleState, t int64) int { return int(s.t - t) })
		have = c.have[i:]
	}
	if len(ts) != len(have) {
		c.t.Fatalf("policy %s: %d raw samples, want %d", c.name, len(ts), len(have))
	}
	for i, x := range have {
		if ts[i] != x.t || bitsOf(vs[i]) != x.bits {
			c.t.Fatalf("policy %s: raw sample %d is %v at %d, want %v at %d", c.name, i, vs[i], ts[i], floatOf(x.bits), x.t)
		}
	}
}

// TestChangePolicyBesideLateSamples changes policies while samples come, late ones among them, so that rebuilding has to be done again and
// again: nothing is lost, and aggregates are those of all samples.
func TestChangePolicyBesideLateSamples(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	p := ArchivePolicy{Definition: days(time.Second, time.Minute), Methods: []rollup.Method{rollup.Count, rollup.Sum}, Raw: RawForever, KeepAll: true}
	s := newSampled(t, 3, p)
	ids := make([]UUID, len(s.refs))
	for i, ref := range s.refs {
		m, err := s.db.MetricByRef(ref)
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = m.ID
	}
	update := func(fn func(tx *Tx) error) {
		if err := s.db.Update(context.Background(), fn); err != nil {
			t.Error(err)
		}
	}
	update(func(tx *Tx) error {
		p.Name, p.Definition, p.Methods = "q", days(7*time.Second, time.Hour), []rollup.Method{rollup.Count, rollup.Sum.OfRate()}
		return tx.CreateArchivePolicy(p)
	})
	var mu sync.Mutex // of s.want
	var writers sync.WaitGroup
	for w := range uint64(2) {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(seed, w))
			for n := range int64(150) {
				var b Batch
				mu.Lock()
				for _, ref := range s.refs {
					for range 20 {
						s.add(&b, oneSample{ref: ref, t: int64(1e18) + n*20e9 - r.Int64N(2)*r.Int64N(4000e9) + r.Int64N(20e9), v: float64(r.IntN(100))})
					}
				}
				if _, err := s.db.Append(context.Background(), &b); err != nil {
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	for n := range 60 {
		update(func(tx *Tx) error { // several at once
			for i := range 1 + n%len(ids) {
				if err := tx.ChangePolicy(ids[i], []string{"q", "p"}[n/3%2]); err != nil {
					return err
				}
			}
			return nil
		})
		v, err := s.db.View(s.refs...)
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range s.refs {
			ts, _, err := v.Raw(context.Background(), ref, 0, math.MaxInt64, nil, nil)
			if err != nil || len(ts)%20 != 0 {
				t.Errorf("%d samples, %v", len(ts), err)
			}
		}
		v.Close()
	}
	writers.Wait()
	s.check(0, math.MaxInt64, nil)
	s.compareGroups()
	s.reopen(true)
	s.compareGroups()
	s.checkFiles()
}

// TestChangePolicyView holds a view over a change, and asks for what is not there.
func TestChangePolicyView(t *testing.T) {
	c := newChanging(t, rand.New(rand.NewPCG(1, 1)))
	ctx := context.Background()
	c.change()
	for range 5 {
		c.append()
	}
	c.must(c.db.checkpoint(sealCut))
	v, err := c.db.View(c.ref)
	c.must(err)
	old, name := c.points(), c.name
	for c.name == name {
		c.change()
	}
	c.compare()
	got := 0
	for _, w := range v.series[0].plan.widths {
		points, err := v.Measures(ctx, c.ref, time.Duration(w), v.series[0].plan.methods, 0, math.MaxInt64)
		c.must(err)
		for k, m := range v.series[0].plan.methods {
			for i, start := range points[k].Times {
				if x, ok := old[point{w, start, m}]; !ok || x != points[k].Values[i] {
					t.Errorf("%v of %v at %d is %v, was %v", m, time.Duration(w), start, points[k].Values[i], x)
				}
				got++
			}
		}
	}
	if got != len(old) {
		t.Errorf("the view has %d points, had %d", got, len(old))
	}
	for _, tc := range []struct {
		id     UUID
		policy string
		want   Kind
	}{{NewUUID(), "raw", KindMetric}, {c.id, "no such", KindArchivePolicy}} {
		err := c.db.Update(ctx, func(tx *Tx) error { return tx.ChangePolicy(tc.id, tc.policy) })
		var e *Error
		if !errors.As(err, &e) || e.Kind != tc.want || e.Err != ErrNotFound {
			t.Errorf("%v: %v", tc.want, err)
		}
	}
	// In one transaction: a metric made and changed, one changed and deleted, and a policy that is free then.
	c.must(c.db.Update(ctx, func(tx *Tx) error {
		m, err := tx.CreateMetric(Metric{Policy: "raw"})
		if err == nil {
			err = tx.ChangePolicy(m.ID, "none")
		}
		if err == nil {
			err = tx.ChangePolicy(c.id, "dense")
		}
		if err == nil {
			err = tx.DeleteMetric(c.id)
		}
		if err == nil {
			err = tx.DeleteArchivePolicy("raw")
		}
		return err
	}))
	if err := c.db.Update(ctx, func(tx *Tx) error { return tx.DeleteArchivePolicy("none") }); !errors.Is(err, ErrInUse) {
		t.Errorf("delete a policy in use: %v", err)
	}
	v.Close() // before Close, which waits for it
	c.must(c.db.Close())
}
