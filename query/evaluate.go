package query

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// evaluator works an operation out on one grid.
type evaluator struct {
	ctx    context.Context
	budget *budget
	base   grid
	pairs  []int // of each column of base
	fail   func(reason string) error
}

// eval gives the value of a node.
func (e *evaluator) eval(n *node) (grid, error) {
	switch n.kind {
	case nodeNumber:
		return grid{scalar: true, num: n.num}, nil
	case nodeMetric:
		return e.pick(n), nil
	}
	if err := e.ctx.Err(); err != nil {
		return grid{}, err
	}
	var room [3]grid
	args := room[:len(n.args)]
	for i, a := range n.args {
		var err error
		if args[i], err = e.eval(a); err != nil {
			return grid{}, err
		}
	}
	g := args[0]
	switch n.kind {
	case nodeAggregate:
		return e.aggregate(n, g)
	case nodeRolling:
		return e.rolling(n, g)
	case nodeResample:
		return e.resample(n, g)
	case nodeUnary:
		return e.combine(n, func(v *[3]float64) float64 { return n.unary(v[0]) }, args)
	case nodeBinary:
		return e.combine(n, func(v *[3]float64) float64 { return n.binary(v[0], v[1]) }, args)
	case nodeClip:
		if len(args) == 2 {
			return e.combine(n, func(v *[3]float64) float64 { return higher(v[0], v[1]) }, args)
		}
		return e.combine(n, func(v *[3]float64) float64 { return clip(v[0], v[1], v[2]) }, args)
	}
	return e.change(n, g)
}

// pick chooses the columns that a metric names.
func (e *evaluator) pick(n *node) grid {
	g := e.base
	g.cols = nil
	for i, pair := range e.pairs {
		if slices.Contains(n.pairs, pair) {
			g.cols = append(g.cols, e.base.cols[i])
		}
	}
	return g
}

func (e *evaluator) aggregate(n *node, g grid) (grid, error) {
	if err := e.budget.grow(2 * len(g.times)); err != nil {
		return g, err
	}
	col, err := n.agg.across(e.ctx, g.cols, len(g.times))
	g.truth = g.truth && n.agg.truth()
	col = n.agg.differences(col, g.truth)
	g.cols, g.one = [][]float64{col}, true
	g.times = g.times[len(g.times)-len(col):]
	return g, err
}

func (e *evaluator) rolling(n *node, g grid) (grid, error) {
	if n.window > len(g.times) {
		return g, e.fail(fmt.Sprintf("Rolling window '%d' is greater than serie length '%d'", n.window, len(g.times)))
	}
	if err := e.budget.grow(len(g.cols) * len(g.times)); err != nil {
		return g, err
	}
	cols := make([][]float64, len(g.cols))
	skip := n.window - 1
	if n.agg.rate {
		skip++
	}
	for i, c := range g.cols {
		var err error
		if cols[i], err = n.agg.rolling(e.ctx, c, n.window); err != nil {
			return g, err
		}
		cols[i] = n.agg.differences(cols[i], g.truth && n.agg.truth())
	}
	g.truth = g.truth && n.agg.truth()
	g.cols, g.times = cols, g.times[min(skip, len(g.times)):]
	return g, nil
}

func (e *evaluator) resample(n *node, g grid) (grid, error) {
	if err := e.budget.grow(len(g.cols) * len(g.times)); err != nil {
		return g, err
	}
	var starts []int64
	var offs []int32
	if n.letter != 0 {
		starts, offs, _ = rollup.AppendCalendarGroups(nil, nil, g.times, n.letter)
	} else {
		starts, offs = rollup.AppendGroups(nil, nil, g.times, n.width)
	}
	cols := make([][]float64, len(g.cols))
	var r regrouper
	times := starts
	for i, c := range g.cols {
		if err := e.ctx.Err(); err != nil {
			return g, err
		}
		p := r.regroup(c, n.method, starts, offs)
		times, cols[i] = p.Times, p.Values // the times are those of every column
	}
	g.times, g.cols, g.width, g.letter, g.truth = times, cols, time.Duration(n.width), n.letter, false
	return g, nil
}

// change works out differences between consecutive times.
func (e *evaluator) change(n *node, g grid) (grid, error) {
	if err := e.budget.grow(len(g.cols) * len(g.times)); err != nil {
		return g, err
	}
	cols := make([][]float64, len(g.cols))
	for i, c := range g.cols {
		if n.kind == nodeChange {
			out := make([]float64, max(0, len(c)-1))
			for k := range out {
				out[k] = difference(c[k+1], c[k], g.truth)
			}
			cols[i] = out
			continue
		}
		out := make([]float64, len(c))
		for k := range c {
			if k == 0 {
				out[0] = math.NaN()
			} else {
				out[k] = (c[k] - c[k-1]) / (float64(g.times[k]-g.times[k-1]) / 1e9)
			}
		}
		cols[i] = out
	}
	g.cols = cols
	g.truth = g.truth && n.kind == nodeChange
	if n.kind == nodeChange && len(g.times) > 0 {
		g.times = g.times[1:]
	}
	return g, nil
}

// combine works a function out cell by cell. Grids must agree in their times and granularities, and in the number of their columns
// unless it is one.
func (e *evaluator) combine(n *node, f func(v *[3]float64) float64, args []grid) (grid, error) {
	out := grid{scalar: true}
	grids, width := 0, 1
	allTruth := true
	for i := range args {
		a := &args[i]
		allTruth = allTruth && a.truth
		if a.scalar {
			continue
		}
		if grids++; grids == 1 {
			out, width = *a, len(a.cols)
			continue
		}
		if a.width != out.width || a.letter != out.letter || !slices.Equal(a.times, out.times) {
			return out, e.fail("Can't compute timeseries with different granularity")
		}
		if len(a.cols) != width && len(a.cols) != 1 && width != 1 {
			return out, e.fail(fmt.Sprintf("Can't compute %d timeseries with %d", width, len(a.cols)))
		}
		if width == 1 {
			width = len(a.cols)
		}
		out.one = true
	}
	if grids == 0 {
		var v [3]float64
		for i := range args {
			v[i] = args[i].num
		}
		out.num = f(&v)
		return out, nil
	}
	if err := e.budget.grow(width * len(out.times)); err != nil {
		return out, err
	}
	out.truth = comparisons[n.name]
	if of, ok := logical[n.name]; ok && allTruth {
		out.truth = true
		if of != nil {
			f = func(v *[3]float64) float64 { return of(v[0], v[1]) }
		}
	}
	out.cols = make([][]float64, width)
	for c := range out.cols {
		if err := e.ctx.Err(); err != nil {
			return out, err
		}
		out.cols[c] = combineColumn(f, args, c, len(out.times))
	}
	return out, nil
}

// combineColumn works out column c.
func combineColumn(f func(v *[3]float64) float64, args []grid, c, n int) []float64 {
	var in [3][]float64
	var v [3]float64
	for i := range args {
		switch {
		case args[i].scalar:
			v[i] = args[i].num
		case len(args[i].cols) == 1:
			in[i] = args[i].cols[0]
		default:
			in[i] = args[i].cols[c]
		}
	}
	out := make([]float64, n)
	for k := range out {
		for i := range in {
			if in[i] != nil {
				v[i] = in[i][k]
			}
		}
		out[k] = f(&v)
	}
	return out
}

// series gives the columns of a result. Those of a fill that drops lose what is not finite.
func (g *grid) series(fill Fill) []Series {
	cols := g.cols
	if g.one && len(cols) > 1 {
		cols = cols[:1]
	}
	out := make([]Series, len(cols))
	for i, c := range cols {
		p := engine.Points{Times: g.times, Values: c}
		if fill.drops() {
			p = finite(p)
		}
		out[i] = Series{Granularity: g.width, Letter: g.letter, Points: p}
	}
	return out
}

// finite leaves out NaN and infinities.
func finite(p engine.Points) engine.Points {
	bad := func(v float64) bool { return v-v != 0 }
	first := slices.IndexFunc(p.Values, bad)
	if first < 0 {
		return p
	}
	out := engine.Points{Times: make([]int64, first, len(p.Times)), Values: make([]float64, first, len(p.Times))}
	copy(out.Times, p.Times)
	copy(out.Values, p.Values)
	for i := first; i < len(p.Times); i++ {
		if v := p.Values[i]; !bad(v) {
			out.Times, out.Values = append(out.Times, p.Times[i]), append(out.Values, v)
		}
	}
	return out
}
