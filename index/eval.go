package index

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// Eval returns the ordinals of the space that the filter selects. The caller must not change the set.
func (v *View) Eval(ctx context.Context, space byte, f *Filter) (*roaring.Bitmap, error) {
	if f == nil {
		return v.All(space)
	}
	all, err := v.All(space)
	if err != nil {
		return nil, err
	}
	// A walk may take as many steps as there are objects, but seldom does.
	e := evaluator{v: v, ctx: ctx, space: space, testFew: max(v.testFew, all.GetCardinality()/64)}
	s, err := e.eval(f, false)
	if err != nil {
		return nil, err
	}
	if !s.not {
		return s.bm, nil
	}
	return roaring.AndNot(all, s.bm), nil
}

type evaluator struct {
	v       *View
	ctx     context.Context
	space   byte
	testFew uint64
}

// set is bm, or with not everything in the space but bm. own: bm may be changed.
type set struct {
	bm       *roaring.Bitmap
	not, own bool
}

func and(x, y set) set {
	switch {
	case x.not && y.not:
		return complement(or(complement(x), complement(y)))
	case x.not:
		x, y = y, x
	}
	if !x.own && y.own && !y.not {
		x, y = y, x
	}
	switch {
	case x.own && y.not:
		x.bm.AndNot(y.bm)
	case x.own:
		x.bm.And(y.bm)
	case y.not:
		return set{bm: roaring.AndNot(x.bm, y.bm), own: true}
	default:
		return set{bm: roaring.And(x.bm, y.bm), own: true}
	}
	return x
}

func or(x, y set) set {
	if x.not || y.not {
		return complement(and(complement(x), complement(y)))
	}
	if y.own && !x.own {
		x, y = y, x
	}
	if x.own {
		x.bm.Or(y.bm)
		return x
	}
	return set{bm: roaring.Or(x.bm, y.bm), own: true}
}

func complement(x set) set {
	x.not = !x.not
	return x
}

func none() set { return set{bm: roaring.New(), own: true} }

// eval returns where the filter is true or, with neg, where it is false. Where it is unknown is in neither.
func (e *evaluator) eval(f *Filter, neg bool) (set, error) {
	if err := f.checkKinds(); err != nil {
		return set{}, err
	}
	switch f.Op {
	case Not:
		if len(f.Subs) != 1 {
			return set{}, fmt.Errorf("index: not takes one filter, has %d", len(f.Subs))
		}
		return e.eval(f.Subs[0], !neg)
	case And, Or:
		return e.junction(f.Subs, neg, (f.Op == And) != neg)
	case Eq, Ne:
		return e.equal(f, (f.Op == Eq) != neg, f.Op == Ne)
	case In:
		return e.in(f, neg)
	case Lt, Le, Gt, Ge, Like:
		if f.Value.Kind == Null {
			return none(), nil
		}
		s, err := e.scan(f)
		if err != nil || !neg {
			return s, err
		}
		return e.presentBut(f.Field, s)
	}
	return set{}, fmt.Errorf("index: operator %d", f.Op)
}

// equal evaluates both Eq and Ne: want tells whether the value is wanted or anything else, nulls whether
// "anything else" includes what is not set.
func (e *evaluator) equal(f *Filter, want, nulls bool) (set, error) {
	p, err := e.posting(f.Field, f.Value)
	if err != nil {
		return set{}, err
	}
	if f.Value.Kind == Null { // p is what is set
		p.not = want
		return p, nil
	}
	if want {
		return p, nil
	}
	if nulls {
		return complement(p), nil
	}
	return e.presentBut(f.Field, p)
}

func (e *evaluator) in(f *Filter, neg bool) (set, error) {
	s, unknown := none(), false
	for _, val := range f.Values {
		if val.Kind == Null {
			unknown = true
			continue
		}
		p, err := e.posting(f.Field, val)
		if err != nil {
			return set{}, err
		}
		s = or(s, p)
	}
	switch {
	case !neg:
		return s, nil
	case unknown:
		return none(), nil
	}
	return e.presentBut(f.Field, s)
}

func (e *evaluator) posting(field string, val Value) (set, error) {
	bm, err := e.v.Posting(e.space, field, val)
	return set{bm: bm}, err
}

// presentBut returns those that have a value in the field and are not in s.
func (e *evaluator) presentBut(field string, s set) (set, error) {
	if f := e.v.ix.fields[fieldID{e.space, field}]; f.everywhere() {
		return complement(s), nil
	}
	p, err := e.posting(field, Value{})
	if err != nil {
		return set{}, err
	}
	return and(p, complement(s)), nil
}

// cost orders the parts of a conjunction: look-ups, then trees of them, then walks of a dictionary.
func (f *Filter) cost() int {
	switch f.Op {
	case Eq, Ne:
		return 1
	case In:
		return 1 + len(f.Values)
	case Lt, Le, Gt, Ge, Like:
		return walkCost
	}
	n := 1
	for _, s := range f.Subs {
		n += s.cost()
	}
	return n
}

const walkCost = 1 << 20

// junction intersects what the subs give, or unites it, cheapest first.
func (e *evaluator) junction(subs []*Filter, neg, intersect bool) (set, error) {
	subs = slices.Clone(subs)
	slices.SortStableFunc(subs, func(a, b *Filter) int { return cmp.Compare(a.cost(), b.cost()) })
	acc := none()
	acc.not = intersect
	for i, f := range subs {
		if intersect && !acc.not {
			switch n := acc.bm.GetCardinality(); {
			case n == 0:
				return acc, nil
			case n <= e.testFew && f.cost() >= walkCost && e.v.fetch != nil:
				return e.testEach(acc.bm, subs[i:], neg)
			}
		}
		s, err := e.eval(f, neg)
		if err != nil {
			return set{}, err
		}
		if intersect {
			acc = and(acc, s)
		} else {
			acc = or(acc, s)
		}
	}
	return acc, nil
}

// testEach returns the ordinals of bm for which all subs are true or, with neg, false.
func (e *evaluator) testEach(bm *roaring.Bitmap, subs []*Filter, neg bool) (set, error) {
	out := none()
	want := isTrue
	if neg {
		want = isFalse
	}
	for it := bm.Iterator(); it.HasNext(); {
		ord := it.Next()
		ok := true
		for _, f := range subs {
			t, err := f.test(e.v.fetch, ord)
			if err != nil {
				return set{}, err
			}
			if ok = t == want; !ok {
				break
			}
		}
		if ok {
			out.bm.Add(ord)
		}
	}
	return out, e.ctx.Err()
}

// checkKinds refuses kinds that no value has.
func (f *Filter) checkKinds() error {
	bad := func(v Value) bool { return v.Kind > Bytes }
	if len(f.Subs) == 0 && (bad(f.Value) || slices.ContainsFunc(f.Values, bad)) {
		return fmt.Errorf("index: unknown kind of a value of field %q", f.Field)
	}
	return nil
}

// scan walks the part of the field's dictionary where the comparison holds.
func (e *evaluator) scan(f *Filter) (set, error) {
	bd := bounds{kind: f.Value.Kind}
	switch f.Op {
	case Lt, Le:
		bd.hi, bd.hiOpen = &f.Value, f.Op == Lt
	case Gt, Ge:
		bd.lo, bd.loOpen = &f.Value, f.Op == Gt
	case Like:
		if f.Value.Kind != Bytes {
			return none(), nil
		}
		bd.prefix = likePrefix(f.Value.Str)
	}
	if e.v.ix.fields[fieldID{e.space, f.Field}].Unique != nil && f.Value.Kind != Bytes {
		return none(), nil
	}
	if f.Value.Kind == Time {
		return e.scanTimes(f, bd)
	}
	return e.walk(f, bd)
}

// scanTimes takes whole cells where the range holds them.
func (e *evaluator) scanTimes(f *Filter, bd bounds) (set, error) {
	at := cellOf(f.Value)
	cells := bounds{kind: cell}
	if bd.hi != nil {
		bd.lo = &Value{Kind: Time, Time: at.Time << cellShift}
		cells.hi, cells.hiOpen = &at, true
	} else {
		bd.hi = &Value{Kind: Time, Time: at.Time<<cellShift | (1<<cellShift - 1)}
		cells.lo, cells.loOpen = &at, true
	}
	s, err := e.walk(f, bd)
	if err != nil {
		return s, err
	}
	whole, err := e.walk(f, cells)
	if err != nil {
		return s, err
	}
	return or(s, whole), nil
}

func (e *evaluator) walk(f *Filter, bd bounds) (set, error) {
	w, err := e.v.walk(e.space, f.Field, bd, false)
	if err != nil {
		return set{}, err
	}
	s, err := e.union(w, f)
	if cerr := w.close(); err == nil {
		err = cerr
	}
	return s, err
}

// union unites the groups of the walker; of Like those that match.
func (e *evaluator) union(w *walker, f *Filter) (set, error) {
	s := none()
	var many []uint32
	var text []byte
	for n := 0; ; n++ {
		if n%1024 == 1023 && e.ctx.Err() != nil {
			return set{}, e.ctx.Err()
		}
		ok, err := w.next()
		if err != nil {
			return set{}, err
		}
		if !ok {
			break
		}
		if f.Op == Like {
			if text = w.text(text[:0]); !like(f.Value.Str, string(text)) {
				continue
			}
		}
		if w.set != nil {
			s.bm.Or(w.set)
		} else {
			many = append(many, w.few...)
		}
	}
	slices.Sort(many)
	s.bm.AddMany(many)
	return s, nil
}
