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
	values [][]float64 // memory of cols
	bits   [][]uint64
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
	rates := false
	for i, m := range methods {
		if i == len(g.values) {
			g.values = append(g.values, nil)
			g.bits = append(g.bits, nil)
		}
		offs, v := g.offs, vs
		if m.Rate() {
			if !rates {
				prev := in.prev
				if a > 0 {
					prev = sampleState{t: in.ts[a-1], bits: bitsOf(in.vs[a-1])}
				}
				g.differences(pl, wi, ts, vs, prev, seams)
				rates = true
			}
			offs, v = g.doffs, g.diffs
		}
		var present []uint64
		g.values[i], present = g.agg.Append(g.values[i][:0], m, offs, v)
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

// isCut tells whether the first sample of a group was computed without the one before it.
func isCut(pl *plan, wi int, start, before int64, seams []seam) bool {
	for _, s := range seams {
		if s.width == wi && s.start == start {
			return before < max(start-pl.widths[wi], s.lo)
		}
	}
	return false
}
