package gnocchi

import (
	"math"
	"net/url"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/valyala/fastjson"
)

type (
	filterTree   = index.Filter
	groupValueOf = index.Value
)

// groupValue gives the value of a field of resources of the type in question as clients see it.
func (c *call) groupValue(field string, v index.Value) any {
	a, _ := c.kind.Attribute(field)
	if field == "id" {
		a.Type = engine.AttributeUUID
	}
	return attributeJSON(a, v)
}

// boundText is a bound of time, nil if it is none.
func boundText(nanos int64) any {
	if nanos == 0 || nanos == math.MaxInt64 {
		return nil
	}
	return pyTime(time.Unix(0, nanos))
}

// searchFilter reads the filter of a search of the type in question, of a body where it stands at p, or else text, and joins what the caller may
// see to it. nil: everything.
func (c *call) searchFilter(v *fastjson.Value, words string, p *at, history bool) (*index.Filter, error) {
	var f *index.Filter
	var err error
	switch schema := c.filterSchema(c.kind, history); {
	case v != nil:
		f, err = query.ParseFilter(v, schema)
	case words != "":
		f, err = query.ParseFilterText(words, schema)
	}
	if err != nil {
		return nil, filterFault(err, p)
	}
	allowed, err := c.resourceFilter(auth.SearchResource, c.typ)
	return restricted(allowed, ofType(c.typ, f)), err
}

// resultRank says which results to send, and in which order: not an idea of Gnocchi's.
type resultRank struct {
	by    *query.Rank
	limit int
}

// parseResultRank reads order_by=STATISTIC[:asc] and limit=N.
func parseResultRank(args url.Values) (resultRank, error) {
	var r resultRank
	if s, ok := lastArg(args, "order_by"); ok {
		by, ok := query.ParseRank(s)
		if !ok {
			return r, argumentError("order_by", "Must be mean, median, std, min, max, sum, var, count, first or last, and :asc or :desc may follow")
		}
		r.by = &by
	}
	if s, ok := lastArg(args, "limit"); ok {
		n, ok := parsePyInt(s)
		if !ok || n < 1 {
			return r, argumentError("limit", "Must be a number of at least 1")
		}
		r.limit = int(min(n, math.MaxInt32))
	}
	return r, nil
}

// order gives the indexes of n results in the order in which they are sent.
func (r *resultRank) order(n int, series func(i int) []query.Series) []int {
	if r.by == nil {
		all := allOf(n)
		if r.limit > 0 && r.limit < n {
			all = all[:r.limit]
		}
		return all
	}
	results := make([][]query.Series, n)
	for i := range results {
		results[i] = series(i)
	}
	return r.by.Order(results, r.limit)
}

// groups orders groups by what they were aggregated to. Groups that were not are in the order of their first series.
func (r *resultRank) groups(all []query.Aggregates) []int {
	return r.order(len(all), func(i int) []query.Series { return all[i].Columns[0] })
}

// history is groups for those of states.
func (r *resultRank) history(groups []query.HistoryGroup) []int {
	return r.order(len(groups), func(i int) []query.Series { return groups[i].Series })
}

// columns orders the series of an answer that was not aggregated.
func (r *resultRank) columns(a query.Aggregates) []int {
	return r.order(len(a.Columns), func(i int) []query.Series { return a.Columns[i] })
}

// allOf is 0, 1, ..., n-1.
func allOf(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
