package engine

import (
	"github.com/RoaringBitmap/roaring/v2"

	"github.com/telemetrydb/tsdb/index"
)

// Scope selects the metrics that Own selects, and those of the resources that OfResource selects. Unlike in a Query, a nil filter
// selects nothing.
type Scope struct {
	Own        *index.Filter // fields as Metrics names them
	OfResource *index.Filter // fields as Resources names them
}

// scope is a Scope in a search: the metrics by their own filter, and the resources.
type scope struct{ own, resources *roaring.Bitmap }

func (s *search) scopeOf(c *Scope) (scope, error) {
	sc := scope{roaring.New(), roaring.New()}
	var err error
	if c.Own != nil {
		if sc.own, err = s.view.Eval(s.ctx, spaceMetrics, c.Own); err != nil {
			return sc, indexError(err)
		}
	}
	if c.OfResource != nil {
		var view *index.View
		if view, err = s.cat.ix.View(s.snap, s.resourceValues); err == nil {
			sc.resources, err = view.Eval(s.ctx, spaceResources, c.OfResource)
		}
	}
	return sc, indexError(err)
}

// scopedPage returns those metrics of the page that are in the scope. The index does not tell which metrics the resources have,
// so it looks at either the resources or, where they are many, at metrics in the order of the page until that is full: either way
// at about as many as the square root of all, times that of the page.
func (s *search) scopedPage(p index.Page, c *Scope) ([]uint32, error) {
	sc, err := s.scopeOf(c)
	if err != nil {
		return nil, err
	}
	n := sc.resources.GetCardinality()
	if p.Limit > 0 && uint64(p.Limit)*p.Set.GetCardinality() < n*n {
		return s.walkScope(p, sc)
	}
	in := sc.own.Clone()
	for it := sc.resources.Iterator(); it.HasNext(); {
		r, err := s.resource(it.Next())
		if err == nil {
			err = s.ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		for _, m := range r.metrics {
			in.Add(uint32(m.Ref))
		}
	}
	p.Set = roaring.And(p.Set, in)
	ords, err := s.view.Page(s.ctx, p)
	return ords, indexError(err)
}

// walkScope goes through the metrics of the page and those that follow until Limit of them are in the scope.
func (s *search) walkScope(p index.Page, sc scope) ([]uint32, error) {
	var out []uint32
	limit := p.Limit
	for {
		ords, err := s.view.Page(s.ctx, p)
		if err != nil {
			return nil, indexError(err)
		}
		for _, ord := range ords {
			ok, err := s.inScope(ord, sc)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, ord)
			}
			if len(out) == limit {
				return out, nil
			}
		}
		if len(ords) < p.Limit {
			return out, nil
		}
		if p.After, err = s.view.PlaceOf(ords[len(ords)-1], p.Keys); err != nil {
			return nil, indexError(err)
		}
		p.Limit = min(2*p.Limit, 1<<12)
	}
}

func (s *search) inScope(ord uint32, sc scope) (bool, error) {
	if sc.own.Contains(ord) {
		return true, nil
	}
	m, err := s.metric(ord)
	if err != nil || m.Resource == nil {
		return false, err
	}
	r, err := ordinalOf(s.snap, keyResourceID, *m.Resource)
	return r != 0 && sc.resources.Contains(r), err
}
