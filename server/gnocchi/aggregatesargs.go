package gnocchi

import (
	"math"
	"net/url"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
)

// aggregateArgs are the parameters that all kinds of aggregates have.
type aggregateArgs struct {
	from, to         int64
	openFrom, openTo bool // not given
	granularity      time.Duration
	overlap          float64
	fill             query.Fill
	overlapGiven     bool
	fillGiven        bool
}

// parseAggregateArgs reads the parameters in the order in which the reference complains about them.
func (c *call) parseAggregateArgs(args url.Values) (aggregateArgs, error) {
	a := aggregateArgs{overlap: 100, openFrom: !args.Has("start"), openTo: !args.Has("stop")}
	if v, ok := lastArg(args, "needed_overlap"); ok {
		if a.overlap, ok = parsePyFloat(v); !ok {
			return a, argumentError("needed_overlap", "Must be a number")
		}
		a.overlapGiven = true
	}
	var err error
	if a.from, err = c.timeArg(args, "start", 0); err != nil {
		return a, err
	}
	if a.to, err = c.timeArg(args, "stop", math.MaxInt64); err != nil {
		return a, err
	}
	if v, ok := lastArg(args, "granularity"); ok {
		nanos, err := positiveTimespan(v)
		if err != nil {
			return a, argumentError("granularity", err.Error())
		}
		a.granularity = time.Duration(nanos)
	}
	if v, ok := lastArg(args, "fill"); ok {
		if f, isNumber := parsePyFloat(v); isNumber {
			a.fill = query.Fill{Mode: query.FillValue, Value: f}
		} else if a.fill, ok = query.ParseFill(v); !ok {
			return a, argumentError("fill", "Must be a float, 'dropna', 'null', 'ffill', 'bfill', 'full_ffill' or 'full_bfill'")
		}
		a.fillGiven = true
	}
	return a, nil
}

// lastArg gives the last value of a parameter.
func lastArg(args url.Values, name string) (string, bool) {
	v, ok := args[name]
	if !ok {
		return "", false
	}
	return v[len(v)-1], true
}

// set gives a set of columns the time of the request.
func (a *aggregateArgs) set(cols []query.Column) query.Set {
	return query.Set{Columns: cols, From: a.from, To: a.to, OpenFrom: a.openFrom, OpenTo: a.openTo}
}

// request gives a request for an operation over sets.
func (c *call) aggregatesRequest(a *aggregateArgs, op *query.Operation, sets ...query.Set) query.AggregatesRequest {
	return query.AggregatesRequest{Operation: op, Sets: sets, Granularity: a.granularity, Fill: a.fill, NeededOverlap: a.overlap,
		Limits: c.o.Query}
}

// words tell how this API spells what operations are made of.
var words = query.Words{Number: parsePyFloat, Timespan: func(s string) (int64, bool) {
	n, err := positiveTimespan(s)
	return n, err == nil
}}

// policies remembers archive policies during a request.
type policies struct {
	db     *engine.DB
	byName map[string]*engine.ArchivePolicy
}

func (p *policies) of(m *engine.Metric) (*engine.ArchivePolicy, error) {
	if policy := p.byName[m.Policy]; policy != nil {
		return policy, nil
	}
	policy, err := p.db.ArchivePolicy(m.Policy)
	if err != nil {
		return nil, err
	}
	if p.byName == nil {
		p.byName = make(map[string]*engine.ArchivePolicy)
	}
	p.byName[m.Policy] = &policy
	return &policy, nil
}
