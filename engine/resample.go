package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/telemetrydb/tsdb/rollup"
)

// resampler is the scratch space of Resample. A view is often made for one question, so it is kept between views.
type resampler struct {
	ts   []int64
	vs   []float64
	offs []int32
	agg  rollup.Aggregator

	increases []float64
	nanos     []int64
}

var resamplers = sync.Pool{New: func() any { return new(resampler) }}

// Resample aggregates the raw samples that Raw gives for the range, by method, in groups of any width: the start of each group
// that has a point is appended to ts and the point to vs. Unlike Measures it does not look at what the policy keeps, and a group at the
// edge of the range has the samples of the range alone. For a rate, values are the differences between consecutive samples of the range, and intervals of counters lie in the range.
// ErrInvalid of KindGranularity or KindMethod if width is not positive or the method unknown.
func (v *View) Resample(ctx context.Context, m Ref, width time.Duration, method rollup.Method, from, to int64, ts []int64, vs []float64) ([]int64, []float64, error) {
	if width <= 0 {
		return ts, vs, &Error{Kind: KindGranularity, Name: width.String(), Err: ErrInvalid, Detail: "want a positive width"}
	}
	if !method.Valid() {
		return ts, vs, &Error{Kind: KindMethod, Name: method.String(), Err: ErrInvalid}
	}
	s, err := v.find(m)
	if err != nil {
		return ts, vs, err
	}
	r := resamplers.Get().(*resampler)
	defer resamplers.Put(r)
	if r.ts, r.vs, err = v.rawOf(ctx, v.it, s, from, to, r.ts[:0], r.vs[:0]); err != nil {
		return ts, vs, err
	}
	if s.plan.keepAll {
		r.ts, r.vs = lastOfEqual(r.ts, r.vs)
	}
	ts, vs = r.append(int64(width), method, ts, vs)
	return ts, vs, nil
}

// append appends the aggregates of the samples in r.
func (r *resampler) append(width int64, method rollup.Method, ts []int64, vs []float64) ([]int64, []float64) {
	at := len(ts)
	ts, r.offs = rollup.AppendGroups(ts, r.offs[:0], r.ts, width)
	offs, values := r.offs, r.vs
	var present []uint64
	vs = slices.Grow(vs, len(ts)-at)
	switch {
	case method.Counter() && len(r.ts) > 0:
		r.increases, r.nanos = rollup.AppendIncreases(r.increases[:0], r.nanos[:0], r.ts, r.vs, r.ts[0], 0)
		vs, present = r.agg.AppendCounter(vs, method, offs, r.increases, r.nanos)
	case method.Rate():
		values = rollup.AppendDiffs(nil, values)
		offs = rollup.AppendDiffOffs(nil, offs)
		vs, present = r.agg.Append(vs, method, offs, values)
	default:
		vs, present = r.agg.Append(vs, method, offs, values)
	}
	if present == nil {
		return ts, vs
	}
	n := at
	for i, t := range ts[at:] {
		if rollup.Has(present, i) {
			ts[n] = t
			n++
		}
	}
	return ts[:n], vs
}
