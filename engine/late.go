package engine

import (
	"cmp"
	"math"
	"slices"
)

const (
	lateBytes = 32
	maxLate   = 1024 // late samples of a series from which on they are put where they belong
)

// lateSample is a sample that belongs before what is sealed.
type lateSample struct {
	t     int64
	value float64
	annotation
}

// takenFrom returns the time from which on a policy that keeps all samples takes them when the newest one is at maxT: what belongs
// to the newest group of the coarsest granularity, and what belongs to groups whose samples are all kept, so that their aggregates can be computed afresh.
func (pl *plan) takenFrom(maxT int64) int64 {
	if pl.raw < 0 || maxT == noTime {
		return math.MinInt64
	}
	shown := maxT - pl.raw + 1
	from := shown
	for _, w := range pl.widths {
		if f := groupFloor(shown, w); f < shown {
			from = max(from, f+w)
		}
	}
	return min(groupFloor(maxT, pl.coarse), from)
}

// mergeAll takes rows, in a, of a series whose policy keeps all samples. It depends on the newest sample only, never on what is sealed
// already, so replaying the log comes to the same samples wherever a seal was lost.
func (s *series) mergeAll(a *appender, pl *plan, res *AppendResult) {
	slices.SortStableFunc(a.rows, func(x, y row) int { return cmp.Compare(x.t, y.t) })
	fresh := a.rows[sortedFrom(a.rows, max(pl.takenFrom(s.maxT), s.from)):]
	late := len(a.rows) - len(fresh)
	res.Late += late
	res.Accepted -= late
	if s.sealed != noTime {
		n := sortedFrom(fresh, s.sealed)
		for i := range fresh[:n] {
			r := &fresh[i]
			s.late = append(s.late, lateSample{r.t, r.value, a.annotation(r)})
		}
		fresh = fresh[n:]
	}
	if len(fresh) == 0 {
		return
	}
	var ok bool
	if a.ts, a.vs, ok = s.tail.appendTo(a.ts[:0], a.vs[:0]); !ok {
		panic("tsdb: tail does not decode") // written by this process or checked when it was loaded
	}
	s.rebuild(a, fresh)
}

// lastOfEqual leaves of several samples at one instant the last one, as aggregates and measures do. It works in place.
func lastOfEqual(ts []int64, vs []float64) ([]int64, []float64) {
	n := 0
	for i, t := range ts {
		if i > 0 && t == ts[n-1] {
			n--
		}
		ts[n], vs[n] = t, vs[i]
		n++
	}
	return ts[:n], vs[:n]
}

// placeLate has late samples that the view's series have placed, and pins the view again.
func (v *View) placeLate() error {
	for try := 0; ; try++ {
		var refs []Ref
		for i := range v.series {
			if v.series[i].late {
				refs = append(refs, v.series[i].ref)
			}
		}
		if len(refs) == 0 {
			return nil
		}
		v.it.Close() // nothing was read
		v.it = nil
		again := v.placeAndPin
		if try == 3 { // late samples come without end: let none come
			again = v.placeAndPinAlone
		}
		if err := again(refs); err != nil {
			if v.db.fault.check() == nil {
				return err
			}
			_, err = v.pin(false) // nothing can be written any more: reads go on without them
			return err
		}
	}
}

func (v *View) placeAndPin(refs []Ref) error {
	for _, ref := range refs {
		if err := v.db.placeLate(ref); err != nil {
			return err
		}
	}
	_, err := v.pin(false)
	return err
}

func (v *View) placeAndPinAlone([]Ref) error {
	var locks lockSet
	locks.addAll() // a batch may bring late samples for any
	v.db.head.lock(&locks)
	defer v.db.head.unlock(&locks)
	for i := range v.series {
		if err := v.db.placeLocked(v.series[i].ref); err != nil {
			return err
		}
	}
	_, err := v.pin(false)
	return err
}
