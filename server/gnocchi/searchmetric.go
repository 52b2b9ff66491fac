package gnocchi

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/rollup"
	"github.com/telemetrydb/tsdb/server/auth"
)

// searchMetric finds the points of metrics whose values meet a condition.
func (c *call) searchMetric() error {
	args := c.args()
	metrics, err := c.knownMetrics(args["metric_id"], auth.SearchMetric, true)
	if err != nil {
		return err
	}
	if c.r.ContentLength == 0 {
		return badRequest("No query specified in body")
	}
	v, err := c.decode()
	if err != nil {
		return err
	}
	q := query.SeveralRequest{Limits: c.o.Query, To: math.MaxInt64}
	if q.Match, err = query.ParsePredicate(v); err != nil {
		return predicateError(err)
	}
	if q.From, err = c.timeArg(args, "start", 0); err != nil {
		return badRequest("Invalid value for start")
	}
	if q.To, err = c.timeArg(args, "stop", math.MaxInt64); err != nil {
		return badRequest("Invalid value for stop")
	}
	widths, err := widthArgs(args)
	if err != nil {
		return err
	}
	name := "mean"
	if s, ok := lastArg(args, "aggregation"); ok {
		name = s
	}
	if q.Series, err = c.searchedSeries(metrics, name, widths); err != nil {
		return err
	}
	all, err := query.Several(c.r.Context(), c.db, q)
	if err != nil {
		return err
	}
	out := c.stream()
	defer out.release()
	out.b = append(out.b, '{')
	var w pointWriter
	for i, m := range metrics {
		if i > 0 {
			out.b = append(out.b, ", "...)
		}
		out.b = append(appendQuoted(out.b, m.ID.String()), ": "...)
		w.list(out, all[i])
	}
	out.b = append(out.b, '}')
	out.end(http.StatusOK)
	return nil
}

// searchedSeries names what has to be read: of each metric the granularities given, or all of its policy.
func (c *call) searchedSeries(metrics []engine.Metric, name string, widths []time.Duration) ([]query.SeriesRequest, error) {
	policies := policies{db: c.db}
	method, known := rollup.ParseMethod(name)
	series := make([]query.SeriesRequest, len(metrics))
	for i := range metrics {
		policy, err := policies.of(&metrics[i])
		if err != nil {
			return nil, err
		}
		mine := widths
		if mine == nil {
			mine = query.Widths(policy)
		}
		for _, w := range mine {
			if !known || !hasMethod(*policy, method) || !hasWidth(*policy, w) {
				return nil, badRequest(object{{"cause", "Aggregation does not exist"},
					{"detail", object{{"granularity", float64(w) / 1e9}, {"aggregation_method", name}}}})
			}
		}
		series[i] = query.SeriesRequest{Metric: metrics[i].Ref, Method: method, Widths: mine}
	}
	return series, nil
}

// knownMetrics finds metrics by ids, each once, in the order given, and checks that the caller may do to them what the rule is about. Ids
// that name none are left out if skip, else a 404.
func (c *call) knownMetrics(ids []string, rule auth.Rule, skip bool) ([]engine.Metric, error) {
	var metrics []engine.Metric
	known := make(map[engine.UUID]bool, len(ids))
	for _, s := range ids {
		id, err := engine.ParseUUID(s)
		if err != nil {
			return nil, badRequest("Invalid input: badly formed hexadecimal UUID string")
		}
		if known[id] {
			continue
		}
		known[id] = true
		m, err := c.db.Metric(id)
		if isKind(err, engine.ErrNotFound, engine.KindMetric) {
			if skip {
				continue
			}
			return nil, noMetric(id.String())
		}
		if err != nil {
			return nil, err
		}
		if err := c.mayMetric(rule, m); err != nil {
			return nil, err
		}
		metrics = append(metrics, m)
	}
	return metrics, nil
}

// widthArgs reads the parameter granularity, which may be repeated: the coarsest first, each once; nil: not given.
func widthArgs(args url.Values) ([]time.Duration, error) {
	var widths []time.Duration
	for _, s := range args["granularity"] {
		nanos, err := positiveTimespan(s)
		if err != nil {
			return nil, argumentError("granularity", err.Error())
		}
		widths = append(widths, time.Duration(nanos))
	}
	slices.Sort(widths)
	slices.Reverse(widths)
	return slices.Compact(widths), nil
}

// predicateError answers for a condition that cannot be read.
func predicateError(err error) error {
	var e *query.PredicateError
	if !errors.As(err, &e) {
		return err
	}
	if len(e.Path) == 0 && e.Phrase != "expected a dictionary" && !e.Extra {
		return badRequest(e.Phrase)
	}
	var p *at
	for i, step := range e.Path { // members and indexes take turns, where there are lists
		if n, err := strconv.Atoi(step); err == nil && i > 0 {
			p = p.item(n)
		} else {
			p = p.member(step)
		}
	}
	if e.Extra {
		return extraKey(p)
	}
	return invalid(e.Phrase, p)
}
