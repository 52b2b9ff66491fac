package ceilometer

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/simplequery"
)

var statisticsArguments = simplequery.Arguments{Scalars: []string{"period"}, Lists: []string{"groupby"},
	Records: map[string][]string{"q": simplequery.WithFilters["q"], "aggregate": {"func", "param"}}}

// statisticsQuery is what statistics are asked for.
type statisticsQuery struct {
	period     int64    // milliseconds; 0: all samples of a group are in one
	groupBy    []string // differ
	aggregates []aggregate
	times      timeRange
}

// aggregate is one that is asked for.
type aggregate struct{ function, param string }

// name is what the answer calls the aggregate.
func (a aggregate) name() string {
	if a.function == "cardinality" {
		return a.function + "/" + a.param
	}
	return a.function
}

const instanceType = "resource_metadata.instance_type"

var (
	groupFields       = []string{"user_id", "resource_id", "project_id", "source", instanceType}
	plainAggregates   = []string{"max", "min", "avg", "sum", "count"}
	cardinalityFields = []string{"resource_id", "user_id", "project_id", "source"}
)

// maxPeriod is what Python's dates can be apart, in seconds.
const maxPeriod = 86_400_000_000_000

// statistics answers with aggregates of a meter's samples.
func (c *call) statistics(name string) error {
	args, err := statisticsArguments.Parse(c.r.URL.RawQuery)
	if err != nil {
		return err
	}
	q, err := parseStatistics(args)
	if err != nil {
		return err
	}
	f, err := parseFilter(args.Filters, &sampleFields, c.who)
	if err != nil {
		return err
	}
	q.times = f.times
	f.texts["meter"] = &name
	return c.within(func(ctx context.Context, u *usage) error {
		origin, err := c.origin(ctx, f)
		if err != nil {
			return err
		}
		g := newGrouping(q, origin, u)
		if err := c.group(ctx, g, f, u); err != nil {
			return err
		}
		b, err := g.appendTo(append(c.begin(), '['))
		if err != nil {
			return err
		}
		return c.end(http.StatusOK, append(b, ']'))
	})
}

func parseStatistics(args *simplequery.Query) (*statisticsQuery, error) {
	q := &statisticsQuery{}
	if args.Has("period") {
		seconds, err := simplequery.ParseInt("period", args.Scalar("period"))
		switch {
		case err != nil:
			return nil, err
		case seconds < 0:
			return nil, badRequest("Period must be positive.")
		case seconds >= maxPeriod:
			return nil, badPeriod(args.Scalar("period"))
		}
		q.period = 1000 * seconds
	}
	var unknown []string
	for _, field := range args.List("groupby") {
		switch {
		case !slices.Contains(groupFields, field):
			unknown = append(unknown, "'"+field+"'")
		case !slices.Contains(q.groupBy, field):
			q.groupBy = append(q.groupBy, field)
		}
	}
	if unknown != nil {
		slices.Sort(unknown)
		return nil, badRequest(`Unknown argument: "{` + strings.Join(slices.Compact(unknown), ", ") + `}": Invalid groupby fields`)
	}
	return q, q.readAggregates(args.Records("aggregate"))
}

func badPeriod(text string) error {
	return badRequest("Invalid period " + text + ": date value out of range")
}

func (q *statisticsQuery) readAggregates(records [][]string) error {
	for _, r := range records {
		a := aggregate{r[0], r[1]}
		switch {
		case a.function == "":
			return invalid("func", "None", "Mandatory field missing.")
		case a.function == "cardinality":
			if a.param == "" {
				a.param = "None"
			}
			if !slices.Contains(cardinalityFields, a.param) {
				return badRequest("Bad aggregate: cardinality." + a.param)
			}
		case a.function == "stddev" || slices.Contains(plainAggregates, a.function):
			a.param = ""
		default:
			return badRequest("Invalid aggregation function: " + a.function)
		}
		if !slices.Contains(q.aggregates, a) {
			q.aggregates = append(q.aggregates, a)
		}
	}
	return nil
}

// origin is where periods begin, in milliseconds: at the lower bound, else at the oldest sample of all.
func (c *call) origin(ctx context.Context, f *filter) (int64, error) {
	if f.times.lower {
		return f.times.origin, nil
	}
	t, ok, err := c.db.OldestSample(ctx)
	if !ok || err != nil {
		return 0, err
	}
	return floorDiv(t, milli), nil
}

// group reads the samples that a filter selects and puts them into groups.
func (c *call) group(ctx context.Context, g *grouping, f *filter, u *usage) error {
	k := c.newKnown()
	parts, err := k.plan(ctx, f.selection(), u)
	if err != nil {
		return err
	}
	for _, p := range parts {
		v, refs, err := k.view(p.refs)
		if err != nil {
			return err
		}
		for _, ref := range refs {
			if err = g.read(ctx, k, v, ref, f.times, p.set); err != nil {
				break
			}
		}
		v.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// read puts the samples of one metric into groups.
func (g *grouping) read(ctx context.Context, k *known, v *engine.View, ref engine.Ref, times timeRange, set *engine.ContextSet) error {
	r := v.Samples(ctx, ref, times.from, times.to, engine.SampleQuery{OldestFirst: true, Contexts: set})
	for r.Next() {
		c := r.Columns()
		if err := g.u.read(len(c.Times)); err != nil {
			return err
		}
		for i := 0; i < len(c.Times); {
			j := i + 1
			for j < len(c.Times) && c.Contexts[j] == c.Contexts[i] {
				j++
			}
			in, err := g.classOf(k, sameKey{ref, c.Contexts[i]})
			if err != nil {
				return err
			}
			if in != nil {
				if err := g.add(in, c.Times[i:j], c.Values[i:j]); err != nil {
					return err
				}
			}
			i = j
		}
	}
	return r.Err()
}

// appendTo appends the groups, in the order of their periods.
func (g *grouping) appendTo(b []byte) ([]byte, error) {
	groups := g.sorted()
	for i, s := range groups {
		if i > 0 {
			b = append(b, ", "...)
		}
		var err error
		if b, err = g.appendGroup(b, s); err != nil {
			return b, err
		}
		if err := g.u.keep(512); err != nil {
			return b, err
		}
	}
	return b, nil
}

// lastMillis is the end of the year 9999.
var lastMillis = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func (g *grouping) appendGroup(b []byte, s *statistic) ([]byte, error) {
	q := g.q
	b = append(b, `{"groupby": `...)
	b = append(b, s.class.groupBy...)
	b = appendText(append(b, `, "unit": `...), s.class.unit)
	if len(q.aggregates) == 0 {
		for _, name := range plainAggregates {
			b = s.appendPlain(b, name)
		}
	} else {
		b = s.appendAsked(b, q.aggregates)
	}
	first, last := floorDiv(s.first, milli), floorDiv(s.last, milli)
	b = g.appendDuration(b, 1000*first, 1000*last)
	start, end := g.origin, last
	if q.period > 0 {
		start = g.origin + s.index*q.period
		end = start + q.period
		if end >= lastMillis || end < start {
			return b, badPeriod(strconv.FormatInt(q.period/1000, 10))
		}
	}
	b = strconv.AppendInt(append(b, `, "period": `...), q.period/1000, 10)
	b = g.clock.appendMillis(append(b, `, "period_start": `...), start)
	b = g.clock.appendMillis(append(b, `, "period_end": `...), end)
	return append(b, '}'), nil
}

// appendPlain appends an aggregate that has a member of its own.
func (s *statistic) appendPlain(b []byte, name string) []byte {
	b = append(append(append(b, `, "`...), name...), `": `...)
	if name == "count" {
		return strconv.AppendInt(b, s.n, 10)
	}
	return appendFloat(b, s.value(name))
}

// appendAsked appends the aggregates that were asked for.
func (s *statistic) appendAsked(b []byte, asked []aggregate) []byte {
	for _, a := range asked {
		if slices.Contains(plainAggregates, a.function) {
			b = s.appendPlain(b, a.function)
		}
	}
	b = append(b, `, "aggregate": {`...)
	cardinality := 0
	for i, a := range asked {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(appendText(b, a.name()), ": "...)
		if a.function == "cardinality" {
			b = appendFloat(b, float64(len(s.distinct[cardinality])))
			cardinality++
			continue
		}
		b = appendFloat(b, s.value(a.function))
	}
	return append(b, '}')
}

// appendDuration appends how long the samples of a group took, as far as that was asked for; times are in microseconds.
func (g *grouping) appendDuration(b []byte, start, end int64) []byte {
	if t := g.q.times; t.lower {
		start = max(start, floorDiv(t.asked[0], micro))
	}
	if t := g.q.times; t.upper {
		end = min(end, floorDiv(t.asked[1], micro))
	}
	if start > end {
		return append(b, `, "duration": null, "duration_start": null, "duration_end": null`...)
	}
	b = appendFloat(append(b, `, "duration": `...), float64(end-start)/1e6)
	b = g.clock.appendMicros(append(b, `, "duration_start": `...), start)
	return g.clock.appendMicros(append(b, `, "duration_end": `...), end)
}
