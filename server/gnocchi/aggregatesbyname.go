package gnocchi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
	"github.com/valyala/fastjson"
)

// namedAggregates is a request for aggregates of metrics that are named by patterns of their names, of the resources of a search.
type namedAggregates struct {
	c       *call
	args    aggregateArgs
	in      aggregatesInput
	by      []string // sorted, each once
	details bool
	rank    resultRank
}

// aggregatesByName aggregates metrics of resources.
func (c *call) aggregatesByName(a aggregateArgs, in aggregatesInput, args url.Values, history, details bool) error {
	n := namedAggregates{c: c, args: a, in: in, by: uniqueArgs(args["groupby"]), details: details}
	err := c.findType(in.typ)
	if err != nil {
		return badRequest(object{{"cause", "Resource type does not exist"}, {"detail", in.typ}})
	}
	if n.rank, err = parseResultRank(args); err != nil {
		return err
	}
	history = history && len(n.by) > 0
	if field := c.badGroupField(n.by, history); field != "" {
		return pageError("Sort key supplied is invalid: " + field)
	}
	filter, err := n.filter(history)
	if err != nil {
		return err
	}
	if history {
		return n.history(filter)
	}
	groups, err := query.Groups(c.r.Context(), c.db, query.GroupsRequest{Filter: filter, By: n.by, Operation: in.op, Limits: c.o.Query})
	if err != nil {
		return err
	}
	groups = slices.DeleteFunc(groups, func(g query.Group) bool { return len(g.Columns) == 0 })
	if len(groups) == 0 {
		return n.notFound()
	}
	sets := make([]query.Set, len(groups))
	for i := range groups {
		sets[i] = a.set(groups[i].Columns)
	}
	all, err := query.Aggregate(c.r.Context(), c.db, c.aggregatesRequest(&a, in.op, sets...))
	if err != nil {
		return c.aggregatesError(err)
	}
	n.send(groups, all)
	return nil
}

// filter reads the member search.
func (n *namedAggregates) filter(history bool) (*filterTree, error) {
	place := (*at)(nil).member("search")
	v := n.in.search
	if v.Type() != fastjson.TypeString {
		return n.c.searchFilter(v, "", place, history)
	}
	s := text(v)
	if strings.TrimSpace(s) == "" {
		return nil, invalid("length of value must be at least 1", place)
	}
	return n.c.searchFilter(nil, s, nil, history) // faults are told by their place in the filter itself
}

// uniqueArgs sorts the values of a parameter and leaves out repeated ones.
func uniqueArgs(values []string) []string {
	out := slices.Clone(values)
	slices.Sort(out)
	return slices.Compact(out)
}

// badGroupField returns the first name that resources of the type in question cannot be grouped by, "" if there is none.
func (c *call) badGroupField(by []string, history bool) string {
	known := c.sortKeys(history)
	for _, field := range by {
		if !slices.Contains(known, field) {
			return field
		}
	}
	return ""
}

// notFound is the answer if no resource has a metric that matches.
func (n *namedAggregates) notFound() error {
	var refs []string
	for _, p := range n.in.op.Pairs {
		refs = append(refs, p.Ref)
	}
	slices.Sort(refs)
	return noMetric(string(appendPython(nil, slices.Compact(refs))))
}

// send writes what was aggregated.
func (n *namedAggregates) send(groups []query.Group, all []query.Aggregates) {
	out := n.c.stream()
	defer out.release()
	w := newAggregatesWriter(out)
	if len(n.by) == 0 {
		n.sendGroup(w, &groups[0], all[0])
		out.end(http.StatusOK)
		return
	}
	out.b = append(out.b, '[')
	for k, i := range n.rank.groups(all) {
		if k > 0 {
			out.b = append(out.b, ", "...)
		}
		out.b = append(out.b, `{"group": `...)
		out.b = appendJSON(out.b, n.c.groupObject(n.by, groups[i].Values))
		out.b = append(out.b, `, "measures": `...)
		n.sendGroup(w, &groups[i], all[i])
		out.b = append(out.b, '}')
	}
	out.b = append(out.b, ']')
	out.end(http.StatusOK)
}

// sendGroup writes the aggregates of a group.
func (n *namedAggregates) sendGroup(w *aggregatesWriter, g *query.Group, a query.Aggregates) {
	names := make([]columnName, len(g.Columns))
	for i, col := range g.Columns {
		names[i] = columnName{g.Resources[g.Of[i]].Resource().ID.String(), col.Name, n.in.op.Pairs[col.Pair].Method}
	}
	order := allOf(len(names))
	if len(n.by) == 0 {
		order = n.rank.columns(a)
	}
	w.object(a, names, order)
	if n.details {
		w.references(func(dst []byte) []byte {
			of := slices.Compact(slices.Clone(g.Of))
			return appendList(dst, len(of), func(dst []byte, i int) []byte {
				return appendJSON(dst, resourceObject(withMetrics(g.Resources[of[i]]), n.c.kind))
			})
		})
	}
	w.out.b = append(w.out.b, '}')
}

// withMetrics is a resource with its metrics filled in.
func withMetrics(row engine.ResourceRow) *engine.Resource {
	r := *row.Resource()
	r.Metrics = make(map[string]engine.MetricRef)
	for name, m := range row.Metrics() {
		r.Metrics[name] = m
	}
	return &r
}

// history answers for states of resources instead of resources.
func (n *namedAggregates) history(filter *filterTree) error {
	c, a := n.c, &n.args
	groups, err := query.History(c.r.Context(), c.db, query.HistoryRequest{
		AggregatesRequest: c.aggregatesRequest(a, n.in.op), Filter: filter, By: n.by, From: a.from, To: a.to,
		OpenFrom: a.openFrom, OpenTo: a.openTo,
		Text: c.groupText,
	})
	if err != nil {
		return c.aggregatesError(err)
	}
	if len(groups) == 0 {
		return n.notFound()
	}
	out := c.stream()
	defer out.release()
	w := newAggregatesWriter(out)
	out.b = append(out.b, '[')
	for k, i := range n.rank.history(groups) {
		if k > 0 {
			out.b = append(out.b, ", "...)
		}
		g := &groups[i]
		out.b = append(out.b, `{"measures": `...)
		w.object(query.Aggregates{Aggregated: true, Columns: [][]query.Series{g.Series}}, nil, nil)
		if n.details {
			w.references(func(dst []byte) []byte {
				return appendList(dst, len(g.States), func(dst []byte, i int) []byte { return appendJSON(dst, c.stateObject(g.States[i])) })
			})
		}
		out.b = append(out.b, `}, "group": `...)
		out.b = append(appendJSON(out.b, c.groupObject(n.by, g.Values)), '}')
	}
	out.b = append(out.b, ']')
	out.end(http.StatusOK)
	return nil
}

// stateObject is a state of a resource with the time in which it was looked at.
func (c *call) stateObject(s query.HistoryState) object {
	return append(resourceObject(withMetrics(s.Row), c.kind), member{"search_start", boundText(s.From)}, member{"search_end", boundText(s.To)})
}

// groupObject is the values of a group by the names of their fields.
func (c *call) groupObject(by []string, values []groupValueOf) object {
	o := make(object, len(by))
	for i, field := range by {
		o[i] = member{field, c.groupValue(field, values[i])}
	}
	return o
}

// groupText is a group's value as text.
func (c *call) groupText(field string, v groupValueOf) string {
	switch v := c.groupValue(field, v).(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		return strings.TrimSpace(string(appendPython(nil, v)))
	}
}
