package crash

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/fuzz/model"
	"github.com/telemetrydb/tsdb/index"
)

// modelled is what the database should answer for a metric.
type modelled struct {
	policy *policySpec
	model  *model.Metric
	raw    map[int64]uint64 // value bits by time, of a policy that keeps all raw samples
	grown  bool             // the policy was changed: what retention had hidden may show again
}

func (p *policySpec) model() model.Policy {
	mp := model.Policy{BackWindow: p.BackWindow, Methods: p.Methods}
	for i, w := range p.Widths {
		mp.Granularities = append(mp.Granularities, model.Granularity{Nanos: w, Points: p.Points[i]})
	}
	return mp
}

// replay brings state and models to what the journal acknowledges and returns the operations that were under way.
func (c *campaign) replay(t *testing.T, entries []entry) map[int]*op {
	pending := map[int]*op{}
	for i := range entries {
		e := &entries[i]
		switch {
		case !e.Ack:
			pending[e.Worker] = e.Op
		case e.Worker == crowdWorker:
			c.st.Crowd.Ticks[pending[e.Worker].Crowd.Chunk]++
			c.ticks++
			delete(pending, e.Worker)
		default:
			c.apply(t, e.Worker, pending[e.Worker], e.Result)
			delete(pending, e.Worker)
		}
	}
	return pending
}

// apply does to state and models what an operation did; res is what the database said of it, nil if nothing.
func (c *campaign) apply(t *testing.T, worker int, o *op, res *result) {
	st := c.st.Workers[worker]
	for _, id := range slices.Collect(maps.Keys(st.Metrics)) {
		if m := c.models[id]; m == nil {
			t.Fatalf("no model of metric %s", id)
		}
	}
	st.apply(o)
	got := result{}
	for _, p := range o.Append {
		m := c.models[p.Metric]
		pts := make([]model.Point, len(p.Times))
		for i := range pts {
			pts[i] = model.Point{Time: p.Times[i], Value: math.Float64frombits(p.Bits[i])}
		}
		if m.raw != nil {
			m.keepRaw(pts)
		}
		accepted, late, _ := m.model.Append(pts)
		got.Accepted += accepted
		got.Late += late
	}
	if o.Append != nil {
		c.appends++
		if res != nil && (res.Accepted != got.Accepted || res.Late != got.Late) {
			t.Fatalf("worker %d, operation %d: the database said %+v, the model %+v", worker, st.N, *res, got)
		}
	}
	if o.Update != nil {
		c.updates++
		c.applyUpdate(st, o.Update)
	}
}

func (c *campaign) applyUpdate(st *workerState, u *update) {
	for i := range u.Policies {
		for id, m := range st.Metrics {
			if mm := c.models[id]; mm != nil && m.Policy == u.Policies[i].Name {
				mm.policy, mm.grown = &u.Policies[i], true
				mm.model.SetPolicy(u.Policies[i].model())
			}
		}
	}
	for _, s := range u.CreateMetrics {
		p := st.Policies[s.Policy]
		m := &modelled{policy: p, model: model.New(p.model())}
		if p.Raw == -1 {
			m.raw = map[int64]uint64{}
		}
		c.models[s.ID] = m
	}
	maps.DeleteFunc(c.models, func(id string, _ *modelled) bool {
		for _, w := range c.st.Workers {
			if w.Metrics[id] != nil {
				return false
			}
		}
		return true
	})
}

// keepRaw does to the map what a batch does to raw samples.
func (m *modelled) keepRaw(pts []model.Point) {
	low, bounded := m.model.WindowStart()
	best := map[int64]float64{}
	for _, p := range pts {
		if bounded && p.Time < low {
			continue
		}
		if v, ok := best[p.Time]; !ok || p.Value < v {
			best[p.Time] = p.Value
		}
	}
	for t, v := range best {
		m.raw[t] = math.Float64bits(v)
	}
}

// settle finds out which of the operations that were under way are in the database: each whole or not at all.
func (c *campaign) settle(t *testing.T, db *engine.DB, pending map[int]*op) {
	var crowd *crowdTick
	for worker, o := range pending {
		c.under++
		switch {
		case o.Crowd != nil:
			crowd = o.Crowd
		case o.Update != nil && c.updateDone(t, db, worker), o.Append != nil && appendDone(t, db, o.Append):
			c.apply(t, worker, o, nil)
			c.note(t, worker)
		}
	}
	c.checkCrowd(t, db, crowd)
}

// note writes into the journal that an operation which was under way was found done.
func (c *campaign) note(t *testing.T, worker int) {
	f, err := os.OpenFile(c.journal(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	(&journal{f: f}).write(&entry{Worker: worker, N: c.st.Workers[worker].N, Ack: true})
}

func (c *campaign) updateDone(t *testing.T, db *engine.DB, worker int) bool {
	st := c.st.Workers[worker]
	l, err := db.Resource(ledgerID(worker))
	if err != nil {
		if st.Born {
			t.Fatalf("ledger of worker %d: %v", worker, err)
		}
		return false
	}
	return l.Attributes["rev"].Num == float64(st.N+1)
}

func appendDone(t *testing.T, db *engine.DB, parts []batchPart) bool {
	done := 0
	for _, p := range parts {
		m, err := db.Metric(mustParse(p.Metric))
		if err != nil {
			t.Fatalf("metric %s: %v", p.Metric, err)
		}
		v, err := db.View(m.Ref)
		if err != nil {
			t.Fatal(err)
		}
		last := p.Times[len(p.Times)-1]
		ts, _, err := v.Raw(context.Background(), m.Ref, last, last+1, nil, nil)
		if err != nil {
			t.Fatalf("raw samples of %s: %v", p.Metric, err)
		}
		v.Close()
		done += len(ts)
	}
	if done != 0 && done != len(parts) {
		t.Fatalf("a batch is there for %d of its %d metrics", done, len(parts))
	}
	return done > 0
}

// compare looks at everything the workers own.
func (c *campaign) compare(t *testing.T, db *engine.DB) {
	for i, st := range c.st.Workers {
		for _, id := range slices.Sorted(maps.Keys(st.Metrics)) {
			c.compareMetric(t, db, fmt.Sprintf("worker %d's %s (%s, policy %s)", i, st.Metrics[id].Name, id, st.Metrics[id].Policy), st.Metrics[id])
		}
		for _, p := range st.Policies {
			got, err := db.ArchivePolicy(p.Name)
			if want := p.policy(); err != nil || got.BackWindow != want.BackWindow || !slices.Equal(got.Definition, want.Definition) || got.Raw != want.Raw {
				t.Fatalf("policy: %+v, %v; want %+v", got, err, want)
			}
		}
	}
	c.compareCatalogue(t, db)
}

func (c *campaign) compareMetric(t *testing.T, db *engine.DB, what string, s *metricState) {
	m := c.models[s.ID]
	em, err := db.Metric(mustParse(s.ID))
	if err != nil || *em.Name != s.Name || em.Policy != s.Policy || em.Resource.String() != s.Resource {
		t.Fatalf("%s: %+v, %v", what, em, err)
	}
	v, err := db.View(em.Ref)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer v.Close()
	p := m.policy.policy()
	for _, g := range p.Definition {
		got, err := v.Measures(context.Background(), em.Ref, g.Width, p.Methods, 0, math.MaxInt64)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for i, method := range m.policy.Methods {
			want := m.model.Measures(method, int64(g.Width), nil, nil)
			if h, ok := m.model.Horizon(method, int64(g.Width)); ok && m.grown {
				k, _ := slices.BinarySearch(got[i].Times, h+1)
				got[i] = engine.Points{Times: got[i].Times[k:], Values: got[i].Values[k:]}
				k, _ = slices.BinarySearchFunc(want, h+1, func(p model.Point, t int64) int { return cmp.Compare(p.Time, t) })
				want = want[k:]
			}
			if why := differ(got[i], want); why != "" {
				t.Fatalf("%s, %s at %v: %s", what, method, g.Width, why)
			}
		}
	}
	if m.raw != nil {
		m.compareRaw(t, v, em.Ref, what)
	}
}

func (m *modelled) compareRaw(t *testing.T, v *engine.View, ref engine.Ref, what string) {
	ts, vs, err := v.Raw(context.Background(), ref, 0, math.MaxInt64, nil, nil)
	if err != nil || len(ts) != len(m.raw) {
		t.Fatalf("%s: %d raw samples, want %d (%v)", what, len(ts), len(m.raw), err)
	}
	for i, at := range ts {
		if want, ok := m.raw[at]; !ok || math.Float64bits(vs[i]) != want {
			t.Fatalf("%s: raw sample at %d is %v, want %v (%v)", what, at, vs[i], math.Float64frombits(want), ok)
		}
	}
}

// differ says where two lists of points differ, bit for bit.
func differ(got engine.Points, want []model.Point) string {
	for i := range max(len(got.Times), len(want)) {
		switch {
		case i >= len(got.Times):
			return fmt.Sprintf("%d points, want %d: the one at %v (%v) is missing", i, len(want), time.Unix(0, want[i].Time).UTC(), want[i].Value)
		case i >= len(want):
			return fmt.Sprintf("%d points, want %d: the one at %v (%v) is too much", len(got.Times), i, time.Unix(0, got.Times[i]).UTC(), got.Values[i])
		case got.Times[i] != want[i].Time:
			return fmt.Sprintf("point %d of %d at %d, want %d of %d", i, len(got.Times), got.Times[i], want[i].Time, len(want))
		case math.Float64bits(got.Values[i]) != math.Float64bits(want[i].Value):
			return fmt.Sprintf("point %d of %d at %v: %v, want %v", i, len(want), time.Unix(0, want[i].Time).UTC(), got.Values[i], want[i].Value)
		}
	}
	return ""
}

// compareCatalogue compares resources one by one, and what the index says of them and of metrics.
func (c *campaign) compareCatalogue(t *testing.T, db *engine.DB) {
	want := map[string]*resourceSpec{}
	names := map[string][]string{}
	policies := map[string][]string{}
	metrics := 0
	for i, st := range c.st.Workers {
		maps.Copy(want, st.Resources)
		if st.Born {
			id := ledgerID(i).String()
			l, err := db.Resource(ledgerID(i))
			if err != nil || l.Attributes["rev"].Num > float64(st.N) {
				t.Fatalf("ledger of worker %d: %+v, %v; want at most %d", i, l, err, st.N)
			}
			want[id] = &resourceSpec{ID: id, Project: "ledgers", Host: fmt.Sprint("w", i), Rev: l.Attributes["rev"].Num}
		}
		for id, m := range st.Metrics {
			names[m.Name] = append(names[m.Name], id)
			policies[m.Policy] = append(policies[m.Policy], id)
			metrics++
		}
	}
	for id, s := range want {
		r, err := db.Resource(mustParse(id))
		if err != nil || *r.ProjectID != s.Project || r.Attributes["host"].Str != s.Host || r.Attributes["rev"].Num != s.Rev {
			t.Fatalf("resource %s: %+v, %v; want %+v", id, r, err, s)
		}
		n := 0
		for _, st := range c.st.Workers {
			for mid, m := range st.Metrics {
				if m.Resource == id {
					n++
					if r.Metrics[m.Name].ID != mustParse(mid) {
						t.Fatalf("resource %s has %v as %s, want %s", id, r.Metrics[m.Name].ID, m.Name, mid)
					}
				}
			}
		}
		if n != len(r.Metrics) {
			t.Fatalf("resource %s has metrics %v, want %d", id, r.Metrics, n)
		}
	}
	c.compareResources(t, db, want)
	for name, ids := range names {
		checkMetrics(t, db, "name", name, ids)
	}
	for name, ids := range policies {
		checkMetrics(t, db, "archive_policy_name", name, ids)
	}
	for _, n := range c.st.Crowd.Ticks {
		if n > 0 {
			metrics += crowdChunk
		}
	}
	if r, m := db.CountResources(), db.CountMetrics(); r != len(want) || m != metrics {
		t.Fatalf("%d resources and %d metrics, want %d and %d", r, m, len(want), metrics)
	}
}

// compareResources asks the index about resources.
func (c *campaign) compareResources(t *testing.T, db *engine.DB, want map[string]*resourceSpec) {
	text := func(s string) index.Value { return index.Value{Kind: index.Bytes, Str: s} }
	mid := index.Value{Kind: index.Number, Num: float64(c.r.IntN(1 + c.st.Workers[0].N))}
	ask := func(f *index.Filter, match func(*resourceSpec) bool) {
		rs, err := db.Resources(context.Background(), engine.Query{Filter: f})
		if err != nil {
			t.Fatalf("resources by %+v: %v", f, err)
		}
		var got, ids []string
		for _, r := range rs {
			got = append(got, r.ID.String())
		}
		for id, s := range want {
			if match(s) {
				ids = append(ids, id)
			}
		}
		if slices.Sort(ids); !slices.Equal(got, ids) {
			t.Fatalf("resources by %+v: %v, want %v", f, got, ids)
		}
	}
	ask(nil, func(*resourceSpec) bool { return true })
	for i := range 4 {
		project, host := fmt.Sprint("project", i), fmt.Sprint("host", i)
		ask(&index.Filter{Op: index.Eq, Field: "project_id", Value: text(project)}, func(s *resourceSpec) bool { return s.Project == project })
		ask(&index.Filter{Op: index.Eq, Field: "host", Value: text(host)}, func(s *resourceSpec) bool { return s.Host == host })
		ask(&index.Filter{Op: index.And, Subs: []*index.Filter{
			{Op: index.Ge, Field: "rev", Value: mid}, {Op: index.Ne, Field: "project_id", Value: text(project)}}},
			func(s *resourceSpec) bool { return s.Rev >= mid.Num && s.Project != project })
	}
}

func checkMetrics(t *testing.T, db *engine.DB, field, value string, ids []string) {
	ms, err := db.Metrics(context.Background(), engine.Query{Filter: &index.Filter{Op: index.Eq, Field: field, Value: index.Value{Kind: index.Bytes, Str: value}}})
	var got []string
	for i := range ms {
		got = append(got, ms[i].ID.String())
	}
	if slices.Sort(ids); err != nil || !slices.Equal(got, ids) {
		t.Fatalf("metrics by %s %s: %v, %v; want %v", field, value, got, err, ids)
	}
}
