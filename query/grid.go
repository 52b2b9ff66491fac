package query

import (
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/engine"
)

// grid is the value of a node: series at the same times, or a number. Columns may be the engine's or another grid's: read only.
type grid struct {
	times  []int64
	cols   [][]float64
	width  time.Duration
	letter byte
	one    bool // aggregated: the series are not those of the references any more
	truth  bool // the values are true and false, of which a difference is true too

	scalar bool
	num    float64
}

// align puts columns of points on one grid of times. Holes are filled; what the columns share is shared.
func align(points []engine.Points, width time.Duration, fill Fill, b *budget) (grid, error) {
	g := grid{width: width, cols: make([][]float64, len(points))}
	if len(points) == 0 {
		return g, nil
	}
	if same(points) {
		g.times = points[0].Times
		for i, p := range points {
			g.cols[i] = p.Values
		}
	} else {
		g.times = union(points, int64(width))
		if err := b.grow(len(points) * len(g.times)); err != nil {
			return g, err
		}
		room := make([]float64, len(points)*len(g.times))
		for i, p := range points {
			n := len(g.times)
			g.cols[i], room = room[:n:n], room[n:]
			spread(g.cols[i], g.times, p, fill.hole())
		}
	}
	if !fill.neighbours() {
		return g, nil
	}
	for i, c := range g.cols {
		if slices.ContainsFunc(c, func(v float64) bool { return v != v }) {
			g.cols[i] = slices.Clone(c)
			fill.apply(g.cols[i])
		}
	}
	return g, nil
}

// same tells whether all columns have the same times.
func same(points []engine.Points) bool {
	first := points[0].Times
	for _, p := range points[1:] {
		if len(p.Times) != len(first) {
			return false
		}
		if len(first) > 0 && &p.Times[0] != &first[0] && !slices.Equal(p.Times, first) {
			return false
		}
	}
	return true
}

// union gives the times that any of the columns has, all of them multiples of the width.
func union(points []engine.Points, width int64) []int64 {
	lo, hi, total := int64(0), int64(-1), 0
	for _, p := range points {
		if n := len(p.Times); n > 0 {
			if first, last := p.Times[0], p.Times[n-1]; total == 0 {
				lo, hi = first, last
			} else {
				lo, hi = min(lo, first), max(hi, last)
			}
			total += n
		}
	}
	if total == 0 {
		return nil
	}
	if slots := (hi-lo)/width + 1; slots/64 <= int64(total) {
		return unionOfSlots(points, lo, width, int(slots))
	}
	all := make([]int64, 0, total)
	for _, p := range points {
		all = append(all, p.Times...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// unionOfSlots marks times in a bitmap that has a bit for each width.
func unionOfSlots(points []engine.Points, lo, width int64, slots int) []int64 {
	words := make([]uint64, (slots+63)/64)
	var before []int64
	for _, p := range points {
		if len(before) == len(p.Times) && len(before) > 0 && &before[0] == &p.Times[0] {
			continue
		}
		before = p.Times
		for _, t := range p.Times {
			at := uint64((t - lo) / width)
			words[at/64] |= 1 << (at % 64)
		}
	}
	n := 0
	for i := range slots {
		n += int(words[i/64] >> (i % 64) & 1)
	}
	out := make([]int64, 0, n)
	for i := range slots {
		if words[i/64]>>(i%64)&1 != 0 {
			out = append(out, lo+int64(i)*width)
		}
	}
	return out
}

// spread writes the points of a column where their times are and the filler elsewhere.
func spread(dst []float64, times []int64, p engine.Points, filler float64) {
	k := 0
	for i, t := range times {
		if k < len(p.Times) && p.Times[k] == t {
			dst[i] = p.Values[k]
			k++
		} else {
			dst[i] = filler
		}
	}
}

// overlap looks at the times at which every series has a value: without bounds of its own the grid is cut to them, and if they are
// fewer than needed of its times, in percent, an error says so.
func (g *grid) overlap(needed float64, openFrom, openTo bool, fail func(reason string) error) error {
	first, last, common := -1, -1, 0
	for i := range g.times {
		whole := true
		for _, c := range g.cols {
			if c[i] != c[i] {
				whole = false
				break
			}
		}
		if whole {
			if first < 0 {
				first = i
			}
			last = i
			common++
		}
	}
	if common == 0 && needed > 0 {
		return fail("No overlap")
	}
	if len(g.times) == 0 {
		return nil
	}
	lo, hi := 0, len(g.times)
	if common > 0 && openTo {
		hi = last + 1
	}
	if common > 0 && openFrom {
		lo = first
	}
	g.cut(lo, hi)
	if percent := float64(common) * 100 / float64(len(g.times)); percent < needed {
		return fail(overlapReason(needed, percent))
	}
	return nil
}

// cut keeps the times [lo, hi).
func (g *grid) cut(lo, hi int) {
	if lo == 0 && hi == len(g.times) {
		return
	}
	g.times = g.times[lo:hi]
	for i, c := range g.cols {
		g.cols[i] = c[lo:hi]
	}
}
