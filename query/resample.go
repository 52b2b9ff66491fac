package query

import (
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// Resample takes points as samples and aggregates them by method in groups of the width given, which must be positive. For
// a rate the samples are the differences between consecutive points. The result shares no memory with points.
func Resample(points engine.Points, method rollup.Method, width time.Duration) engine.Points {
	starts, offs := rollup.AppendGroups(nil, nil, points.Times, int64(width))
	return regroup(points, method, starts, offs)
}

// ResampleCalendar is Resample in groups of the calendar: letter is Y, H, Q, M or W, any other gives no points.
func ResampleCalendar(points engine.Points, method rollup.Method, letter byte) engine.Points {
	starts, offs, ok := rollup.AppendCalendarGroups(nil, nil, points.Times, letter)
	if !ok {
		return engine.Points{}
	}
	return regroup(points, method, starts, offs)
}

func regroup(points engine.Points, method rollup.Method, starts []int64, offs []int32) engine.Points {
	values := points.Values
	if method.Rate() {
		values = rollup.AppendDiffs(nil, values)
		offs = rollup.AppendDiffOffs(nil, offs)
	}
	var agg rollup.Aggregator
	out, present := agg.Append(nil, method, offs, values)
	if present == nil {
		return engine.Points{Times: starts, Values: out}
	}
	times := starts[:0]
	for i, t := range starts {
		if rollup.Has(present, i) {
			times = append(times, t)
		}
	}
	return engine.Points{Times: times, Values: out}
}
