package gnocchi

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
)

// operationError answers for an operation that cannot be read. detail is the operation as it was understood.
func operationError(err error, detail query.Term) error {
	var e *query.OperationError
	if !errors.As(err, &e) {
		return err
	}
	place := (*at)(nil).member("operations")
	switch e.Fault {
	case query.FaultSyntax:
		return badRequest(object{{"cause", "Invalid operations"}, {"reason", "Fail to parse the operations string"}, {"detail", e.Detail}})
	case query.FaultEmpty:
		return invalid("Operation must not be empty", place)
	case query.FaultNoArgs:
		return invalid("Operation need at least one argument", place)
	case query.FaultOperator:
		return invalid("'"+e.Name+"' operation invalid", place)
	case query.FaultReference:
		return badRequest(object{
			{"cause", "Invalid input"},
			{"reason", "expected a metric and an aggregation method, or a list of such pairs @ data['operations'][" + strconv.Itoa(e.Index) + "]"},
			{"detail", []string{"operations", strconv.Itoa(e.Index)}},
		})
	case query.FaultNoMetric:
		return badRequest(object{{"cause", "Operations is invalid"}, {"reason", "At least one 'metric' is required"}, {"detail", termValue(detail)}})
	}
	return invalid("Expected a tuple/list, got a "+pyTypes[e.Kind], place)
}

// pyTypes are what Python calls the kinds of terms.
var pyTypes = map[query.TermKind]string{query.TermNumber: "<class 'float'>", query.TermTrue: "<class 'bool'>", query.TermFalse: "<class 'bool'>",
	query.TermNull: "<class 'NoneType'>", query.TermObject: "<class 'dict'>"}

// termValue gives a term as appendJSON takes it.
func termValue(t query.Term) any {
	switch t.Kind {
	case query.TermList:
		list := make([]any, len(t.Items))
		for i, item := range t.Items {
			list[i] = termValue(item)
		}
		return list
	case query.TermNumber, query.TermText:
		if f, ok := parsePyFloat(t.Text); ok {
			return f
		}
		return t.Text
	case query.TermTrue, query.TermFalse:
		return t.Kind == query.TermTrue
	}
	return nil
}

// unaggregable is the answer for series that cannot be aggregated. names has their names.
func unaggregable(e *query.AggregateError) error {
	detail := make([]any, len(e.Series))
	for i, s := range e.Series {
		item := []any{s.Name, s.Method}
		if s.Granularity != 0 {
			item = append(item, float64(s.Granularity)/1e9)
		}
		detail[i] = item
	}
	return badRequest(object{{"cause", "Metrics cannot be aggregated"}, {"reason", e.Reason}, {"detail", detail}})
}

// aggregatesError answers for errors of dynamic aggregates.
func (c *call) aggregatesError(err error) error {
	return c.aggregateError(err, func(m engine.Metric, s query.SeriesName) error {
		return fail(http.StatusNotFound, object{{"cause", "Metrics with unknown aggregation"}, {"detail", []any{[]any{m.ID.String(), s.Method}}}})
	})
}

// aggregationError answers for errors of the cross-metric aggregation.
func (c *call) aggregationError(err error) error {
	return c.aggregateError(err, func(m engine.Metric, s query.SeriesName) error { return noAggregation(s.Method, m, s) })
}

// aggregateError answers for an error of aggregates; unknown does for a series that its metric does not have.
func (c *call) aggregateError(err error, unknown func(m engine.Metric, s query.SeriesName) error) error {
	var e *query.AggregateError
	if !errors.As(err, &e) {
		return err
	}
	if e.Kind != query.FaultMethod {
		return unaggregable(e)
	}
	m, err := c.db.MetricByRef(e.Metric)
	if err != nil {
		return err
	}
	return unknown(m, e.Series[0])
}

func noAggregation(method string, m engine.Metric, s query.SeriesName) error {
	return notFound("Aggregation method '%s' at granularity '%s' for metric %s does not exist", method, spanSecondsText(s.Granularity), m.ID)
}

// limitError answers for a request that exceeds a limit: it names it.
func limitExceeded(e *query.LimitError) *apiError {
	status, retry := http.StatusBadRequest, 0
	if e.Unit == "milliseconds" { // perhaps others need the processors now
		status, retry = http.StatusServiceUnavailable, retrySeconds
	}
	return &apiError{status: status, retry: retry, desc: object{{"cause", "Limit exceeded"}, {"reason", e.Error()}, {"detail", e.Name}}}
}
