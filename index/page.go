package index

import (
	"context"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// SortKey orders a page by a field.
type SortKey struct {
	Field      string
	Desc       bool
	NullsFirst bool // where what has no value goes, whatever Desc
}

// Page describes a part of a sorted list: the objects of Set, ordered by Keys and then by ordinal.
type Page struct {
	Space byte
	Set   *roaring.Bitmap
	Keys  []SortKey
	After *Place // the page starts after this place; nil: at the start
	Limit int    // 0: none
}

// Place is where an object stands in an order: its values of the keys, and its ordinal.
type Place struct {
	Values []Value
	Ord    uint32
}

// Page returns the ordinals of the page in order.
func (v *View) Page(ctx context.Context, p Page) ([]uint32, error) {
	g := pager{v: v, ctx: ctx, space: p.Space, want: p.Limit}
	if g.want <= 0 {
		g.want = int(p.Set.GetCardinality())
	}
	all, err := v.All(p.Space)
	if err != nil {
		return nil, err
	}
	g.total = all.GetCardinality()
	err = g.run(p.Set, p.Keys, p.After)
	return g.out, err
}

func fieldsOf(keys []SortKey) []string {
	fs := make([]string, len(keys))
	for i, k := range keys {
		fs[i] = k.Field
	}
	return fs
}

// PlaceOf returns where the ordinal stands in the order of the keys.
func (v *View) PlaceOf(ord uint32, keys []SortKey) (*Place, error) {
	vals, err := v.fetch(nil, ord, fieldsOf(keys))
	return &Place{vals, ord}, err
}

// tail is the place within the objects that share its first value.
func (p *Place) tail() *Place { return &Place{p.Values[1:], p.Ord} }

// ComparePlaces compares two places in the order of the keys, and then of ordinals.
func ComparePlaces(keys []SortKey, a, b *Place) int {
	for i, k := range keys {
		x, y := a.Values[i], b.Values[i]
		if (x.Kind == Null) != (y.Kind == Null) {
			if (x.Kind == Null) == k.NullsFirst {
				return -1
			}
			return 1
		}
		c := Compare(x, y)
		if k.Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	switch {
	case a.Ord < b.Ord:
		return -1
	case a.Ord > b.Ord:
		return 1
	}
	return 0
}

type pager struct {
	v     *View
	ctx   context.Context
	space byte
	total uint64 // objects in the space
	want  int
	out   []uint32
}

func (g *pager) full() bool { return len(g.out) >= g.want }

const (
	// loadMany bounds how many are ever loaded: it bounds memory.
	loadMany = 200_000
	// loadSteps is what loading one object costs, in steps of walking a dictionary.
	loadSteps = 8
)

// run appends the objects of the set after the place to the page, until it is full.
func (g *pager) run(set *roaring.Bitmap, keys []SortKey, after *Place) error {
	n := set.GetCardinality()
	switch {
	case n == 0 || g.full():
		return nil
	case len(keys) == 0:
		return g.byOrdinal(set, after)
	case g.load(n):
		return g.sorted(set, keys, after)
	}
	k := keys[0]
	if k.NullsFirst {
		if err := g.nulls(set, keys, after); err != nil {
			return err
		}
	}
	if err := g.values(set, keys, after); err != nil {
		return err
	}
	if !k.NullsFirst {
		return g.nulls(set, keys, after)
	}
	return nil
}

// load tells whether loading and sorting n objects beats walking until the page is full.
func (g *pager) load(n uint64) bool {
	if n <= g.v.sortFew {
		return true
	}
	left := uint64(g.want - len(g.out))
	return n <= loadMany && n*loadSteps < g.total*min(left, n)/n
}

func (g *pager) byOrdinal(set *roaring.Bitmap, after *Place) error {
	it := set.Iterator()
	if after != nil {
		it.AdvanceIfNeeded(after.Ord)
		if it.HasNext() && it.PeekNext() == after.Ord {
			it.Next()
		}
	}
	for it.HasNext() && !g.full() {
		g.out = append(g.out, it.Next())
	}
	return nil
}

func (g *pager) sorted(set *roaring.Bitmap, keys []SortKey, after *Place) error {
	fields := fieldsOf(keys)
	vals := make([]Value, 0, int(set.GetCardinality())*len(keys))
	var places []Place
	for it := set.Iterator(); it.HasNext(); {
		if len(places)%1024 == 1023 && g.ctx.Err() != nil {
			return g.ctx.Err()
		}
		p := Place{Ord: it.Next()}
		var err error
		at := len(vals)
		if vals, err = g.v.fetch(vals, p.Ord, fields); err != nil {
			return err
		}
		p.Values = vals[at:len(vals):len(vals)]
		if after == nil || ComparePlaces(keys, &p, after) > 0 {
			places = append(places, p)
		} else {
			vals = vals[:at]
		}
	}
	slices.SortFunc(places, func(a, b Place) int { return ComparePlaces(keys, &a, &b) })
	for _, p := range places[:min(len(places), g.want-len(g.out))] {
		g.out = append(g.out, p.Ord)
	}
	return nil
}

// nulls appends the objects that have no value of the first key.
func (g *pager) nulls(set *roaring.Bitmap, keys []SortKey, after *Place) error {
	if g.full() {
		return nil
	}
	if after != nil {
		if after.Values[0].Kind != Null {
			if keys[0].NullsFirst {
				return nil
			}
			after = nil
		} else {
			after = after.tail()
		}
	}
	present, err := g.v.Posting(g.space, keys[0].Field, Value{})
	if err != nil {
		return err
	}
	return g.run(roaring.AndNot(set, present), keys[1:], after)
}

// values walks the values of the first key.
func (g *pager) values(set *roaring.Bitmap, keys []SortKey, after *Place) error {
	if g.full() {
		return nil
	}
	var bd bounds
	if after != nil && after.Values[0].Kind == Null {
		if !keys[0].NullsFirst {
			return nil
		}
		after = nil
	}
	if after != nil {
		if keys[0].Desc {
			bd.hi = &after.Values[0]
		} else {
			bd.lo = &after.Values[0]
		}
	}
	w, err := g.v.walk(g.space, keys[0].Field, bd, keys[0].Desc)
	if err != nil {
		return err
	}
	err = g.groups(w, set, keys[1:], after)
	if cerr := w.close(); err == nil {
		err = cerr
	}
	return err
}

func (g *pager) groups(w *walker, set *roaring.Bitmap, keys []SortKey, after *Place) error {
	left := set.GetCardinality() // objects of the set not met yet; after a marker an upper bound
	for n := 0; !g.full() && left > 0; n++ {
		if n%1024 == 1023 && g.ctx.Err() != nil {
			return g.ctx.Err()
		}
		ok, err := w.next()
		if err != nil || !ok {
			return err
		}
		var tail *Place
		if after != nil { // only the first value can be the marker's
			v, err := w.value()
			if err != nil {
				return err
			}
			if Compare(v, after.Values[0]) == 0 {
				tail = after.tail()
			}
			after = nil
		}
		group := w.set
		if group == nil {
			few := slices.DeleteFunc(w.few, func(o uint32) bool { return !set.Contains(o) })
			if len(few) == 0 {
				continue
			}
			if len(few) == 1 && tail == nil {
				g.out = append(g.out, few[0])
				left--
				continue
			}
			group = roaring.BitmapOf(few...)
		} else {
			group.And(set)
		}
		left -= group.GetCardinality()
		if err := g.run(group, keys, tail); err != nil {
			return err
		}
	}
	return nil
}
