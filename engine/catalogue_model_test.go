package engine

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// catModel is the catalogue as four maps. Its operations return the error kind that the engine's must return.
type catModel struct {
	policies  map[string]ArchivePolicy
	order     []string // of creation of policies
	rules     map[string]Rule
	types     map[string]ResourceType
	resources map[UUID]Resource // Metrics nil
	metrics   map[UUID]Metric
	last      Ref
	past      []Resource // revisions in the order of their numbers
	revision  uint32     // the last number
}

func newCatModel() *catModel {
	return &catModel{policies: map[string]ArchivePolicy{}, rules: map[string]Rule{},
		types: map[string]ResourceType{"generic": {Name: "generic"}}, resources: map[UUID]Resource{}, metrics: map[UUID]Metric{}}
}

func (m *catModel) clone() *catModel {
	return &catModel{maps.Clone(m.policies), slices.Clone(m.order), maps.Clone(m.rules), maps.Clone(m.types), maps.Clone(m.resources), maps.Clone(m.metrics), m.last,
		slices.Clone(m.past), m.revision}
}

func (m *catModel) named(resource UUID, name string) (Metric, bool) {
	for _, x := range m.metrics {
		if x.Resource != nil && *x.Resource == resource && *x.Name == name {
			return x, true
		}
	}
	return Metric{}, false
}

// full is the resource as reads show it.
func (m *catModel) full(id UUID) Resource {
	return m.withMetrics(m.resources[id])
}

func (m *catModel) withMetrics(r Resource) Resource {
	id := r.ID
	r.Metrics = map[string]MetricRef{}
	for _, x := range m.metrics {
		if x.Resource != nil && *x.Resource == id {
			r.Metrics[*x.Name] = MetricRef{x.ID, x.Ref}
		}
	}
	return r
}

// catHarness runs the same on the engine and on the model.
type catHarness struct {
	t  *testing.T
	r  *rand.Rand
	fs vfs.FS
	db *DB
	m  *catModel
}

func (h *catHarness) open() {
	h.t.Helper()
	var err error
	if h.db, err = Open("db", &Options{FS: h.fs, MemoryBytes: 8 << 20}); err != nil {
		h.t.Fatal(err)
	}
}

func pick[V any](r *rand.Rand, vs ...V) V { return vs[r.IntN(len(vs))] }

func opt(r *rand.Rand, s string) *string {
	if r.IntN(4) == 0 {
		return nil
	}
	return &s
}

// uuid draws from a small set, so that ids meet.
func (h *catHarness) uuid() UUID { return UUID{0: byte(1 + h.r.IntN(40)), 15: byte(h.r.IntN(3))} }

func (h *catHarness) policyName() string { return pick(h.r, "low", "high", "é ✔", "p\x00q") }

func (h *catHarness) randomPolicy() ArchivePolicy {
	p := ArchivePolicy{Name: h.policyName(), BackWindow: h.r.IntN(3), Raw: pick(h.r, 0, RawForever, time.Hour),
		Methods: []rollup.Method{rollup.Sum, rollup.Pct(95), rollup.Mean.OfRate()}}
	for _, w := range h.r.Perm(3)[:1+h.r.IntN(2)] {
		width := time.Duration(w+1) * time.Minute
		n := int64(h.r.IntN(3)) * 10
		p.Definition = append(p.Definition, Granularity{width, n, width * time.Duration(n)})
	}
	return p
}

func (h *catHarness) randomResource() Resource {
	r := Resource{ID: h.uuid(), OriginalID: pick(h.r, "vm-1", "vm-2", "a\x00b"), Type: pick(h.r, "generic", "instance"),
		Creator: opt(h.r, "admin"), UserID: opt(h.r, "u"), ProjectID: opt(h.r, pick(h.r, "p1", "p2", "p3")),
		StartedAt: time.UnixMicro(h.r.Int64N(50)).UTC(), RevisionStart: time.UnixMicro(1 + h.r.Int64N(5)).UTC(),
		Attributes: map[string]index.Value{}}
	if h.r.IntN(3) == 0 {
		end := time.UnixMicro(h.r.Int64N(100)).UTC()
		r.EndedAt = &end
	}
	for name := range modelAttributes {
		if h.r.IntN(2) == 0 {
			r.Attributes[name] = h.randomAttribute(name)
		}
	}
	return r
}

func (h *catHarness) metricName() string { return pick(h.r, "cpu", "memory", "disk.io", "π\x00") }

// step does one random operation on both and compares the errors. It returns whether the model changed.
func (h *catHarness) step(tx *Tx, m *catModel) {
	h.t.Helper()
	same := func(op string, got, want error) {
		h.t.Helper()
		if want == nil && got != nil || !errors.Is(got, want) {
			h.t.Fatalf("%s: got %v, want %v", op, got, want)
		}
	}
	switch h.r.IntN(18) {
	case 0:
		p := h.randomPolicy()
		var want error
		if _, ok := m.policies[p.Name]; ok {
			want = ErrExists
		} else {
			m.policies[p.Name] = p
			m.order = append(m.order, p.Name)
		}
		same("create policy", tx.CreateArchivePolicy(p), want)
	case 1:
		name := h.policyName()
		old, ok := m.policies[name]
		def, window := h.randomPolicy().Definition, h.r.IntN(4)
		want := modelUpdatePolicy(m, old, ok, def, window)
		p, got := tx.UpdateArchivePolicy(name, def, &window)
		same("update policy", got, want)
		if want == nil && !reflect.DeepEqual(p, m.policies[name]) {
			h.t.Fatalf("update policy: %+v, want %+v", p, m.policies[name])
		}
	case 2:
		name := h.policyName()
		same("delete policy", tx.DeleteArchivePolicy(name), m.deletePolicy(name))
	case 3:
		r := Rule{pick(h.r, "r1", "r2", "r3"), pick(h.r, "*", "disk.*", "c?u"), h.policyName()}
		var want error
		if _, ok := m.rules[r.Name]; ok {
			want = ErrExists
		} else if _, ok := m.policies[r.Policy]; !ok {
			want = ErrNotFound
		} else {
			m.rules[r.Name] = r
		}
		same("create rule", tx.CreateRule(r), want)
	case 4:
		name, to := pick(h.r, "r1", "r2", "r3"), pick(h.r, "r1", "r2", "r4")
		r, ok := m.rules[name]
		var want error
		if _, taken := m.rules[to]; !ok {
			want = ErrNotFound
		} else if taken {
			want = ErrExists
		} else {
			delete(m.rules, name)
			r.Name = to
			m.rules[to] = r
		}
		_, got := tx.RenameRule(name, to)
		same("rename rule", got, want)
	case 5:
		name := pick(h.r, "r1", "r2", "r3", "r4")
		var want error
		if _, ok := m.rules[name]; !ok {
			want = ErrNotFound
		}
		delete(m.rules, name)
		same("delete rule", tx.DeleteRule(name), want)
	case 6, 7:
		r := h.randomResource()
		m.trim(h.r, &r, r.Type, nil)
		want := m.fits(&r, r.Type, nil)
		if _, ok := m.resources[r.ID]; ok && want == nil {
			want = ErrExists
		} else if want == nil {
			m.resources[r.ID] = r
		}
		same("create resource", tx.CreateResource(&r), want)
	case 8:
		r := h.randomResource()
		old, ok := m.resources[r.ID]
		m.trim(h.r, &r, old.Type, &old)
		want := m.fits(&r, old.Type, &old)
		if ok && want == nil {
			n := r
			n.Type, n.OriginalID, n.Creator = old.Type, old.OriginalID, old.Creator
			m.update(old, n)
		} else if !ok {
			want = ErrNotFound
		}
		same("update resource", tx.UpdateResource(&r), want)
	case 9:
		id := h.uuid()
		var want error
		if _, ok := m.resources[id]; !ok {
			want = ErrNotFound
		}
		m.deleteResource(id)
		same("delete resource", tx.DeleteResource(id), want)
	case 10, 11:
		x := Metric{ID: h.uuid(), Name: opt(h.r, h.metricName()), Unit: opt(h.r, "B"), Creator: opt(h.r, "admin"), Policy: h.policyName()}
		if h.r.IntN(3) > 0 {
			id := h.uuid()
			x.Resource = &id
		}
		want := m.createMetric(&x)
		got, err := tx.CreateMetric(x)
		same("create metric", err, want)
		if want == nil {
			x.Ref = got.Ref
			m.metrics[x.ID] = x
			if x.Ref <= m.last || !reflect.DeepEqual(got, x) {
				h.t.Fatalf("create metric: %+v, want %+v, and a new ref", got, x)
			}
			m.last = x.Ref
		}
	case 12:
		id, to, name := h.uuid(), h.uuid(), h.metricName()
		resource, as := &to, &name
		if h.r.IntN(3) == 0 {
			resource, as = nil, nil
		}
		same("attach metric", tx.AttachMetric(id, resource, as), m.attach(id, resource, as))
	case 13:
		id := h.uuid()
		var want error
		if _, ok := m.metrics[id]; !ok {
			want = ErrNotFound
		}
		delete(m.metrics, id)
		same("delete metric", tx.DeleteMetric(id), want)
	case 14, 15, 16:
		h.typeStep(tx, m, same)
	}
}

// update replaces a resource and keeps what it was, if that is something else.
func (m *catModel) update(old, n Resource) {
	same := n
	same.RevisionStart = old.RevisionStart
	if reflect.DeepEqual(same, old) {
		return
	}
	m.resources[old.ID] = n
	m.revision++
	old.Revision, old.RevisionEnd = m.revision, &n.RevisionStart
	m.past = append(m.past, old)
}

func (m *catModel) deleteResource(id UUID) {
	delete(m.resources, id)
	maps.DeleteFunc(m.metrics, func(_ UUID, x Metric) bool { return x.Resource != nil && *x.Resource == id })
	m.past = slices.DeleteFunc(m.past, func(r Resource) bool { return r.ID == id })
}

func modelUpdatePolicy(m *catModel, old ArchivePolicy, ok bool, def []Granularity, window int) error {
	if !ok {
		return ErrNotFound
	}
	widths := func(def []Granularity) (ws []time.Duration) {
		for _, g := range def {
			ws = append(ws, g.Width)
		}
		slices.Sort(ws)
		return ws
	}
	if !slices.Equal(widths(old.Definition), widths(def)) {
		return ErrUnsupported
	}
	old.Definition, old.BackWindow = def, window
	m.policies[old.Name] = old
	return nil
}

func (m *catModel) deletePolicy(name string) error {
	if _, ok := m.policies[name]; !ok {
		return ErrNotFound
	}
	for _, x := range m.metrics {
		if x.Policy == name {
			return ErrInUse
		}
	}
	for _, r := range m.rules {
		if r.Policy == name {
			return ErrInUse
		}
	}
	delete(m.policies, name)
	m.order = slices.DeleteFunc(m.order, func(s string) bool { return s == name })
	return nil
}

func (m *catModel) createMetric(x *Metric) error {
	if x.Resource != nil && x.Name == nil {
		return ErrInvalid
	}
	if _, ok := m.metrics[x.ID]; ok {
		return ErrExists
	}
	if x.Resource != nil {
		if _, ok := m.resources[*x.Resource]; !ok {
			return ErrNotFound
		}
		if _, ok := m.named(*x.Resource, *x.Name); ok {
			return ErrExists
		}
	}
	if _, ok := m.policies[x.Policy]; !ok {
		return ErrNotFound
	}
	return nil
}

func (m *catModel) attach(id UUID, resource *UUID, name *string) error {
	x, ok := m.metrics[id]
	if !ok {
		return ErrNotFound
	}
	if resource != nil {
		if _, ok := m.resources[*resource]; !ok {
			return ErrNotFound
		}
		if o, ok := m.named(*resource, *name); ok && o.ID != id {
			return ErrExists
		}
		x.Name = name
	}
	x.Resource = resource
	m.metrics[id] = x
	return nil
}

// check compares all that can be read.
func (h *catHarness) check() {
	h.t.Helper()
	equal := func(what string, got, want any) {
		h.t.Helper()
		if !reflect.DeepEqual(got, want) {
			h.t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
		}
	}
	db, m := h.db, h.m
	equal("metrics", db.CountMetrics(), len(m.metrics))
	equal("resources", db.CountResources(), len(m.resources))
	types := slices.SortedFunc(maps.Values(m.types), func(a, b ResourceType) int { return cmp.Compare(a.Name, b.Name) })
	equal("resource types", db.ResourceTypes(), types)
	equal("revisions", db.CountRevisions(), len(m.past))
	policies := []ArchivePolicy{}
	for _, name := range m.order {
		policies = append(policies, m.policies[name])
	}
	equal("policies", db.ArchivePolicies(), policies)
	rules := slices.SortedFunc(maps.Values(m.rules), func(a, b Rule) int {
		return cmp.Or(cmp.Compare(b.Pattern, a.Pattern), cmp.Compare(a.Name, b.Name))
	})
	equal("rules", append([]Rule{}, db.Rules()...), append([]Rule{}, rules...))
	for range 5 {
		id := h.uuid()
		r, err := db.Resource(id)
		if _, ok := m.resources[id]; ok != (err == nil) || !ok && !errors.Is(err, ErrNotFound) {
			h.t.Fatalf("resource %v: %v, want found %v", id, err, ok)
		} else if ok {
			equal("resource", *r, m.full(id))
		}
		x, err := db.Metric(id)
		if want, ok := m.metrics[id]; ok != (err == nil) || !ok && !errors.Is(err, ErrNotFound) {
			h.t.Fatalf("metric %v: %v, want found %v", id, err, ok)
		} else if ok {
			equal("metric", x, want)
			st, err := db.cat.metricState(x.Ref)
			if err != nil || st.id != id || st.plan().window != newPlan(ptr(m.policies[x.Policy])).window {
				h.t.Fatalf("state of metric %v: %+v, %v", id, st, err)
			}
		}
		name := h.metricName()
		ref, err := db.ResourceMetric(id, name)
		if want, ok := m.named(id, name); ok != (err == nil) {
			h.t.Fatalf("metric %q of %v: %v, want found %v", name, id, err, ok)
		} else if ok {
			equal("resource's metric", ref, MetricRef{want.ID, want.Ref})
		}
	}
	h.checkResources()
	h.checkMetrics()
	ended := []uint32{}
	for _, x := range m.metrics {
		if x.Resource != nil && m.resources[*x.Resource].EndedAt != nil {
			ended = append(ended, uint32(x.Ref))
		}
	}
	slices.Sort(ended)
	equal("metrics of ended resources", append([]uint32{}, db.cat.ended.Load().ToArray()...), ended)
}

func ptr[T any](v T) *T { return &v }

// states are what a search looks at: the present states and, with history, past ones.
func (m *catModel) states(history bool) []Resource {
	all := slices.Collect(maps.Values(m.resources))
	if history {
		all = append(all, m.past...)
	}
	return all
}

func (h *catHarness) randomQuery() Query {
	number := func(f float64) index.Value { return index.Value{Kind: index.Number, Num: f} }
	q := Query{Limit: h.r.IntN(20), History: h.r.IntN(2) == 0}
	for range h.r.IntN(3) {
		q.Sort = append(q.Sort, SortKey{Field: pick(h.r, fieldStarted, fieldRevisionStart, fieldRevisionEnd, fieldRevision, fieldProject,
			"host", "size", fieldID), Desc: h.r.IntN(2) == 0, NullsFirst: h.r.IntN(3) == 0, NullsLast: h.r.IntN(3) == 0})
		if k := &q.Sort[len(q.Sort)-1]; k.NullsFirst {
			k.NullsLast = false
		}
	}
	if h.r.IntN(3) > 0 {
		q.Filter = pick(h.r, &index.Filter{Op: index.Eq, Field: fieldProject, Value: textValue("p1")},
			&index.Filter{Op: index.Ne, Field: "host", Value: textValue("h2")},
			&index.Filter{Op: index.Ge, Field: "size", Value: number(3)},
			&index.Filter{Op: index.Eq, Field: fieldRevision, Value: number(-1)},
			&index.Filter{Op: index.Eq, Field: fieldRevisionEnd},
			&index.Filter{Op: index.Gt, Field: FieldLifespan, Value: index.Value{Kind: index.Time, Time: 20_000}},
			&index.Filter{Op: index.Le, Field: fieldRevisionStart, Value: timeValue(time.UnixMicro(3))})
	}
	return q
}

// holds evaluates the comparisons of randomQuery.
func holds(f *index.Filter, r *resource) bool {
	if f == nil {
		return true
	}
	v := r.value(f.Field)
	c := index.Compare(v, f.Value)
	switch f.Op {
	case index.Eq:
		return v == f.Value
	case index.Ne:
		return v != f.Value
	case index.Gt:
		return v.Kind != index.Null && c > 0
	case index.Le:
		return v.Kind != index.Null && c <= 0
	}
	return v.Kind != index.Null && c >= 0
}

func compareStates(keys []SortKey, a, b *Resource) int {
	x, y := newResource(0, a, nil), newResource(0, b, nil)
	for _, k := range keys {
		v, w := x.value(k.Field), y.value(k.Field)
		c := index.Compare(v, w)
		if k.Desc {
			c = -c
		}
		if (v.Kind == index.Null) != (w.Kind == index.Null) {
			first := k.NullsFirst || k.Desc && !k.NullsLast
			if c = 1; (v.Kind == index.Null) == first {
				c = -1
			}
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Or(bytes.Compare(a.ID[:], b.ID[:]), cmp.Compare(a.Revision, b.Revision))
}

func (h *catHarness) checkResources() {
	h.t.Helper()
	q := h.randomQuery()
	var want []*Resource
	for _, r := range h.m.states(q.History) {
		if holds(q.Filter, newResource(0, &r, nil)) {
			want = append(want, ptr(h.m.withMetrics(r)))
		}
	}
	slices.SortFunc(want, func(a, b *Resource) int { return compareStates(q.Sort, a, b) })
	n := 0
	err := h.db.EachResource(context.Background(), Query{Filter: q.Filter, History: q.History}, func(r ResourceRow) error {
		i := slices.IndexFunc(want, func(w *Resource) bool { return w.ID == r.Resource().ID && w.Revision == r.Resource().Revision })
		if n++; i < 0 || !maps.Equal(maps.Collect(r.Metrics()), want[i].Metrics) {
			return fmt.Errorf("unexpected row %+v", r)
		}
		return nil
	})
	if err != nil || n != len(want) {
		h.t.Fatalf("rows of %+v: %v, %d of %d", q, err, n, len(want))
	}
	if all := h.m.states(q.History); len(all) > 0 && h.r.IntN(2) == 0 {
		at := all[h.r.IntN(len(all))]
		q.Marker, q.MarkerRevision = &at.ID, at.Revision
		want = slices.DeleteFunc(want, func(w *Resource) bool { return compareStates(q.Sort, w, &at) <= 0 })
	}
	if q.Limit > 0 && len(want) > q.Limit {
		want = want[:q.Limit]
	}
	got, err := h.db.Resources(context.Background(), q)
	if err != nil || !slices.EqualFunc(got, want, func(a, b *Resource) bool { return reflect.DeepEqual(a, b) }) {
		h.t.Fatalf("resources %+v: %v\n got %+v\nwant %+v", q, err, got, want)
	}
}

func (h *catHarness) checkMetrics() {
	h.t.Helper()
	f := pick(h.r, &index.Filter{Op: index.Eq, Field: fieldResource}, &index.Filter{Op: index.Eq, Field: fieldName, Value: textValue("cpu")},
		&index.Filter{Op: index.Eq, Field: fieldPolicy, Value: textValue("low")})
	var want []Metric
	for _, x := range h.m.metrics {
		m := newMetric(x, &policyEntry{name: x.Policy})
		if m.value(f.Field) == f.Value {
			want = append(want, x)
		}
	}
	slices.SortFunc(want, func(a, b Metric) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	got, err := h.db.Metrics(context.Background(), Query{Filter: f})
	if err != nil || !slices.EqualFunc(got, want, func(a, b Metric) bool { return reflect.DeepEqual(a, b) }) {
		h.t.Fatalf("metrics %+v: %v\n got %+v\nwant %+v", f, err, got, want)
	}
}

// TestCatalogueModel does random transactions, some of them given up, with the database reopened now and then, and
// compares with the model; meanwhile others read.
func TestCatalogueModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	h := &catHarness{t: t, r: rand.New(rand.NewPCG(seed, 0)), fs: vfs.NewMem(), m: newCatModel()}
	h.open()
	stop := h.readAside()
	giveUp := errors.New("given up")
	for range 300 {
		if h.r.IntN(20) == 0 {
			h.deleteMany()
		}
		m := h.m.clone()
		var result error
		if h.r.IntN(10) == 0 {
			result = giveUp
		}
		err := h.db.Update(context.Background(), func(tx *Tx) error {
			for range 1 + h.r.IntN(12) {
				h.step(tx, m)
			}
			return result
		})
		if !errors.Is(err, result) {
			t.Fatal(err)
		}
		if result == nil {
			h.m = m
		}
		h.check()
		if h.r.IntN(50) == 0 {
			stop()
			if err := h.db.Close(); err != nil {
				t.Fatal(err)
			}
			h.open()
			h.check()
			stop = h.readAside()
		}
	}
	stop()
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.db.Update(context.Background(), func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("update after close: %v", err)
	}
}

// readAside reads what is consistent in every state until the function returned is called.
func (h *catHarness) readAside() (stop func()) {
	var wg sync.WaitGroup
	done := make(chan struct{})
	db := h.db
	for i := range 2 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := readOnce(db, r); err != nil {
					h.t.Error(err)
					return
				}
				time.Sleep(100 * time.Microsecond) // leave the processor to the transactions
			}
		})
	}
	return func() { close(done); wg.Wait() }
}

func readOnce(db *DB, r *rand.Rand) error {
	ctx := context.Background()
	rs, err := db.Resources(ctx, Query{Filter: &index.Filter{Op: index.Eq, Field: fieldProject, Value: textValue("p1")}})
	if err != nil {
		return err
	}
	for _, x := range rs {
		if x.ProjectID == nil || *x.ProjectID != "p1" {
			return fmt.Errorf("a resource of project p1 has project %v", x.ProjectID)
		}
	}
	id := UUID{0: byte(1 + r.IntN(40)), 15: byte(r.IntN(3))}
	ms, err := db.Metrics(ctx, Query{Filter: &index.Filter{Op: index.Eq, Field: fieldResource, Value: uuidValue(id)}})
	if err != nil {
		return err
	}
	for _, m := range ms {
		if m.Resource == nil || *m.Resource != id {
			return fmt.Errorf("a metric of %v has resource %v", id, m.Resource)
		}
		if _, err := db.cat.metricState(m.Ref); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if _, err := db.Resource(id); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return db.EachResource(ctx, Query{History: true}, func(ResourceRow) error { return nil })
}
