package gnocchi

import (
	"net/http"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
)

// aggregationResource aggregates the metrics of one name of the resources of a search, all of them or group by group.
func (c *call) aggregationResource() error {
	args := c.args()
	by := uniqueArgs(args["groupby"])
	v, err := c.decodeIfAny()
	if err != nil {
		return err
	}
	filter, err := c.searchFilter(v, args.Get("filter"), nil, false)
	if err != nil {
		return err
	}
	if c.badGroupField(by, false) != "" {
		return badRequest("Invalid groupby attribute")
	}
	named := &query.Operation{Pairs: []query.Pair{{Ref: c.name}}}
	groups, err := query.Groups(c.r.Context(), c.db, query.GroupsRequest{Filter: filter, By: by, Limit: c.o.MaxLimit,
		Operation: named, Limits: c.o.Query})
	if err != nil {
		return err
	}
	metrics := make([][]engine.Metric, len(groups))
	var all []engine.Metric
	for i, g := range groups {
		for _, col := range g.Columns {
			m, err := c.db.MetricByRef(col.Metric)
			if isKind(err, engine.ErrNotFound, engine.KindMetric) {
				continue // deleted meanwhile
			}
			if err != nil {
				return err
			}
			metrics[i] = append(metrics[i], m)
		}
		all = append(all, metrics[i]...)
	}
	a, err := c.parseAggregation(args, all)
	if err != nil {
		return err
	}
	results, err := a.runGroups(metrics)
	if err != nil {
		return err
	}
	if len(by) == 0 {
		c.sendSeries(results[0])
		return nil
	}
	out := c.stream()
	defer out.release()
	var w pointWriter
	out.b = append(out.b, '[')
	for i, g := range groups {
		if i > 0 {
			out.b = append(out.b, ", "...)
		}
		out.b = append(out.b, `{"group": `...)
		out.b = appendJSON(out.b, c.groupObject(by, g.Values))
		out.b = append(out.b, `, "measures": `...)
		w.list(out, results[i])
		out.b = append(out.b, '}')
	}
	out.b = append(out.b, ']')
	out.end(http.StatusOK)
	return nil
}

// runGroups aggregates each group: those of several metrics together, so that they are of one state.
func (a *aggregation) runGroups(groups [][]engine.Metric) ([][]query.Series, error) {
	out := make([][]query.Series, len(groups))
	var several [][]engine.Metric
	var places []int
	for i, metrics := range groups {
		if len(metrics) > 1 {
			several, places = append(several, metrics), append(places, i)
			continue
		}
		var err error
		if out[i], err = a.run(metrics); err != nil {
			return nil, err
		}
	}
	if several == nil {
		return out, nil
	}
	all, err := a.runSets(several)
	if err != nil {
		return nil, err
	}
	for i, place := range places {
		out[place] = all[i]
	}
	return out, nil
}
