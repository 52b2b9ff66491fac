package gnocchi

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/valyala/fastjson"
)

// aggregatesInput is what the body of a request for dynamic aggregates asks for.
type aggregatesInput struct {
	op     *query.Operation
	byName bool
	typ    string          // of resources, if by name
	search *fastjson.Value // an object or text
}

// parseAggregates reads the body.
func parseAggregates(v *fastjson.Value) (aggregatesInput, error) {
	var in aggregatesInput
	members, err := asObject(v, nil)
	if err != nil {
		return in, err
	}
	var operations, typ *fastjson.Value
	for _, m := range members {
		switch m.key {
		case "operations":
			operations = m.value
		case "resource_type":
			typ = m.value
		case "search":
			in.search = m.value
		default:
			return in, extraKey((*at)(nil).member(m.key))
		}
	}
	if operations == nil {
		return in, missingKey((*at)(nil).member("operations"))
	}
	if in.op, err = parseOperations(operations); err != nil {
		return in, err
	}
	switch {
	case typ == nil: // a search alone means nothing, and is no error
		return in, nil
	case in.search == nil:
		return in, missingKey((*at)(nil).member("search"))
	}
	in.byName = true
	in.typ, err = asString(typ, (*at)(nil).member("resource_type"), 0)
	return in, err
}

// parseOperations reads an operation in either of its forms.
func parseOperations(v *fastjson.Value) (*query.Operation, error) {
	if v.Type() == fastjson.TypeString {
		op, term, err := query.ParseOperationsText(text(v), words)
		if err != nil {
			return nil, operationError(err, term)
		}
		return op, nil
	}
	term, err := query.TermOf(v)
	if err != nil {
		return nil, err
	}
	op, err := query.ParseOperations(term, words)
	if err != nil {
		return nil, operationError(err, term)
	}
	return op, nil
}

func (c *call) postAggregates() error {
	args := c.args()
	history, err := c.boolArg("use_history", false)
	if err != nil {
		return err
	}
	details, err := c.boolArg("details", false)
	if err != nil {
		return err
	}
	a, err := c.parseAggregateArgs(args)
	if err != nil {
		return err
	}
	if !a.fillGiven && !a.overlapGiven {
		a.fill = query.Fill{Mode: query.FillDrop}
	}
	v, err := c.decode()
	if err != nil {
		return err
	}
	in, err := parseAggregates(v)
	if err != nil {
		return err
	}
	if in.op.RateOfRate() {
		c.warnRateOfRate()
	}
	if in.byName {
		return c.aggregatesByName(a, in, args, history, details)
	}
	return c.aggregatesByID(&a, in.op, args, details)
}

// warnRateOfRate tells those who ask for the rate of a rate that they do.
func (c *call) warnRateOfRate() {
	c.w.Header().Set("Warning", `299 - "a rate of a rate was asked for: differences of differences"`)
}

// aggregatesByID aggregates metrics that are named by their ids.
func (c *call) aggregatesByID(a *aggregateArgs, op *query.Operation, args url.Values, details bool) error {
	rank, err := parseResultRank(args)
	if err != nil {
		return err
	}
	metrics, cols, err := c.referredMetrics(op)
	if err != nil {
		return err
	}
	all, err := query.Aggregate(c.r.Context(), c.db, c.aggregatesRequest(a, op, a.set(cols)))
	if err != nil {
		return c.aggregatesError(err)
	}
	var references []object
	if details {
		slices.SortFunc(metrics, func(a, b engine.Metric) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		if references, err = c.fullMetrics(metrics); err != nil {
			return err
		}
	}
	out := c.stream()
	defer out.release()
	w := newAggregatesWriter(out)
	names := make([]columnName, len(cols))
	for i, col := range cols {
		names[i] = columnName{metric: col.Name, method: op.Pairs[col.Pair].Method}
	}
	w.object(all[0], names, rank.columns(all[0]))
	if details {
		w.references(func(dst []byte) []byte { return appendJSON(dst, references) })
	}
	out.b = append(out.b, '}')
	out.end(http.StatusOK)
	return nil
}

// referredMetrics finds the metrics whose ids an operation names, each once, and its columns.
func (c *call) referredMetrics(op *query.Operation) ([]engine.Metric, []query.Column, error) {
	ids := make([]engine.UUID, len(op.Pairs))
	for i, p := range op.Pairs {
		var err error
		if ids[i], err = engine.ParseUUID(p.Ref); err != nil {
			return nil, nil, badRequest(object{{"cause", "Invalid metric references"}, {"reason", "badly formed hexadecimal UUID string"},
				{"detail", pairsValue(op.Pairs)}})
		}
	}
	var metrics []engine.Metric
	var missing []string
	known := make(map[engine.UUID]int, len(ids))
	for i, id := range ids {
		op.Pairs[i].Ref = id.String()
		if _, ok := known[id]; ok {
			continue
		}
		known[id] = len(metrics)
		m, err := c.db.Metric(id)
		if isKind(err, engine.ErrNotFound, engine.KindMetric) {
			missing = append(missing, id.String())
		} else if err != nil {
			return nil, nil, err
		}
		metrics = append(metrics, m)
	}
	if missing != nil {
		return nil, nil, fail(http.StatusNotFound, object{{"cause", "Unknown metrics"}, {"reason", "Provided metrics don't exists"},
			{"detail", missing}})
	}
	for i := range metrics {
		if err := c.mayMetric(auth.GetMetric, metrics[i]); err != nil {
			return nil, nil, err
		}
	}
	policies := policies{db: c.db}
	cols := make([]query.Column, len(ids))
	for i, id := range ids {
		m := &metrics[known[id]]
		policy, err := policies.of(m)
		if err != nil {
			return nil, nil, err
		}
		cols[i] = query.Column{Metric: m.Ref, Policy: policy, Name: op.Pairs[i].Ref, Pair: i}
	}
	return metrics, cols, nil
}

func pairsValue(pairs []query.Pair) []any {
	out := make([]any, len(pairs))
	for i, p := range pairs {
		out[i] = []any{p.Ref, p.Method}
	}
	return out
}

// fullMetrics gives metrics as a request for one of them shows it.
func (c *call) fullMetrics(metrics []engine.Metric) ([]object, error) {
	out := make([]object, len(metrics))
	for i, m := range metrics {
		var err error
		if out[i], err = c.fullMetric(m); err != nil {
			return nil, err
		}
	}
	return out, nil
}
