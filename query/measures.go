package query

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// MeasuresRequest asks for the points of one metric and aggregation method.
type MeasuresRequest struct {
	Metric      engine.Ref
	Definition  []engine.Granularity // of its policy
	Method      rollup.Method
	Granularity time.Duration // 0: all of the definition
	From, To    int64         // nanoseconds since the epoch: From <= time < To, From first rounded down to each granularity

	// The points of a granularity can be taken as samples and aggregated again by the same method, in groups of another
	// width or of the calendar. At most one of the two is set, and Granularity with it.
	Resample time.Duration
	Letter   byte // Y, H, Q, M or W
}

// Series are points of one granularity, or of a letter of the calendar.
type Series struct {
	Granularity time.Duration
	Letter      byte // 0 unless resampled by the calendar
	engine.Points
}

// Measures returns the series of a request, the coarsest granularity first. Errors: those of engine.View and View.Measures.
func Measures(ctx context.Context, db *engine.DB, q MeasuresRequest) ([]Series, error) {
	view, err := db.View(q.Metric)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	if q.Resample != 0 || q.Letter != 0 {
		s, err := resampled(ctx, view, q)
		return []Series{s}, err
	}
	widths := []time.Duration{q.Granularity}
	if q.Granularity == 0 {
		widths = widths[:0]
		for _, g := range q.Definition {
			widths = append(widths, g.Width)
		}
		slices.SortFunc(widths, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	}
	out := make([]Series, len(widths))
	for i, w := range widths {
		points, err := view.Measures(ctx, q.Metric, w, []rollup.Method{q.Method}, q.From, q.To)
		if err != nil {
			return nil, err
		}
		out[i] = Series{Granularity: w, Points: points[0]}
	}
	return out, nil
}

// resampled aggregates all points first and cuts to the range then, as the reference does.
func resampled(ctx context.Context, view *engine.View, q MeasuresRequest) (Series, error) {
	s := Series{Granularity: q.Resample, Letter: q.Letter}
	points, err := view.Measures(ctx, q.Metric, q.Granularity, []rollup.Method{q.Method}, 0, math.MaxInt64)
	if err != nil {
		return s, err
	}
	all, from := points[0], q.From
	if q.Letter != 0 {
		s.Points = ResampleCalendar(all, q.Method, q.Letter)
		from, _ = rollup.CalendarFloor(max(from, 0), q.Letter)
	} else {
		s.Points = Resample(all, q.Method, q.Resample)
		from = rollup.Floor(max(from, 0), int64(q.Resample))
	}
	lo, _ := slices.BinarySearch(s.Times, from)
	hi, _ := slices.BinarySearch(s.Times, q.To)
	hi = max(hi, lo)
	s.Times, s.Values = s.Times[lo:hi], s.Values[lo:hi]
	return s, nil
}
