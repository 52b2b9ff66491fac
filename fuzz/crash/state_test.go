package crash

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
)

// state is what the workers go by. The child changes its copy as operations succeed; the parent derives the same from the
// journal and gives it to the next child.
type state struct {
	Workers []*workerState
	Crowd   crowdState
}

type workerState struct {
	N         int // operations done
	Born      bool
	Policies  map[string]*policySpec
	Resources map[string]*resourceSpec // without the ledger
	Metrics   map[string]*metricState
}

type metricState struct {
	metricSpec
	Newest int64
}

type crowdState struct{ Ticks []int } // operations done per chunk, the first of which created it

const crowdChunks, crowdChunk = 7, 2000

func newState(workers int) *state {
	st := &state{Crowd: crowdState{make([]int, crowdChunks)}}
	for range workers {
		st.Workers = append(st.Workers, &workerState{Policies: map[string]*policySpec{}, Resources: map[string]*resourceSpec{}, Metrics: map[string]*metricState{}})
	}
	return st
}

// apply does to the state what the operation did to the database.
func (st *workerState) apply(o *op) {
	st.N++
	for _, p := range o.Append {
		m := st.Metrics[p.Metric]
		m.Newest = max(m.Newest, p.Times[len(p.Times)-1])
	}
	u := o.Update
	if u == nil {
		return
	}
	st.Born = true
	for i := range u.Policies {
		st.Policies[u.Policies[i].Name] = &u.Policies[i]
	}
	for _, list := range [][]resourceSpec{u.CreateResources, u.ChangeResources} {
		for i := range list {
			st.Resources[list[i].ID] = &list[i]
		}
	}
	for _, m := range u.CreateMetrics {
		st.Metrics[m.ID] = &metricState{metricSpec: m}
	}
	for _, id := range u.DeleteMetrics {
		delete(st.Metrics, id)
	}
	for _, id := range u.DeleteResources {
		delete(st.Resources, id)
		maps.DeleteFunc(st.Metrics, func(_ string, m *metricState) bool { return m.Resource == id })
	}
}

const (
	second = int64(1e9)
	minute = 60 * second
	hour   = 60 * minute
)

// firstPolicies are what a worker's metrics live under. The last one is changed as time goes by.
func (w *worker) firstPolicies() []policySpec {
	name := func(s string) string { return fmt.Sprintf("w%d-%s", w.i, s) }
	return []policySpec{
		{Name: name("raw"), Widths: []int64{second, minute}, Points: []int64{0, 0}, Methods: []string{"mean", "sum", "count", "min", "max", "last"}, BackWindow: 2, Raw: -1},
		{Name: name("rate"), Widths: []int64{10 * second, minute}, Points: []int64{300, 0}, Methods: []string{"mean", "rate:mean", "std"}, BackWindow: 1},
		{Name: name("none"), Widths: []int64{minute}, Points: []int64{100}, Methods: []string{"median", "first"}},
		w.changingPolicy(),
	}
}

func (w *worker) changingPolicy() policySpec {
	return policySpec{Name: fmt.Sprintf("w%d-changing-%d", w.i, w.st.N), Widths: []int64{second, minute, hour}, Points: []int64{5000, 500, 0},
		Methods: []string{"mean", "count", "95pct"}, BackWindow: 5, Raw: 48 * hour}
}

var metricNames = []string{"cpu", "memory", "disk.read", "disk.write", "net.in", "net.out"}

func pick[K ~string, V any](r *rand.Rand, m map[K]V) V {
	keys := slices.Sorted(maps.Keys(m))
	return m[keys[r.IntN(len(keys))]]
}

// update makes up a transaction.
func (w *worker) update() *update {
	r, st, u := w.r, w.st, &update{}
	if !st.Born {
		u.Policies = w.firstPolicies()
		for range 3 {
			w.createResource(u, u.Policies)
		}
		return u
	}
	if r.IntN(4) == 0 {
		p := *pick(r, st.Policies)
		p.Points = slices.Clone(p.Points)
		for i := range p.Points {
			if r.IntN(2) == 0 && p.Raw != -1 {
				p.Points[i] = []int64{0, 50, 500, 5000}[r.IntN(4)]
			}
		}
		// With rates, the first batch under a smaller window would still see the samples of the larger one in the model.
		if p.BackWindow > 0 && !slices.Contains(p.Methods, "rate:mean") && r.IntN(2) == 0 {
			p.BackWindow--
		}
		u.Policies = append(u.Policies, p)
	}
	if r.IntN(10) == 0 {
		u.Policies = append(u.Policies, w.changingPolicy())
	}
	if len(st.Resources) < 3 || r.IntN(4) == 0 && len(st.Resources) < 7 {
		w.createResource(u, slices.Concat(u.Policies, values(st.Policies)))
	}
	if r.IntN(2) == 0 {
		c := *pick(r, st.Resources)
		c.Host, c.Rev = fmt.Sprint("host", r.IntN(4)), float64(st.N)
		u.ChangeResources = append(u.ChangeResources, c)
	}
	if len(st.Resources) > 3 && r.IntN(8) == 0 {
		if gone := pick(r, st.Resources).ID; !slices.ContainsFunc(u.ChangeResources, func(c resourceSpec) bool { return c.ID == gone }) {
			u.DeleteResources = append(u.DeleteResources, gone)
		}
	}
	if len(st.Metrics) > 4 && r.IntN(5) == 0 {
		if m := pick(r, st.Metrics); !slices.Contains(u.DeleteResources, m.Resource) {
			u.DeleteMetrics = append(u.DeleteMetrics, m.ID)
		}
	}
	return u
}

func values[K comparable, V any](m map[K]*V) []V {
	var out []V
	for _, v := range m {
		out = append(out, *v)
	}
	return out
}

// createResource adds a resource with some metrics under one of the policies.
func (w *worker) createResource(u *update, policies []policySpec) {
	r := w.r
	s := resourceSpec{ID: engine.NewUUID().String(), Project: fmt.Sprint("project", r.IntN(4)), Host: fmt.Sprint("host", r.IntN(4)), Rev: float64(w.st.N)}
	u.CreateResources = append(u.CreateResources, s)
	for _, i := range r.Perm(len(metricNames))[:1+r.IntN(3)] {
		u.CreateMetrics = append(u.CreateMetrics, metricSpec{ID: engine.NewUUID().String(), Name: metricNames[i], Resource: s.ID,
			Policy: policies[r.IntN(len(policies))].Name})
	}
}

// batch makes up samples of one to three metrics.
func (w *worker) batch() []batchPart {
	ids := slices.Sorted(maps.Keys(w.st.Metrics))
	var parts []batchPart
	for _, i := range w.r.Perm(len(ids))[:1+w.r.IntN(min(3, len(ids)))] {
		parts = append(parts, w.samples(w.st.Metrics[ids[i]]))
	}
	return parts
}

// samples are mostly in order, now and then late or doubled; the last one is newer than everything before.
func (w *worker) samples(m *metricState) batchPart {
	r := w.r
	step := []int64{second, second, 10 * second, minute, second / 10, 7 * second}[r.IntN(6)]
	n := 1 + r.IntN(8)
	switch r.IntN(30) {
	case 0:
		n = 1000 + r.IntN(3000)
	case 1, 2, 3, 4:
		n += r.IntN(200)
	}
	at := m.Newest + step
	if m.Newest == 0 {
		at = 1_700_000_000*second + r.Int64N(1e6*second)
	}
	switch r.IntN(10) {
	case 0:
		at += r.Int64N(2 * hour)
	case 1, 2:
		at -= r.Int64N(10 * minute)
	case 3:
		at -= r.Int64N(6 * hour)
	}
	p := batchPart{Metric: m.ID}
	add := func(t int64, v float64) {
		p.Times, p.Bits = append(p.Times, t), append(p.Bits, math.Float64bits(v))
	}
	newest := m.Newest
	for range n {
		v := float64(r.IntN(1000))
		if r.IntN(6) == 0 {
			v = r.NormFloat64() * 1e3
		}
		add(at, v)
		if r.IntN(25) == 0 {
			add(at, float64(r.IntN(10)))
		}
		newest = max(newest, at)
		at += step + r.Int64N(step)*int64(r.IntN(2))
	}
	if r.IntN(6) == 0 {
		r.Shuffle(len(p.Times), func(i, j int) {
			p.Times[i], p.Times[j] = p.Times[j], p.Times[i]
			p.Bits[i], p.Bits[j] = p.Bits[j], p.Bits[i]
		})
	}
	add(newest+step, float64(r.IntN(1000)))
	return p
}
