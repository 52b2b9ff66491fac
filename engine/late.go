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

// takenFrom returns the time from which on a policy that keeps all samples takes them when the newest one is at maxT: what the window
// covers, and what belongs to groups whose samples are all kept, so that their aggregates can be computed afresh.
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
	return min(pl.floor(maxT), from)
}

// mergeAll takes rows, in a, of a series whose policy keeps all samples. It depends on the newest sample only, never on what is sealed
// already, so replaying the log comes to the same samples wherever a seal was lost.
func (s *series) mergeAll(a *appender, pl *plan, res *AppendResult) {
	slices.SortStableFunc(a.rows, func(x, y row) int { return cmp.Compare(x.t, y.t) })
	fresh := a.rows[sortedFrom(a.rows, pl.takenFrom(s.maxT)):]
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
