package query

import (
	"math"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// Resample takes points as samples and aggregates them by method in groups of the width given, which must be positive. For
// a rate the samples are the differences between consecutive points; of a counter the points are increases or rates already, so the
// former are added up and of the latter the mean is taken. The result shares no memory with points.
func Resample(points engine.Points, method rollup.Method, width time.Duration) engine.Points {
	starts, offs := rollup.AppendGroups(nil, nil, points.Times, int64(width))
	var r regrouper
	return r.regroup(points.Values, method, starts, offs)
}

// ResampleCalendar is Resample in groups of the calendar: letter is Y, H, Q, M or W, any other gives no points.
func ResampleCalendar(points engine.Points, method rollup.Method, letter byte) engine.Points {
	starts, offs, ok := rollup.AppendCalendarGroups(nil, nil, points.Times, letter)
	if !ok {
		return engine.Points{}
	}
	var r regrouper
	return r.regroup(points.Values, method, starts, offs)
}

// regrouper aggregates columns of points in groups, and holds the scratch space for it.
type regrouper struct {
	agg   rollup.Aggregator
	diffs []float64
	offs  []int32
}

// regroup aggregates the groups that begin at starts and at offs of values. The times of the result are starts, or a slice of
// its own if some groups yield no point.
func (r *regrouper) regroup(values []float64, method rollup.Method, starts []int64, offs []int32) engine.Points {
	switch method {
	case rollup.CounterIncrease:
		method = rollup.Sum
	case rollup.CounterRate:
		method = rollup.Mean
	}
	if method.Rate() {
		r.diffs = rollup.AppendDiffs(r.diffs[:0], values)
		r.offs = rollup.AppendDiffOffs(r.offs[:0], offs)
		values, offs = r.diffs, r.offs
	}
	if method.Percentile() > 0 {
		return r.percentiles(values, method.Percentile(), starts, offs)
	}
	out, present := r.agg.Append(make([]float64, 0, len(starts)), method, offs, values)
	if present == nil {
		return engine.Points{Times: starts, Values: out}
	}
	times := make([]int64, 0, len(out))
	for i, t := range starts {
		if rollup.Has(present, i) {
			times = append(times, t)
		}
	}
	return engine.Points{Times: times, Values: out}
}

// percentiles takes the percentile of each group. The reference finds a place by its distance from the start of the column, not of the
// group, and that distance's rounding shows in the last digits, so it is found that way here.
func (r *regrouper) percentiles(values []float64, n int, starts []int64, offs []int32) engine.Points {
	sorted := r.agg.Sort(offs, values)
	share := float64(n) / 100
	out := engine.Points{Values: make([]float64, 0, len(starts)), Times: make([]int64, 0, len(starts))}
	for i, t := range starts {
		lo, hi := offs[i], offs[i+1]
		if lo == hi {
			continue
		}
		pos := float64(lo) + float64(float64(hi-lo-1)*share)
		below, above := math.Floor(pos), math.Ceil(pos)
		v := sorted[int(below)]
		if below != above {
			v = float64(v*(above-pos)) + float64(sorted[int(above)]*(pos-below))
		}
		out.Times, out.Values = append(out.Times, t), append(out.Values, v)
	}
	return out
}
