package gnocchi

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/rollup"
	"github.com/telemetrydb/tsdb/server/auth"
)

// aggregationMetric aggregates metrics that a list of ids names, into one series.
func (c *call) aggregationMetric() error {
	args := c.args()
	ids, err := c.aggregationIDs(args)
	if err != nil {
		return err
	}
	slices.SortFunc(ids, func(a, b engine.UUID) int { return bytes.Compare(a[:], b[:]) })
	ids = slices.Compact(ids)
	metrics := make([]engine.Metric, len(ids))
	for i, id := range ids {
		m, err := c.db.Metric(id)
		if isKind(err, engine.ErrNotFound, engine.KindMetric) {
			return noMetric(id.String())
		}
		if err != nil {
			return err
		}
		metrics[i] = m
	}
	a, err := c.parseAggregation(args, metrics)
	if err != nil {
		return err
	}
	series, err := a.run(metrics)
	if err != nil {
		return err
	}
	c.sendSeries(series)
	return nil
}

// aggregationIDs reads the ids of a query string or, if they are posted, of a body.
func (c *call) aggregationIDs(args url.Values) ([]engine.UUID, error) {
	var ids []engine.UUID
	if c.r.Method == http.MethodGet {
		for i, s := range args["metric"] {
			id, err := engine.ParseUUID(s)
			if err != nil {
				return nil, badRequest("Invalid input: not a valid value @ " + string((*at)(nil).item(i).append(nil)))
			}
			ids = append(ids, id)
		}
		return ids, nil
	}
	v, err := c.decode()
	if err != nil {
		return nil, err
	}
	list, err := asList(v, nil)
	if err != nil {
		return nil, err
	}
	for i, item := range list {
		b, _ := item.StringBytes()
		id, err := engine.ParseUUID(string(b))
		if err != nil {
			return nil, invalid("not a valid value", (*at)(nil).item(i))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// aggregation is a request for a cross-metric aggregation.
type aggregation struct {
	c     *call
	args  url.Values
	query aggregateArgs
	span  query.MeasuresRequest // Resample and Letter
	again bool                  // whether to resample

	method, reaggregation string
	policies              policies
}

// parseAggregation reads the parameters, and checks that the caller may read the metrics.
func (c *call) parseAggregation(args url.Values, metrics []engine.Metric) (*aggregation, error) {
	a := &aggregation{c: c, args: args, method: "mean", policies: policies{db: c.db}}
	var err error
	if a.query, err = c.parseAggregateArgs(args); err != nil {
		return nil, err
	}
	if v, ok := lastArg(args, "aggregation"); ok {
		a.method = v
	}
	a.reaggregation = a.method
	if m, ok := rollup.ParseMethod(a.method); ok && m.Counter() {
		a.reaggregation = "sum" // what several counters went up by
	}
	if v, ok := lastArg(args, "reaggregation"); ok {
		a.reaggregation = v
	}
	for _, m := range metrics {
		if err := c.mayMetric(auth.GetMetric, m); err != nil {
			return nil, err
		}
	}
	if len(metrics) == 0 {
		return a, nil
	}
	if args.Get("resample") != "" {
		if err := parseResample(args, &a.span); err != nil {
			return nil, err
		}
		a.again = true
	}
	_, err = c.boolArg("refresh", false)
	return a, err
}

// run aggregates metrics, which may be none.
func (a *aggregation) run(metrics []engine.Metric) ([]query.Series, error) {
	switch len(metrics) {
	case 0:
		return nil, nil
	case 1:
		return a.measures(&metrics[0])
	}
	all, err := a.runSets([][]engine.Metric{metrics})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// measures gives the points of a metric that there is nothing to aggregate with.
func (a *aggregation) measures(m *engine.Metric) ([]query.Series, error) {
	policy, err := a.policies.of(m)
	if err != nil {
		return nil, err
	}
	if err := a.checkWidth(m, policy); err != nil {
		return nil, err
	}
	q := a.span
	q.Metric, q.Definition, q.Granularity, q.From, q.To = m.Ref, policy.Definition, a.query.granularity, a.query.from, a.query.to
	var ok bool
	if q.Method, ok = rollup.ParseMethod(a.method); !ok || !hasMethod(*policy, q.Method) {
		return nil, noMethod(m, a.method)
	}
	if q.Letter != 0 && q.Method.Rate() {
		return nil, noCalendar(a.method)
	}
	if a.again && q.Method.Rate() {
		a.c.warnRateOfRate()
	}
	return query.Measures(a.c.r.Context(), a.c.db, q)
}

func (a *aggregation) checkWidth(m *engine.Metric, policy *engine.ArchivePolicy) error {
	if g := a.query.granularity; g != 0 && !hasWidth(*policy, g) {
		return noAggregation(a.method, *m, query.SeriesName{Granularity: g})
	}
	return nil
}

// runSets aggregates each set of several metrics.
func (a *aggregation) runSets(sets [][]engine.Metric) ([][]query.Series, error) {
	var q query.AggregatesRequest
	for _, metrics := range sets {
		cols := make([]query.Column, len(metrics))
		for i := range metrics {
			m := &metrics[i]
			policy, err := a.policies.of(m)
			if err != nil {
				return nil, err
			}
			if err := a.checkWidth(m, policy); err != nil {
				return nil, err
			}
			cols[i] = query.Column{Metric: m.Ref, Policy: policy, Name: m.ID.String()}
		}
		q.Sets = append(q.Sets, a.query.set(cols))
	}
	// Whatever the metrics are, they are what the one pair of the operation means.
	op, ok := query.Across([]string{""}, a.method, a.reaggregation, int64(a.span.Resample), a.span.Letter)
	if !ok {
		return nil, a.badStatistic(sets)
	}
	if op.RateOfRate() {
		a.c.warnRateOfRate()
	}
	all, err := query.Aggregate(a.c.r.Context(), a.c.db, a.c.aggregatesRequest(&a.query, op, q.Sets...))
	if err != nil {
		return nil, a.c.aggregationError(err)
	}
	out := make([][]query.Series, len(all))
	for i := range all {
		out[i] = all[i].Columns[0]
	}
	return out, nil
}

// badStatistic is the answer where the operation means nothing. That the metrics lack the method outranks it.
func (a *aggregation) badStatistic(sets [][]engine.Metric) error {
	method, known := rollup.ParseMethod(a.method)
	for i := range sets[0] {
		m := &sets[0][i]
		policy, err := a.policies.of(m)
		if err != nil {
			return err
		}
		if !known || !hasMethod(*policy, method) {
			return noAggregation(a.method, *m, query.SeriesName{Granularity: policy.Definition[0].Width})
		}
	}
	if a.span.Letter != 0 && method.Rate() {
		return noCalendar(a.method)
	}
	return badRequest(object{{"cause", "Argument value error"}, {"detail", "reaggregation"},
		{"reason", "'" + a.reaggregation + "' cannot put series together: use mean, median, std, min, max, sum, var or count, or rate: before one of them"}})
}

func noCalendar(method string) error {
	return badRequest("Aggregation method '" + method + "' cannot be resampled by the calendar")
}

// noMethod is the answer for a method that a metric's policy lacks.
func noMethod(m *engine.Metric, method string) error {
	return fail(http.StatusNotFound, object{
		{"cause", "Aggregation method does not exist for this metric"},
		{"detail", object{{"metric", m.ID.String()}, {"aggregation_method", method}}},
	})
}
