package fuzz

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/fuzz/model"
	"github.com/telemetrydb/tsdb/rollup"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "seed of the random tests; 0: a new one")
	stepsFlag = flag.Int("steps", 400, "operations a run of the random tests")
	runsFlag  = flag.Int("runs", 24, "runs of the random tests")
)

// newSeed returns the seed of a test and prints it.
func newSeed(t *testing.T) uint64 {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d (-seed=%d repeats it)", seed, seed)
	return seed
}

// TestModel drives an engine and the naive model with the same random operations and compares what they answer.
func TestModel(t *testing.T) {
	seed := newSeed(t)
	for run := range *runsFlag {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, rand.New(rand.NewPCG(seed, uint64(run))))
			defer h.close()
			for range *stepsFlag {
				h.step()
				if t.Failed() {
					return
				}
			}
			h.compareAll()
		})
	}
}

// harness is an engine, models of its metrics, and the test's clock.
type harness struct {
	t        *testing.T
	r        *rand.Rand
	fs       *vfs.MemFS
	opts     engine.Options
	db       *engine.DB
	metrics  []*modelled
	trace    []string
	contexts []engine.ContextRef
	made     int   // metrics created
	now      int64 // of data, nanoseconds
}

// modelled is a metric in the engine and what it should answer.
type modelled struct {
	engine.Metric
	policy engine.ArchivePolicy
	model  *model.Metric
	raw    map[int64]float64 // of a policy that keeps all raw samples
	grown  bool              // a timespan was raised
	all    *allSamples       // of a policy that keeps all samples: then model and raw are not used
	newest int64
}

func newHarness(t *testing.T, r *rand.Rand) *harness {
	h := &harness{t: t, r: r, fs: vfs.NewCrashableMem(), now: 1_700_000_000e9 + r.Int64N(1e15)}
	h.opts = engine.Options{FS: h.fs}
	if r.IntN(3) == 0 {
		h.opts.MemoryBytes = 8 << 20
	}
	h.open()
	for range 1 + r.IntN(4) {
		h.create()
	}
	return h
}

func (h *harness) open() {
	db, err := engine.Open("db", &h.opts)
	if err != nil {
		h.fatal("open: %v", err)
	}
	h.db = db
}

func (h *harness) close() {
	if h.db != nil {
		if err := h.db.Close(); err != nil {
			h.t.Errorf("close: %v", err)
		}
	}
}

func (h *harness) fatal(format string, args ...any) {
	h.t.Helper()
	for _, s := range h.trace {
		h.t.Log(s)
	}
	h.t.Fatalf(format, args...)
}

func (h *harness) log(format string, args ...any) {
	h.trace = append(h.trace, fmt.Sprintf(format, args...))
	if len(h.trace) > 60 {
		h.trace = h.trace[1:]
	}
}

var widthSets = [][]time.Duration{
	{time.Second}, {time.Minute}, {5 * time.Minute}, {time.Second, time.Minute}, {time.Second, time.Minute, time.Hour},
	{7 * time.Second, time.Minute}, {10 * time.Second, 25 * time.Second, time.Minute}, {time.Hour, time.Minute},
}

// create makes a policy of its own and a metric under it.
func (h *harness) create() {
	r := h.r
	p := engine.ArchivePolicy{Name: fmt.Sprintf("p%d", h.made), BackWindow: []int{0, 0, 1, 2, 5}[r.IntN(5)]}
	mp := model.Policy{BackWindow: p.BackWindow}
	for _, w := range widthSets[r.IntN(len(widthSets))] {
		points := []int64{0, 3, 50, 5000}[r.IntN(4)]
		p.Definition = append(p.Definition, engine.Granularity{Width: w, Points: points, Timespan: time.Duration(points) * w})
		mp.Granularities = append(mp.Granularities, model.Granularity{Nanos: int64(w), Points: points})
	}
	all := append(rollup.Methods(), rollup.CounterMethods()...)
	base := []rollup.Method{rollup.Mean, rollup.Sum, rollup.Count, rollup.Min, rollup.Max, rollup.First, rollup.Last, rollup.Std, rollup.Median}
	for range 1 + r.IntN(6) {
		m := base[r.IntN(len(base))]
		switch r.IntN(10) {
		case 0, 1:
			m = all[r.IntN(len(all))]
		case 2:
			m = rollup.CounterMethods()[r.IntN(2)]
		}
		// Where widths do not nest, a group across the window's edge may come out empty when it is recomputed, and
		// Gnocchi then keeps what an earlier state of it gave; the engine does not.
		if !nested(p.Definition) && (m.Rate() || m.Base() == rollup.Std) {
			m = rollup.Mean
		}
		if m.Rate() && m.Base() == rollup.Std { // the same for one difference left of several
			m = rollup.Mean.OfRate()
		}
		if !slices.Contains(p.Methods, m) {
			p.Methods = append(p.Methods, m)
			mp.Methods = append(mp.Methods, m.String())
		}
	}
	p.Raw = []time.Duration{0, engine.RawForever, 48 * time.Hour, 2 * time.Hour}[r.IntN(4)]
	p.KeepAll = p.Raw != 0 && r.IntN(2) == 0
	m := &modelled{policy: p, model: model.New(mp), newest: -1}
	if p.KeepAll {
		m.all = &allSamples{model: mp, rates: slices.ContainsFunc(p.Methods, rollup.Method.NeedsBefore)}
	} else if p.Raw == engine.RawForever {
		m.raw = map[int64]float64{}
	}
	name := fmt.Sprintf("m%d", h.made)
	h.made++
	err := h.db.Update(context.Background(), func(tx *engine.Tx) (err error) {
		if err = tx.CreateArchivePolicy(p); err == nil {
			m.Metric, err = tx.CreateMetric(engine.Metric{Name: &name, Policy: p.Name})
		}
		return err
	})
	if err != nil {
		h.fatal("create: %v", err)
	}
	h.log("create %s: %+v", name, p)
	h.metrics = append(h.metrics, m)
}

// nested tells whether every width divides the coarsest.
func nested(def []engine.Granularity) bool {
	coarsest := slices.MaxFunc(def, func(a, b engine.Granularity) int { return cmp.Compare(a.Width, b.Width) }).Width
	return !slices.ContainsFunc(def, func(g engine.Granularity) bool { return coarsest%g.Width != 0 })
}

func (h *harness) step() {
	switch n := h.r.IntN(100); {
	case n < 62:
		h.append()
	case n < 84:
		h.compare(h.metrics[h.r.IntN(len(h.metrics))])
	case n < 88:
		h.log("compact")
		if err := h.db.Compact(context.Background()); err != nil {
			h.fatal("compact: %v", err)
		}
	case n < 91:
		h.log("reopen")
		if err := h.db.Close(); err != nil {
			h.fatal("close: %v", err)
		}
		h.open()
	case n < 93:
		h.crash()
	case n < 94:
		h.log("expire")
		if err := h.db.Expire(); err != nil {
			h.fatal("expire: %v", err)
		}
	case n < 96 && len(h.metrics) < 8:
		h.create()
	case n < 97 && len(h.metrics) > 1:
		h.delete()
	case n < 99:
		h.patch()
	}
}

// crash leaves the database as a power loss would, with a random part of what was not synced, and opens that.
func (h *harness) crash() {
	h.log("crash")
	fs := h.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: h.r.IntN(101), RNG: h.r})
	if err := h.db.Close(); err != nil {
		h.fatal("close: %v", err)
	}
	h.fs, h.opts.FS = fs, fs
	h.open()
}

func (h *harness) delete() {
	i := h.r.IntN(len(h.metrics))
	m := h.metrics[i]
	h.log("delete %s", *m.Name)
	if err := h.db.Update(context.Background(), func(tx *engine.Tx) error { return tx.DeleteMetric(m.ID) }); err != nil {
		h.fatal("delete: %v", err)
	}
	if _, err := h.db.View(m.Ref); err == nil {
		h.fatal("a deleted metric can be viewed")
	}
	h.metrics = slices.Delete(h.metrics, i, i+1)
}

// patch changes the points of a policy and sometimes lowers the back window.
func (h *harness) patch() {
	m := h.metrics[h.r.IntN(len(h.metrics))]
	if m.all != nil {
		return // its model is made afresh and knows no earlier policy
	}
	def := slices.Clone(m.policy.Definition)
	mp := model.Policy{BackWindow: m.policy.BackWindow}
	for i := range def {
		if h.r.IntN(2) == 0 {
			def[i].Points = []int64{0, 3, 50, 5000}[h.r.IntN(4)]
			def[i].Timespan = def[i].Width * time.Duration(def[i].Points)
		}
		mp.Granularities = append(mp.Granularities, model.Granularity{Nanos: int64(def[i].Width), Points: def[i].Points})
	}
	for _, x := range m.policy.Methods {
		mp.Methods = append(mp.Methods, x.String())
	}
	// For rates, and where widths do not nest, the first batch under a smaller window still sees raw samples of the larger
	// one in the model, not in the engine.
	rates := slices.ContainsFunc(m.policy.Methods, rollup.Method.Rate)
	if mp.BackWindow > 0 && !rates && nested(def) && h.r.IntN(3) == 0 {
		mp.BackWindow--
	}
	h.log("patch %s: %+v back window %d", *m.Name, def, mp.BackWindow)
	err := h.db.Update(context.Background(), func(tx *engine.Tx) (err error) {
		m.policy, err = tx.UpdateArchivePolicy(m.policy.Name, def, &mp.BackWindow)
		return err
	})
	if err != nil {
		h.fatal("patch: %v", err)
	}
	m.grown = true
	m.model.SetPolicy(mp)
}

// append sends one batch for one to three metrics.
func (h *harness) append() {
	var b engine.Batch
	want := engine.AppendResult{}
	for _, i := range h.r.Perm(len(h.metrics))[:1+h.r.IntN(min(3, len(h.metrics)))] {
		m := h.metrics[i]
		pts := h.points(m)
		for _, p := range pts {
			c, arrival := h.annotation(p.Time)
			b.AddSample(m.Ref, p.Time, p.Value, c, arrival)
			if m.all != nil {
				m.all.pending = append(m.all.pending, annotated{p.Time, p.Value, c, arrival})
			}
		}
		if m.all != nil {
			late := m.all.take(m.policy)
			want.Accepted += len(pts) - late
			want.Late += late
			m.newest = m.all.newest()
			h.log("append %s: %v", *m.Name, pts)
			continue
		}
		for _, p := range pts {
			m.newest = max(m.newest, p.Time)
		}
		if m.raw != nil {
			h.keepRaw(m, pts)
		}
		accepted, late, _ := m.model.Append(pts)
		want.Accepted += accepted
		want.Late += late
		h.log("append %s: %v", *m.Name, pts)
	}
	got, err := h.db.Append(context.Background(), &b)
	if err != nil {
		h.fatal("append: %v", err)
	}
	if got.Accepted != want.Accepted || got.Late != want.Late {
		h.fatal("append: got %+v, want %+v", got, want)
	}
}

// keepRaw does to the map what a batch does to raw samples.
func (h *harness) keepRaw(m *modelled, pts []model.Point) {
	low, bounded := m.model.WindowStart()
	best := map[int64]float64{}
	for _, p := range pts {
		if bounded && p.Time < low {
			continue
		}
		if v, ok := best[p.Time]; !ok || v != v || p.Value < v {
			best[p.Time] = p.Value
		}
	}
	for t, v := range best {
		m.raw[t] = v
	}
}

// points makes a batch: mostly in order, now and then late, doubled, with gaps, NaN and infinities.
func (h *harness) points(m *modelled) []model.Point {
	r := h.r
	step := []int64{1e9, 1e9, 10e9, 60e9, 300e9, 1e8, 7e9}[r.IntN(7)]
	n := 1 + r.IntN(8)
	if r.IntN(6) == 0 {
		n = 1 + r.IntN(300)
	}
	at := h.now
	if m.newest >= 0 {
		at = m.newest + step
		switch r.IntN(12) {
		case 0:
			at += r.Int64N(7200e9)
		case 1, 2:
			at = max(0, at-r.Int64N(600e9))
		case 3:
			at = max(0, at-r.Int64N(20000e9))
		}
	}
	var out []model.Point
	for range n {
		t := at
		if r.IntN(4) == 0 {
			t += r.Int64N(step)
		}
		v := float64(r.IntN(1000))
		switch r.IntN(40) {
		case 0:
			v = math.NaN()
		case 1:
			v = math.Inf(1 - 2*r.IntN(2))
		case 2, 3, 4, 5:
			v = r.NormFloat64() * 1e3
		}
		out = append(out, model.Point{Time: t, Value: v})
		if r.IntN(25) == 0 {
			out = append(out, model.Point{Time: t, Value: float64(r.IntN(10))})
		}
		at += step
	}
	if r.IntN(8) == 0 {
		r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}

func (h *harness) compareAll() {
	for _, m := range h.metrics {
		h.compare(m)
	}
}

// compare reads every method and granularity of a metric, over all time and over a random range.
func (h *harness) compare(m *modelled) {
	v, err := h.db.View(m.Ref)
	if err != nil {
		h.fatal("view: %v", err)
	}
	defer v.Close()
	from, to := int64(0), int64(math.MaxInt64)
	if h.r.IntN(2) == 0 && m.newest >= 0 {
		from = max(0, m.newest-h.r.Int64N(10000e9))
		to = from + h.r.Int64N(10000e9)
	}
	if m.all != nil {
		m.model = m.all.afresh()
		h.compareAllSamples(v, m, from, to)
	}
	for _, g := range m.policy.Definition {
		if m.all != nil && !m.all.sound(m.policy, g) {
			continue
		}
		got, err := v.Measures(context.Background(), m.Ref, g.Width, m.policy.Methods, from, to)
		if err != nil {
			h.fatal("measures: %v", err)
		}
		for i, method := range m.policy.Methods {
			want := m.model.Measures(method.String(), int64(g.Width), &from, &to)
			points := got[i]
			if m.grown { // the engine may still have what retention had hidden before the policy grew
				if hz, ok := m.model.Horizon(method.String(), int64(g.Width)); ok {
					k, _ := slices.BinarySearch(points.Times, hz+1)
					points = engine.Points{Times: points.Times[k:], Values: points.Values[k:]}
					j := slices.IndexFunc(want, func(p model.Point) bool { return p.Time > hz })
					if j < 0 {
						j = len(want)
					}
					want = want[j:]
				}
			}
			if why := differ(points, want); why != "" {
				h.fatal("%s %v at %v in [%d,%d): %s\n got %v %v\nwant %v", *m.Name, method, g.Width, from, to, why, points.Times, points.Values, want)
			}
		}
	}
	if m.raw != nil {
		h.compareRaw(v, m, from, to)
	}
}

func (h *harness) compareRaw(v *engine.View, m *modelled, from, to int64) {
	ts, vs, err := v.Raw(context.Background(), m.Ref, from, to, nil, nil)
	if err != nil {
		h.fatal("raw: %v", err)
	}
	n := 0
	for t := range m.raw {
		if t >= from && t < to {
			n++
		}
	}
	if n != len(ts) {
		h.fatal("%s raw in [%d,%d): got %d samples, want %d", *m.Name, from, to, len(ts), n)
	}
	for i, t := range ts {
		want, ok := m.raw[t]
		if !ok || math.Float64bits(want) != math.Float64bits(vs[i]) && !(want != want && vs[i] != vs[i]) {
			h.fatal("%s raw at %d: got %v, want %v (%v)", *m.Name, t, vs[i], want, ok)
		}
	}
}

// differ says where two lists of points differ, bit for bit but for the payload of NaN.
func differ(got engine.Points, want []model.Point) string {
	if len(got.Times) != len(want) || len(got.Values) != len(want) {
		return fmt.Sprintf("%d times and %d values, want %d points", len(got.Times), len(got.Values), len(want))
	}
	for i, w := range want {
		if got.Times[i] != w.Time {
			return fmt.Sprintf("point %d at %d, want %d", i, got.Times[i], w.Time)
		}
		if g := got.Values[i]; math.Float64bits(g) != math.Float64bits(w.Value) && !(g != g && w.Value != w.Value) {
			return fmt.Sprintf("point %d at %d: %v, want %v", i, w.Time, g, w.Value)
		}
	}
	return ""
}
