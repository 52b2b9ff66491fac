package query

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// AggregatesRequest asks for an operation over series of several metrics, once for each set of them.
type AggregatesRequest struct {
	Operation     *Operation
	Sets          []Set
	Granularity   time.Duration // 0: all that the metrics of a set have in common
	Fill          Fill
	NeededOverlap float64 // percent, with FillNone
	Limits        Limits
}

// Set is the series that an operation is worked out over, and the time that is looked at.
type Set struct {
	Columns  []Column
	From, To int64 // nanoseconds since the epoch: From <= time < To, From first rounded down to each granularity
	// OpenFrom and OpenTo tell that the request has no such bound, so that FillNone may choose one.
	OpenFrom, OpenTo bool
}

// Column is a series: the points of a metric that one pair of an operation refers to.
type Column struct {
	Metric engine.Ref
	Policy *engine.ArchivePolicy // the metric's
	Name   string                // of the metric, for errors; those about several series have the Ref of the Pair unless that is empty
	Pair   int                   // of the Operation
}

// Aggregates are what an operation gave for a Set. If Aggregated, Columns has one item, else one a Column of the set, in its order. Each
// item has a series of each granularity, the coarsest first.
type Aggregates struct {
	Aggregated bool
	Columns    [][]Series
}

// AggregateError says why series cannot be aggregated.
type AggregateError struct {
	Kind   AggregateFault
	Reason string
	Series []SeriesName
	Metric engine.Ref // FaultMethod: the metric that has no such aggregation method
}

// AggregateFault is a kind of AggregateError.
type AggregateFault uint8

// Why series cannot be aggregated.
const (
	FaultSeries AggregateFault = iota // as Reason says
	FaultMethod                       // a metric lacks the method of Series
)

// SeriesName names a series in an error: a metric, its method and, if it lacks one, a granularity.
type SeriesName struct {
	Name        string
	Method      string
	Granularity time.Duration // 0: not part of the error
}

func (e *AggregateError) Error() string { return "series cannot be aggregated: " + e.Reason }

func overlapReason(needed, percent float64) string {
	return fmt.Sprintf("Less than %f%% of datapoints overlap in this timespan (%.2f%%)", needed, percent)
}

// Aggregate works the operation out over each set, all of them from one state of the database. Sets and metrics are worked on in parallel,
// and each metric is decoded once. Errors: AggregateError, LimitError, those of engine.View and View.Measures.
func Aggregate(ctx context.Context, db *engine.DB, q AggregatesRequest) ([]Aggregates, error) {
	b, ctx, cancel := q.Limits.start(ctx)
	defer cancel()
	jobs := make([]job, len(q.Sets))
	var all readings
	for i := range q.Sets {
		jobs[i] = job{q: &q, set: &q.Sets[i]}
		if err := jobs[i].plan(&all); err != nil {
			return nil, err
		}
	}
	if err := all.read(ctx, db, b); err != nil {
		return nil, causeOf(ctx, err)
	}
	out := make([]Aggregates, len(jobs))
	var next atomic.Int64
	errs := make([]error, len(jobs))
	err := parallel(ctx, min(runtime.GOMAXPROCS(0), len(jobs)), func(ctx context.Context, _ int) error {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(jobs) {
				return nil
			}
			if out[i], errs[i] = jobs[i].run(ctx, b); errs[i] != nil {
				return errs[i]
			}
		}
	})
	if err != nil {
		for _, first := range errs { // the one that a single goroutine would have met
			var e *AggregateError
			if errors.As(first, &e) {
				return nil, first
			}
		}
		return nil, causeOf(ctx, err)
	}
	return out, nil
}

// job is one set being worked on.
type job struct {
	q       *AggregatesRequest
	set     *Set
	widths  []time.Duration // the coarsest first
	methods []rollup.Method // of each column
	reads   []*reading      // of each column
}

// plan checks the set and says what has to be read.
func (j *job) plan(all *readings) error {
	cols := j.set.Columns
	if j.q.Granularity != 0 {
		j.widths = []time.Duration{j.q.Granularity}
	} else if j.widths = commonWidths(cols); len(j.widths) == 0 {
		return &AggregateError{Reason: "No granularity match", Series: j.names(cols, 0)}
	}
	var lacking []Column
	for _, c := range cols {
		method, ok := rollup.ParseMethod(j.pair(c).Method)
		if !ok || !slices.Contains(c.Policy.Methods, method) {
			return &AggregateError{Kind: FaultMethod, Metric: c.Metric, Reason: "unknown aggregation method",
				Series: j.names([]Column{c}, c.Policy.Definition[0].Width)}
		}
		j.methods = append(j.methods, method)
		if j.q.Granularity != 0 && !hasWidth(c.Policy, j.q.Granularity) {
			lacking = append(lacking, c)
		}
	}
	if lacking != nil {
		return &AggregateError{Reason: "Granularities are missing", Series: j.names(lacking, j.q.Granularity)}
	}
	j.reads = make([]*reading, len(cols))
	for i, c := range cols {
		for _, w := range j.widths {
			j.reads[i] = all.add(c.Metric, j.methods[i], w, j.set.From, j.set.To)
		}
	}
	return nil
}

func (j *job) pair(c Column) Pair { return j.q.Operation.Pairs[c.Pair] }

func (j *job) names(cols []Column, width time.Duration) []SeriesName {
	out := make([]SeriesName, len(cols))
	for i, c := range cols {
		out[i] = SeriesName{c.Name, j.pair(c).Method, width}
	}
	return out
}

func hasWidth(p *engine.ArchivePolicy, w time.Duration) bool {
	return slices.ContainsFunc(p.Definition, func(g engine.Granularity) bool { return g.Width == w })
}

// commonWidths gives the granularities that all columns have, the coarsest first.
func commonWidths(cols []Column) []time.Duration {
	if len(cols) == 0 {
		return nil
	}
	var out []time.Duration
	for _, g := range cols[0].Policy.Definition {
		out = append(out, g.Width)
	}
	last := cols[0].Policy
	for _, c := range cols[1:] {
		if c.Policy != last {
			last = c.Policy
			out = slices.DeleteFunc(out, func(w time.Duration) bool { return !hasWidth(last, w) })
		}
	}
	slices.SortFunc(out, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	return out
}

// run works the operation out for each granularity.
func (j *job) run(ctx context.Context, b *budget) (Aggregates, error) {
	var out Aggregates
	for _, w := range j.widths {
		g, err := j.evaluate(ctx, b, w)
		if err != nil {
			return out, err
		}
		series := g.series(j.q.Fill)
		out.Aggregated = g.one
		if out.Columns == nil {
			out.Columns = make([][]Series, len(series))
		}
		for i, s := range series {
			out.Columns[i] = append(out.Columns[i], s)
		}
	}
	return out, nil
}

func (j *job) evaluate(ctx context.Context, b *budget, width time.Duration) (grid, error) {
	points := make([]engine.Points, len(j.reads))
	pairs := make([]int, len(j.reads))
	for i, rd := range j.reads {
		points[i] = rd.of(j.methods[i], width, j.set.From, j.set.To)
		pairs[i] = j.set.Columns[i].Pair
	}
	fail := func(reason string) error {
		e := &AggregateError{Reason: reason}
		for i, p := range pairs {
			pair := j.q.Operation.Pairs[p]
			e.Series = append(e.Series, SeriesName{Name: cmp.Or(pair.Ref, j.set.Columns[i].Name), Method: pair.Method})
		}
		return e
	}
	g, err := align(points, width, j.q.Fill, b)
	if err != nil {
		return g, err
	}
	if j.q.Fill.Mode == FillNone {
		if err := g.overlap(j.q.NeededOverlap, j.set.OpenFrom, j.set.OpenTo, fail); err != nil {
			return g, err
		}
	}
	e := evaluator{ctx: ctx, budget: b, base: g, pairs: pairs, fail: fail}
	return e.eval(j.q.Operation.root)
}
