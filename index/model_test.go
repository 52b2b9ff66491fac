package index

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The model keeps objects in a map and evaluates filters and orders by the book. It shares nothing with the index but Value.

type object map[string]Value

type model map[uint32]object

const (
	testSpace  = 7
	idPrefix   = 0x11
	testPrefix = 0x20
)

var testOptions = Options{Prefix: testPrefix, CacheBytes: 1 << 20, Fields: []Field{
	{Space: testSpace, Name: "id", Unique: []byte{idPrefix}},
	{Space: testSpace, Name: "type", Required: true},
	{Space: testSpace, Name: "always", Constant: &Value{Kind: Number, Num: -1}},
}}

var testFields = []string{"id", "type", "always", "name", "num", "time", "flag", "mixed"}

func openStore(t testing.TB) *pebble.DB {
	t.Helper()
	p, err := pebble.Open("db", &pebble.Options{FS: vfs.NewMem(), Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type quiet struct{}

func (quiet) Infof(string, ...any)            {}
func (quiet) Errorf(string, ...any)           {}
func (quiet) Fatalf(format string, as ...any) { panic(fmt.Sprintf(format, as...)) }

func randomText(r *rand.Rand) string {
	parts := []string{"a", "b", "ab", "\x00", "\x00\x01", "\xff", "é", "%", "_", "\\", "x", ""}
	var b strings.Builder
	for range r.IntN(4) {
		b.WriteString(parts[r.IntN(len(parts))])
	}
	return b.String()
}

func randomNumber(r *rand.Rand) float64 {
	ns := []float64{0, math.Copysign(0, -1), 1, -1, 0.5, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -1e-300,
		math.Float64frombits(0xfff8000000000123)}
	if r.IntN(3) > 0 {
		return float64(r.IntN(50)) - 25
	}
	return ns[r.IntN(len(ns))]
}

func randomValue(r *rand.Rand, field string) Value {
	text := func(s string) Value { return Value{Kind: Bytes, Str: s} }
	switch field {
	case "type":
		return text([]string{"instance", "volume", "network"}[r.IntN(3)])
	case "always":
		return Value{Kind: Number, Num: float64(r.IntN(3) - 2)}
	case "name":
		return text(randomText(r))
	case "num":
		return Value{Kind: Number, Num: randomNumber(r)}
	case "time":
		return Value{Kind: Time, Time: []int64{math.MinInt64, -1, 0, 1, 1e18, math.MaxInt64, r.Int64N(100), r.Int64N(20)<<(cellShift-1) - r.Int64N(2)}[r.IntN(8)]}
	case "flag":
		return Value{Kind: Bool, Num: float64(r.IntN(2))}
	case "mixed":
		return randomValue(r, []string{"name", "num", "time", "flag", "type"}[r.IntN(5)])
	}
	return Value{}
}

func randomObject(r *rand.Rand) object {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], r.Uint64())
	o := object{"id": {Kind: Bytes, Str: string(id[:])}, "type": randomValue(r, "type"), "always": {Kind: Number, Num: -1}}
	for _, f := range testFields[3:] {
		if r.IntN(4) > 0 {
			o[f] = randomValue(r, f)
		}
	}
	return o
}

func randomFilter(r *rand.Rand, m model, depth int) *Filter {
	if depth > 0 && r.IntN(2) == 0 {
		f := &Filter{Op: Op(r.IntN(3)) + And}
		n := r.IntN(4)
		if f.Op == Not {
			n = 1
		}
		for range n {
			f.Subs = append(f.Subs, randomFilter(r, m, depth-1))
		}
		return f
	}
	f := &Filter{Op: Eq + Op(r.IntN(int(Like-Eq)+1)), Field: testFields[r.IntN(len(testFields))]}
	if r.IntN(20) == 0 {
		f.Field = "unheard of"
	}
	f.Value = randomOperand(r, m, f.Field)
	for range r.IntN(4) {
		f.Values = append(f.Values, randomOperand(r, m, f.Field))
	}
	return f
}

func randomOperand(r *rand.Rand, m model, field string) Value {
	switch {
	case r.IntN(10) == 0:
		return Value{}
	case r.IntN(10) == 0:
		return randomValue(r, "mixed")
	case field == "id":
		for _, o := range m { // any
			return o["id"]
		}
	}
	return randomValue(r, field)
}

// modelCompare orders by kind, then value.
func modelCompare(a, b Value) int {
	if a.Kind != b.Kind {
		return cmp.Compare(a.Kind, b.Kind)
	}
	switch a.Kind {
	case Bool, Number:
		switch x, y := a.Num, b.Num; {
		case math.IsNaN(x) && math.IsNaN(y):
			return 0
		case math.IsNaN(x):
			return 1
		case math.IsNaN(y):
			return -1
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	case Time:
		return cmp.Compare(a.Time, b.Time)
	}
	return bytes.Compare([]byte(a.Str), []byte(b.Str))
}

// modelLike fills the table of which beginnings of the pattern match which beginnings of s.
func modelLike(pattern, s string) bool {
	chars := func(s string) (out []string) {
		for len(s) > 0 {
			_, n := utf8.DecodeRuneInString(s)
			out, s = append(out, s[:n]), s[n:]
		}
		return out
	}
	type element struct {
		char string
		wild bool
	}
	var ps []element
	for rest := chars(pattern); len(rest) > 0; rest = rest[1:] {
		if rest[0] == "\\" && len(rest) > 1 {
			rest = rest[1:]
			ps = append(ps, element{rest[0], false})
		} else {
			ps = append(ps, element{rest[0], rest[0] == "%" || rest[0] == "_"})
		}
	}
	cs := chars(s)
	ok := make([]bool, len(cs)+1)
	ok[0] = true
	for _, p := range ps {
		next := make([]bool, len(cs)+1)
		for i := range next {
			if p.wild && p.char == "%" {
				next[i] = ok[i] || i > 0 && next[i-1]
			} else if i > 0 {
				next[i] = ok[i-1] && (p.wild || p.char == cs[i-1])
			}
		}
		ok = next
	}
	return ok[len(cs)]
}

// modelTruth returns 1, 0 (unknown) or -1.
func modelTruth(f *Filter, o object) int {
	switch f.Op {
	case And, Or:
		out := 1
		if f.Op == Or {
			out = -1
		}
		for _, s := range f.Subs {
			if t := modelTruth(s, o); f.Op == And {
				out = min(out, t)
			} else {
				out = max(out, t)
			}
		}
		return out
	case Not:
		return -modelTruth(f.Subs[0], o)
	}
	yes := func(b bool) int {
		if b {
			return 1
		}
		return -1
	}
	have := o[f.Field]
	null := have.Kind == Null
	switch f.Op {
	case Eq, Ne:
		if f.Value.Kind == Null {
			return yes(null == (f.Op == Eq))
		}
		if null {
			return yes(f.Op == Ne) * int(f.Op-Eq)
		}
		return yes((modelCompare(have, f.Value) == 0) == (f.Op == Eq))
	case In:
		if null {
			return 0
		}
		out := -1
		for _, v := range f.Values {
			if v.Kind == Null {
				out = max(out, 0)
			} else if modelCompare(have, v) == 0 {
				out = 1
			}
		}
		return out
	}
	if null || f.Value.Kind == Null {
		return 0
	}
	if have.Kind != f.Value.Kind {
		return -1
	}
	c := modelCompare(have, f.Value)
	switch f.Op {
	case Lt:
		return yes(c < 0)
	case Le:
		return yes(c <= 0)
	case Gt:
		return yes(c > 0)
	case Ge:
		return yes(c >= 0)
	}
	return yes(have.Kind == Bytes && modelLike(f.Value.Str, have.Str))
}

func (m model) eval(f *Filter) []uint32 {
	var out []uint32
	for ord, o := range m {
		if f == nil || modelTruth(f, o) > 0 {
			out = append(out, ord)
		}
	}
	slices.Sort(out)
	return out
}

func (m model) compare(keys []SortKey, x, y uint32) int {
	for _, k := range keys {
		a, b := m[x][k.Field], m[y][k.Field]
		c := 0
		switch {
		case a.Kind == Null && b.Kind == Null:
		case a.Kind == Null || b.Kind == Null:
			c = 1
			if (a.Kind == Null) == k.NullsFirst {
				c = -1
			}
		case k.Desc:
			c = modelCompare(b, a)
		default:
			c = modelCompare(a, b)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(x, y)
}

func (m model) clone() model {
	c := make(model, len(m))
	for ord, o := range m {
		c[ord] = o // objects are replaced, never changed
	}
	return c
}

// harness keeps an index and the model side by side.
type harness struct {
	t    *testing.T
	r    *rand.Rand
	p    *pebble.DB
	ix   *Index
	m    model
	next uint32
	span uint32 // ordinals are drawn with gaps up to it
}

func (h *harness) commit(n int) {
	h.t.Helper()
	b := h.p.NewBatch()
	defer b.Close()
	c := h.ix.NewChange()
	done := map[uint32]bool{}
	for range n {
		if len(h.m) == 0 || h.r.IntN(5) < 2 {
			h.next += 1 + h.r.Uint32N(h.span)
			h.m[h.next] = randomObject(h.r)
			done[h.next] = true
			c.Insert(testSpace, h.next)
			h.apply(b, c, h.next, nil, h.m[h.next])
			continue
		}
		for ord, old := range h.m {
			if done[ord] {
				break
			}
			done[ord] = true
			if h.r.IntN(2) == 0 {
				now := randomObject(h.r)
				now["id"] = old["id"]
				h.apply(b, c, ord, old, now)
				h.m[ord] = now
			} else {
				c.Delete(testSpace, ord)
				h.apply(b, c, ord, old, nil)
				delete(h.m, ord)
			}
			break
		}
	}
	if err := c.Write(b, h.p); err != nil {
		h.t.Fatal(err)
	}
	if h.r.IntN(30) == 0 {
		return // as if the commit had failed
	}
	if err := h.p.Apply(b, pebble.NoSync); err != nil {
		h.t.Fatal(err)
	}
	c.Publish()
}

func (h *harness) apply(b *pebble.Batch, c *Change, ord uint32, old, now object) {
	for _, f := range testFields {
		c.Set(testSpace, ord, f, old[f], now[f])
	}
	if old == nil {
		b.Set(append([]byte{idPrefix}, now["id"].Str...), binary.BigEndian.AppendUint32(nil, ord), nil)
	}
	if now == nil {
		b.Delete(append([]byte{idPrefix}, old["id"].Str...), nil)
	}
}

func (m model) fetch(dst []Value, ord uint32, fields []string) ([]Value, error) {
	o, ok := m[ord]
	if !ok {
		return dst, fmt.Errorf("fetch of %d, which does not exist", ord)
	}
	for _, f := range fields {
		dst = append(dst, o[f])
	}
	return dst, nil
}

func (h *harness) view(r pebble.Reader, m model) *View {
	v, err := h.ix.View(r, m.fetch)
	if err != nil {
		h.t.Fatal(err)
	}
	v.sortFew, v.testFew = h.r.Uint64N(30), h.r.Uint64N(30)
	return v
}

func (h *harness) check(v *View, m model) {
	h.t.Helper()
	f := randomFilter(h.r, m, 3)
	if h.r.IntN(5) == 0 {
		f = nil
	}
	set, err := v.Eval(context.Background(), testSpace, f)
	if err != nil {
		h.t.Fatal(err)
	}
	want := m.eval(f)
	if got := set.ToArray(); !slices.Equal(got, want) {
		h.t.Fatalf("filter %s\n got %v\nwant %v", f, got, want)
	}
	if len(m) == 0 {
		return
	}
	p := Page{Space: testSpace, Set: set, Limit: h.r.IntN(40)}
	for range 1 + h.r.IntN(3) {
		p.Keys = append(p.Keys, SortKey{testFields[h.r.IntN(len(testFields))], h.r.IntN(2) == 0, h.r.IntN(2) == 0})
	}
	if h.r.IntN(2) == 0 {
		for ord := range m {
			var err error
			if p.After, err = v.PlaceOf(ord, p.Keys); err != nil {
				h.t.Fatal(err)
			}
			break
		}
	}
	got, err := v.Page(context.Background(), p)
	if err != nil {
		h.t.Fatal(err)
	}
	slices.SortFunc(want, func(a, b uint32) int { return m.compare(p.Keys, a, b) })
	if p.After != nil {
		want = slices.DeleteFunc(want, func(o uint32) bool { return m.compare(p.Keys, o, p.After.Ord) <= 0 })
	}
	if p.Limit > 0 && len(want) > p.Limit {
		want = want[:p.Limit]
	}
	if !slices.Equal(got, want) {
		h.t.Fatalf("page %+v\n got %v\nwant %v", p, got, want)
	}
}

// TestModel does random changes and compares filters and pages with the model, on the present and on past states.
func TestModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	for i, span := range []uint32{1, 3, 3000, 1 << 20} {
		t.Run(fmt.Sprintf("span=%d", span), func(t *testing.T) {
			t.Logf("seed %d", seed+uint64(i))
			h := &harness{t: t, r: rand.New(rand.NewPCG(seed+uint64(i), 0)), p: openStore(t), m: model{}, span: span, next: 65000}
			defer h.p.Close()
			if span == 3 {
				h.next = math.MaxUint32 - 20000
			}
			h.run(400)
		})
	}
}

func (h *harness) run(steps int) {
	var err error
	if h.ix, err = Open(h.p, testOptions); err != nil {
		h.t.Fatal(err)
	}
	type past struct {
		snap *pebble.Snapshot
		m    model
	}
	var pasts []past
	for range steps {
		before := h.m.clone()
		seq := h.ix.Seq()
		h.ix.largePosting, h.ix.manySteps = 1+h.r.IntN(40), h.r.IntN(40)
		h.commit(h.r.IntN(8))
		if h.ix.Seq() == seq {
			h.m = before
		}
		h.check(h.view(h.p, h.m), h.m)
		switch h.r.IntN(20) {
		case 0:
			pasts = append(pasts, past{h.p.NewSnapshot(), h.m.clone()})
		case 1:
			if h.ix, err = Open(h.p, testOptions); err != nil {
				h.t.Fatal(err)
			}
		}
		if n := len(pasts); n > 0 {
			p := pasts[h.r.IntN(n)]
			h.check(h.view(p.snap, p.m), p.m)
		}
	}
	for _, p := range pasts {
		h.check(h.view(p.snap, p.m), p.m)
		p.snap.Close()
	}
	h.checkStore()
}

// checkStore: every key is sound, and no value stands in the dictionary that nothing has.
func (h *harness) checkStore() {
	it, err := h.p.NewIter(&pebble.IterOptions{LowerBound: []byte{testPrefix}, UpperBound: []byte{testPrefix + 1}})
	if err != nil {
		h.t.Fatal(err)
	}
	defer it.Close()
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		n++
		if err := h.ix.CheckEntry(it.Key(), it.Value()); err != nil {
			h.t.Errorf("%x: %v", it.Key(), err)
		}
	}
	for _, f := range testFields {
		v := h.view(h.p, h.m)
		w, err := v.walk(testSpace, f, bounds{}, false)
		if err != nil {
			h.t.Fatal(err)
		}
		for {
			ok, err := w.next()
			if err != nil {
				h.t.Fatal(err)
			}
			if !ok {
				break
			}
			val, _ := w.value()
			if len(h.m.eval(&Filter{Op: Eq, Field: f, Value: val})) == 0 {
				h.t.Errorf("field %s: nothing has the value %+v", f, val)
			}
		}
		w.close()
	}
	h.t.Logf("%d objects, %d keys", len(h.m), n)
}

func (f *Filter) String() string {
	if f == nil {
		return "all"
	}
	if len(f.Subs) > 0 || f.Op <= Not {
		return fmt.Sprintf("%d%v", f.Op, f.Subs)
	}
	return fmt.Sprintf("(%s %d %+v %+v)", f.Field, f.Op, f.Value, f.Values)
}

// TestDamage: whatever bytes stand under the index's keys, questions are answered or refused with ErrCorrupt.
func TestDamage(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	h := &harness{t: t, r: r, p: openStore(t), m: model{}, span: 3}
	defer h.p.Close()
	var err error
	if h.ix, err = Open(h.p, testOptions); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		before, seq := h.m.clone(), h.ix.Seq()
		h.commit(8)
		if h.ix.Seq() == seq {
			h.m = before
		}
	}
	var keys, vals [][]byte
	it, _ := h.p.NewIter(&pebble.IterOptions{LowerBound: []byte{testPrefix, testSpace}, UpperBound: []byte{testPrefix + 1}})
	for ok := it.First(); ok; ok = it.Next() {
		keys, vals = append(keys, bytes.Clone(it.Key())), append(vals, bytes.Clone(it.Value()))
	}
	it.Close()
	for range 250 {
		i := r.IntN(len(keys))
		key, val := bytes.Clone(keys[i]), bytes.Clone(vals[i])
		if r.IntN(2) == 0 {
			key[2+r.IntN(len(key)-2)] ^= 1 << r.IntN(8)
		} else if len(val) > 0 {
			val = val[:r.IntN(len(val)+1)]
			if len(val) > 0 {
				val[r.IntN(len(val))] ^= 1 << r.IntN(8)
			}
		}
		b := h.p.NewBatch()
		b.Set(key, val, nil)
		h.p.Apply(b, pebble.NoSync)
		ix, err := Open(h.p, testOptions)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := ix.View(h.p, h.m.fetch)
		f := randomFilter(r, h.m, 2)
		if _, err := v.Eval(context.Background(), testSpace, f); err != nil && !errors.Is(err, ErrCorrupt) &&
			!strings.Contains(err.Error(), "does not exist") {
			t.Fatal(err)
		}
		b = h.p.NewBatch()
		b.Delete(key, nil)
		b.Set(keys[i], vals[i], nil)
		h.p.Apply(b, pebble.NoSync)
	}
}
