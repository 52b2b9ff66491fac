package engine

import (
	"slices"

	"github.com/telemetrydb/tsdb/encoding"
	"github.com/telemetrydb/tsdb/rollup"
)

// grouper computes aggregates from raw samples, for sealing and for reading the unsealed end alike.
type grouper struct {
	agg    rollup.Aggregator
	starts []int64
	offs   []int32
	doffs  []int32
	diffs  []float64
	ts     []int64 // samples without those that a seam hides
	vs     []float64
	cols   []encoding.Column

	coffs     []int32 // of the intervals of counters
	increases []float64
	nanos     []int64
	values    [][]float64 // memory of cols
	bits      [][]uint64
}

// samples are raw samples in order of time, with the one before the first (t is noTime if there is none).
type samples struct {
	ts   []int64
	vs   []float64
	prev sampleState
}

// compute returns the groups of one width whose start is in [lo, hi) and one column a method; a group that yields no
// point for a method is absent from its column. What it returns is valid until the next call.
func (g *grouper) compute(pl *plan, wi int, in samples, lo, hi int64, seams []seam, methods []rollup.Method) ([]int64, []encoding.Column) {
	a, _ := slices.BinarySearch(in.ts, lo)
	b, _ := slices.BinarySearch(in.ts, hi)
	b = max(a, b)
	ts, vs := g.visible(pl, wi, in.ts[a:b], in.vs[a:b], seams)
	g.starts, g.offs = rollup.AppendGroups(g.starts[:0], g.offs[:0], ts, pl.widths[wi])
	g.cols = g.cols[:0]
	prev := in.prev
	if a > 0 {
		prev = sampleState{t: in.ts[a-1], bits: bitsOf(in.vs[a-1])}
	}
	rates, counters := false, false
	for i, m := range methods {
		if i == len(g.values) {
			g.values = append(g.values, nil)
			g.bits = append(g.bits, nil)
		}
		var present []uint64
		switch dst := g.values[i][:0]; {
		case m.Counter():
			if !counters {
				g.counters(pl.widths[wi], in.ts[a:b], in.vs[a:b], prev)
				counters = true
			}
			g.values[i], present = g.agg.AppendCounter(dst, m, g.coffs, g.increases, g.nanos)
		case m.Rate():
			if !rates {
				g.differences(pl, wi, ts, vs, prev, seams)
				rates = true
			}
			g.values[i], present = g.agg.Append(dst, m, g.doffs, g.diffs)
		default:
			g.values[i], present = g.agg.Append(dst, m, g.offs, vs)
		}
		if present != nil {
			g.bits[i] = append(g.bits[i][:0], present...)
			present = g.bits[i]
		}
		g.cols = append(g.cols, encoding.Column{ID: uint16(m), Values: g.values[i], Present: present})
	}
	return g.starts, g.cols
}

// visible leaves out the samples that were out of the window when their group was last computed.
func (g *grouper) visible(pl *plan, wi int, ts []int64, vs []float64, seams []seam) ([]int64, []float64) {
	hidden := false
	for _, s := range seams {
		hidden = hidden || s.width == wi && s.lo > s.start
	}
	if !hidden {
		return ts, vs
	}
	g.ts, g.vs = g.ts[:0], g.vs[:0]
	for i, t := range ts {
		start := groupFloor(t, pl.widths[wi])
		if k := slices.IndexFunc(seams, func(s seam) bool { return s.width == wi && s.start == start }); k >= 0 && t < seams[k].lo {
			continue
		}
		g.ts = append(g.ts, t)
		g.vs = append(g.vs, vs[i])
	}
	return g.ts, g.vs
}

// differences fills diffs and doffs: the differences between consecutive samples, in the later one's group.
func (g *grouper) differences(pl *plan, wi int, ts []int64, vs []float64, prev sampleState, seams []seam) {
	g.diffs, g.doffs = g.diffs[:0], append(g.doffs[:0], 0)
	for j, start := range g.starts {
		for k := int(g.offs[j]); k < int(g.offs[j+1]); k++ {
			p := prev
			if k > 0 {
				p = sampleState{t: ts[k-1], bits: bitsOf(vs[k-1])}
			}
			if p.t == noTime || k == int(g.offs[j]) && isCut(pl, wi, start, p.t, seams) {
				continue
			}
			g.diffs = append(g.diffs, vs[k]-floatOf(p.bits))
		}
		g.doffs = append(g.doffs, int32(len(g.diffs)))
	}
}

// counters fills increases, nanos and coffs: the intervals of counters, in the later sample's group. Unlike Gnocchi's rates they are a
// matter of the samples alone: seams hide none.
func (g *grouper) counters(width int64, ts []int64, vs []float64, prev sampleState) {
	g.increases, g.nanos, g.coffs = g.increases[:0], g.nanos[:0], append(g.coffs[:0], 0)
	if len(ts) == 0 {
		return
	}
	if prev.t == noTime {
		prev = sampleState{t: ts[0]}
	}
	g.increases, g.nanos = rollup.AppendIncreases(g.increases, g.nanos, ts, vs, prev.t, floatOf(prev.bits))
	k := 0
	for _, start := range g.starts { // no group is hidden wholly
		for k < len(ts) && ts[k]-start < width {
			k++
		}
		g.coffs = append(g.coffs, int32(k))
	}
}

// isCut tells whether the first sample of a group was computed without the one before it.
func isCut(pl *plan, wi int, start, before int64, seams []seam) bool {
	for _, s := range seams {
		if s.width == wi && s.start == start {
			return before < max(start-pl.widths[wi], s.lo)
		}
	}
	return false
}
