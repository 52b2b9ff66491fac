package engine

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/rollup"
)

// twins are two databases that get the same; the first one packs series and drops them from memory.
type twins struct {
	t       *testing.T
	r       *rand.Rand
	fs      [2]*vfs.MemFS
	db      [2]*DB
	metrics [2][]Metric
	now     []int64 // of each metric
}

const twinMetrics = 24

// both does the same to both, and holds what they say to each other.
func (w *twins) both(fn func(db *DB, ms []Metric) any) {
	w.t.Helper()
	a, b := fn(w.db[0], w.metrics[0]), fn(w.db[1], w.metrics[1])
	if !reflect.DeepEqual(a, b) {
		w.t.Fatalf("the twins differ:\n%+v\n%+v", a, b)
	}
}

func (w *twins) open() {
	w.t.Helper()
	for i := range w.db {
		var err error
		if w.db[i], err = Open("db", &Options{FS: w.fs[i], MemoryBytes: 8 << 20}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *twins) close() {
	w.t.Helper()
	for _, db := range w.db {
		if err := db.Close(); err != nil {
			w.t.Error(err)
		}
	}
}

// look asks for all there is of a metric.
func (w *twins) look(k int) {
	w.t.Helper()
	w.both(func(db *DB, ms []Metric) any {
		out, err := allOf(w.t.Context(), db, ms[k])
		if err != nil {
			w.t.Fatal(err)
		}
		return out
	})
}

// allOf returns the points and samples of a metric.
func allOf(ctx context.Context, db *DB, of Metric) (out []any, err error) {
	v, err := db.View(of.Ref)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	m, err := db.Metric(of.ID)
	if err != nil {
		return nil, err
	}
	p, err := db.ArchivePolicy(m.Policy)
	if err != nil {
		return nil, err
	}
	for _, g := range p.Definition {
		points, err := v.Measures(ctx, of.Ref, g.Width, p.Methods, 0, math.MaxInt64)
		if err != nil {
			return nil, err
		}
		for c, p := range points {
			for i, t := range p.Times {
				out = append(out, c, t, bitsOf(p.Values[i]))
			}
		}
	}
	r := v.Samples(ctx, of.Ref, 0, math.MaxInt64, SampleQuery{OldestFirst: true})
	for p.Raw != 0 && r.Next() {
		c := r.Columns()
		for i, t := range c.Times {
			out = append(out, t, bitsOf(c.Values[i]), c.Arrivals[i])
		}
	}
	return out, r.Err()
}

// account holds what the heads are said to take to what is in them.
func (w *twins) account() {
	w.t.Helper()
	for _, db := range w.db {
		var locks lockSet
		locks.addAll()
		db.head.lock(&locks)
		bytes, count := int64(0), int64(0)
		_ = db.head.each(func(ref Ref) error {
			if s := db.head.get(ref); s != nil {
				bytes, count = bytes+s.memBytes(), count+1
			}
			if p := db.head.packed(ref); p != nil {
				bytes, count = bytes+p.memBytes(), count+1
			}
			return nil
		})
		if b, n := db.head.bytes.Load(), db.head.count.Load(); bytes != b || count != n {
			w.t.Errorf("%d series of %d bytes in memory, noted are %d of %d", count, bytes, n, b)
		}
		db.head.unlock(&locks)
	}
	if w.t.Failed() {
		w.t.FailNow()
	}
}

func (w *twins) append() {
	w.t.Helper()
	var of []int
	var b Batch
	for range 1 + w.r.IntN(40) {
		k, arrival := w.r.IntN(twinMetrics), int64(0)
		at := w.now[k] - w.r.Int64N(900e9)
		if w.r.IntN(12) > 0 {
			w.now[k] += w.r.Int64N(40) * 1e9
			at = w.now[k]
		}
		if w.r.IntN(3) == 0 {
			arrival = at + w.r.Int64N(5e9)
		}
		b.AddSample(0, at, float64(w.r.IntN(1000))/4, 0, arrival)
		of = append(of, k)
	}
	b.WantSeqs = true
	w.both(func(db *DB, ms []Metric) any {
		for i, k := range of {
			b.rows[i].ref = ms[k].Ref
		}
		res, err := db.Append(w.t.Context(), &b)
		return []any{res, err, slices.Clone(b.Seqs)}
	})
}

// crash goes on with what a crash leaves.
func (w *twins) crash() {
	w.t.Helper()
	left := w.fs
	for i := range left {
		left[i] = w.fs[i].CrashClone(vfs.CrashCloneCfg{})
	}
	w.close()
	w.fs = left
	w.open()
}

func twinPolicies() []ArchivePolicy {
	nested := []Granularity{{Width: time.Minute}, {Width: 5 * time.Minute}}
	crossed := []Granularity{{Width: time.Minute}, {Width: 90 * time.Second}}
	all := []rollup.Method{rollup.Mean, rollup.Max, rollup.Count, rollup.First, rollup.Last}
	rates := append(slices.Clone(all), rollup.Mean.OfRate(), rollup.CounterIncrease)
	return []ArchivePolicy{
		{Name: "plain", Methods: all, BackWindow: 1, Definition: nested},
		{Name: "rates", Methods: rates, BackWindow: 2, Definition: nested},
		{Name: "raw", Methods: all, BackWindow: 1, Raw: RawForever, Definition: crossed},
		{Name: "all", Methods: all, Raw: RawForever, KeepAll: true, Definition: crossed},
	}
}

// TestTwins does the same at random to a database that packs series and to one that does not.
func TestTwins(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	w := &twins{t: t, r: rand.New(rand.NewPCG(seed, 1)), fs: [2]*vfs.MemFS{vfs.NewCrashableMem(), vfs.NewCrashableMem()},
		now: slices.Repeat([]int64{1_700_000_000e9}, twinMetrics)}
	w.open()
	defer func() { w.close() }()
	policies := twinPolicies()
	for i, db := range w.db {
		err := db.Update(t.Context(), func(tx *Tx) error {
			for _, p := range policies {
				if err := tx.CreateArchivePolicy(p); err != nil {
					return err
				}
			}
			for k := range twinMetrics {
				m, err := tx.CreateMetric(Metric{Policy: policies[k%len(policies)].Name})
				if err != nil {
					return err
				}
				w.metrics[i] = append(w.metrics[i], m)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 300 {
		w.step(policies)
		if w.r.IntN(2) == 0 {
			w.db[0].packAll()
		}
		w.account()
	}
	for k := range twinMetrics {
		w.look(k)
	}
}

func (w *twins) step(policies []ArchivePolicy) {
	w.t.Helper()
	k, p, window, mode := w.r.IntN(twinMetrics), policies[w.r.IntN(len(policies))], w.r.IntN(3), sealMode(w.r.IntN(int(sealWhole)+1))
	switch op := w.r.IntN(80); {
	case op < 48:
		w.append()
	case op < 52:
		w.both(func(db *DB, ms []Metric) any { return db.seal(ms[k].Ref, mode) })
	case op < 56:
		w.db[0].evict()
	case op < 57:
		w.both(func(db *DB, _ []Metric) any {
			return db.Update(w.t.Context(), func(tx *Tx) error {
				_, err := tx.UpdateArchivePolicy(p.Name, p.Definition, &window)
				return err
			})
		})
	case op < 58:
		w.both(func(db *DB, ms []Metric) any { // it may be refused
			return db.Update(w.t.Context(), func(tx *Tx) error { return tx.ChangePolicy(ms[k].ID, p.Name) }) == nil
		})
	case op < 59:
		w.crash()
	default:
		w.look(k)
	}
}
