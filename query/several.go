package query

import (
	"context"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// SeveralRequest asks for stored points of several metrics and methods as they are, each metric by itself.
type SeveralRequest struct {
	Series   []SeriesRequest
	From, To int64      // nanoseconds since the epoch: From <= time < To, From first rounded down to each granularity
	Match    *Predicate // only the points whose values meet it; nil: all
	Limits   Limits
}

// SeriesRequest is a metric, a method and granularities of its policy.
type SeriesRequest struct {
	Metric engine.Ref
	Method rollup.Method
	Widths []time.Duration
}

// Several returns what was asked for, in the order of the request: of each series its granularities, in their order. All of it is of one
// state of the database. Metrics are read in parallel, and each is decoded once. Errors: LimitError, those of engine.View and View.Measures.
func Several(ctx context.Context, db *engine.DB, q SeveralRequest) ([][]Series, error) {
	b, ctx, cancel := q.Limits.start(ctx)
	defer cancel()
	var all readings
	reads := make([]*reading, len(q.Series))
	for i, s := range q.Series {
		for _, w := range s.Widths {
			reads[i] = all.add(s.Metric, s.Method, w, q.From, q.To)
		}
	}
	if err := all.read(ctx, db, b); err != nil {
		return nil, causeOf(ctx, err)
	}
	out := make([][]Series, len(q.Series))
	for i, s := range q.Series {
		out[i] = make([]Series, len(s.Widths))
		for k, w := range s.Widths {
			p := reads[i].of(s.Method, w, q.From, q.To)
			if q.Match != nil {
				p = matching(p, q.Match)
			}
			out[i][k] = Series{Granularity: w, Points: p}
		}
	}
	return out, nil
}

// matching gives the points whose values meet the condition.
func matching(p engine.Points, cond *Predicate) engine.Points {
	var out engine.Points
	for i, v := range p.Values {
		if cond.Matches(v) {
			out.Times, out.Values = append(out.Times, p.Times[i]), append(out.Values, v)
		}
	}
	return out
}

// Widths gives the granularities of a policy, the coarsest first.
func Widths(p *engine.ArchivePolicy) []time.Duration {
	out := make([]time.Duration, len(p.Definition))
	for i, g := range p.Definition {
		out[i] = g.Width
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}
