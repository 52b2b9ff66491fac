package gnocchi

import (
	"math"
	"net/http"
	"slices"

	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/rollup"
	"github.com/telemetrydb/tsdb/server/auth"
)

// getBatchMetrics gives the points of several metrics by several methods in one answer, which Gnocchi cannot:
//
//	GET /v1/batch/metrics/measures?metric=ID&metric=ID&aggregation=mean&aggregation=max&granularity=60&start=-1 hour
//
// gives {ID: {METHOD: [[time, granularity, value], ...]}}. All of it is of one moment.
func (c *call) getBatchMetrics() error {
	args := c.args()
	q := query.SeveralRequest{Limits: c.o.Query}
	var err error
	if q.From, err = c.timeArg(args, "start", 0); err != nil {
		return err
	}
	if q.To, err = c.timeArg(args, "stop", math.MaxInt64); err != nil {
		return err
	}
	widths, err := widthArgs(args)
	if err != nil {
		return err
	}
	metrics, err := c.knownMetrics(args["metric"], auth.GetMeasures, false)
	if err != nil {
		return err
	}
	if args.Has("resample") {
		return badRequest("resample is not possible for several metrics at once")
	}
	var names []string // each once, in the order asked for
	for _, name := range args["aggregation"] {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		names = []string{"mean"}
	}
	policies := policies{db: c.db}
	for i := range metrics {
		m := &metrics[i]
		policy, err := policies.of(m)
		if err != nil {
			return err
		}
		mine := widths
		if mine == nil {
			mine = query.Widths(policy)
		}
		for _, name := range names {
			method, ok := rollup.ParseMethod(name)
			if !ok || !hasMethod(*policy, method) {
				return noMethod(m, name)
			}
			for _, w := range mine {
				if !hasWidth(*policy, w) {
					return noAggregation(name, *m, query.SeriesName{Granularity: w})
				}
			}
			q.Series = append(q.Series, query.SeriesRequest{Metric: m.Ref, Method: method, Widths: mine})
		}
	}
	all, err := query.Several(c.r.Context(), c.db, q)
	if err != nil {
		return err
	}
	out := c.stream()
	defer out.release()
	out.b = append(out.b, '{')
	w := pointWriter{keep: true}
	for i, m := range metrics {
		if i > 0 {
			out.b = append(out.b, ", "...)
		}
		out.b = append(appendQuoted(out.b, m.ID.String()), ": {"...)
		for k, name := range names {
			if k > 0 {
				out.b = append(out.b, ", "...)
			}
			out.b = append(appendQuoted(out.b, name), ": "...)
			w.list(out, all[i*len(names)+k])
		}
		out.b = append(out.b, '}')
	}
	out.b = append(out.b, '}')
	out.end(http.StatusOK)
	return nil
}
