package ceilometer

import (
	"math"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

// bounds are conditions that all samples meet which an expression selects, of the kinds that the index answers.
type bounds struct {
	metrics, contexts *index.Filter // nil: no condition
	times             timeRange
	resource          *string
}

// bounds works out the conditions.
func (e *expr) bounds() bounds {
	switch e.op {
	case opAnd:
		out := bounds{times: allTime}
		for _, sub := range e.subs {
			b := sub.bounds()
			out.metrics = both(out.metrics, b.metrics)
			out.contexts = both(out.contexts, b.contexts)
			out.times.from, out.times.to = max(out.times.from, b.times.from), min(out.times.to, b.times.to)
			if b.resource != nil {
				out.resource = b.resource
			}
		}
		return out
	case opOr:
		out := bounds{times: timeRange{from: math.MaxInt64, to: math.MinInt64}}
		var metrics, contexts []*index.Filter
		for _, sub := range e.subs {
			b := sub.bounds()
			metrics, contexts = append(metrics, b.metrics), append(contexts, b.contexts)
			out.times.from, out.times.to = min(out.times.from, b.times.from), max(out.times.to, b.times.to)
		}
		out.metrics, out.contexts = either(metrics), either(contexts)
		return out
	}
	return e.leafBounds()
}

// both joins two conditions that both hold.
func both(a, b *index.Filter) *index.Filter {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return &index.Filter{Op: index.And, Subs: []*index.Filter{a, b}}
}

// either joins conditions of which one holds.
func either(all []*index.Filter) *index.Filter {
	for _, f := range all {
		if f == nil {
			return nil
		}
	}
	return &index.Filter{Op: index.Or, Subs: all}
}

var indexOps = map[op]index.Op{opEq: index.Eq, opLt: index.Lt, opLe: index.Le, opGt: index.Gt, opGe: index.Ge}

func (e *expr) leafBounds() bounds {
	out := bounds{times: allTime}
	switch e.field {
	case "timestamp":
		out.times = e.timeBounds()
	case "resource_id":
		if e.op == opEq && !e.not && e.want[0].kind == text {
			out.resource = &e.want[0].text
		}
	case "meter":
		out.metrics = e.indexBounds("name")
	case "type", "unit", "source", "user_id", "project_id":
		out.contexts = e.indexBounds(e.field)
	case "metadata":
		if e.op == opEq && !e.not {
			out.contexts, _ = e.want[0].contextFilter(e.path)
		}
	}
	return out
}

// indexBounds is the condition on a field of texts.
func (e *expr) indexBounds(field string) *index.Filter {
	if e.not || e.op == opMatch {
		return nil
	}
	f := &index.Filter{Op: index.Or}
	for _, w := range e.want {
		if w.kind != text { // it equals none
			continue
		}
		op := index.Eq
		if e.op != opIn {
			op = indexOps[e.op]
		}
		f.Subs = append(f.Subs, &index.Filter{Op: op, Field: field, Value: textValue(w.text)})
	}
	return f
}

func (e *expr) timeBounds() timeRange {
	r := allTime
	o := e.op
	if e.not {
		o = map[op]op{opLt: opGe, opLe: opGt, opGt: opLe, opGe: opLt}[o] // of equality nothing follows
	}
	switch o {
	case opEq:
		r.from, r.to = afterMillis(e.at, false), afterMillis(e.at, true)
	case opLt:
		r.to = afterMillis(e.at, false)
	case opLe:
		r.to = afterMillis(e.at, true)
	case opGt:
		r.from = afterMillis(e.at, true)
	case opGe:
		r.from = afterMillis(e.at, false)
	}
	return r
}

// selection gives what the expression selects, by its bounds.
func (e *expr) selection(b bounds) *selection {
	return &selection{resource: b.resource, metrics: b.metrics, contexts: b.contexts, exact: true,
		matches: func(c *engine.Context) (bool, error) {
			return e.reduce(&facts{context: c, metadata: decodeMetadata(c.Metadata)}) != no, nil
		}}
}
