package ceilometer

import (
	"cmp"
	"container/heap"
	"context"
	"net/http"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/simplequery"
	"github.com/valyala/fastjson"
)

// complexQuery is what the body of a complex query says.
type complexQuery struct {
	where *expr
	order []orderKey // nil: none
	limit int
}

// maxComplexBody is the longest body of a complex query, in bytes.
const maxComplexBody = 1 << 20

// querySamples answers a complex query.
func (c *call) querySamples() error {
	if _, err := noArguments.Parse(c.r.URL.RawQuery); err != nil {
		return err
	}
	v, err := c.decode(maxComplexBody)
	if err != nil {
		return err
	}
	q, err := c.parseComplex(v)
	if err != nil {
		return err
	}
	return c.within(func(ctx context.Context, u *usage) error { return c.answerComplex(ctx, u, q) })
}

// newestFirst is the order of an answer when none is asked for.
var newestFirst = []orderKey{{"timestamp", true}}

func (c *call) parseComplex(v *fastjson.Value) (*complexQuery, error) {
	if v == nil {
		return nil, badRequest("Missing argument: body")
	}
	o, err := v.Object()
	if err != nil {
		return nil, invalid("body", shortened(v), "An object is expected.")
	}
	q := &complexQuery{where: yes, order: newestFirst, limit: -1}
	o.Visit(func(key []byte, v *fastjson.Value) {
		if err == nil && v.Type() != fastjson.TypeNull {
			err = c.readMember(q, string(key), v)
		}
	})
	if err != nil {
		return nil, err
	}
	if q.limit < 0 {
		q.limit = c.defaultLimit()
	}
	if project, limited := c.who.scope(); limited {
		own := &expr{op: opEq, field: "project_id", want: []value{{kind: text, text: project}}}
		q.where = &expr{op: opAnd, subs: []*expr{own, q.where}}
	}
	return q, nil
}

func (c *call) readMember(q *complexQuery, name string, v *fastjson.Value) error {
	var s string
	switch name {
	case "filter", "orderby":
		if err := textOf(name, v, &s); err != nil {
			return err
		}
	case "limit":
		return q.readLimit(v)
	default:
		return badRequest("Unknown attribute for argument body: " + name)
	}
	var err error
	if name == "orderby" {
		q.order, err = parseOrder(s)
		return err
	}
	x, err := parseExpr(s)
	if err != nil {
		return err
	}
	if q.where, err = newExpr(x); err != nil {
		return err
	}
	if project, limited := c.who.scope(); limited {
		return scopeExpr(x, project)
	}
	return nil
}

func (q *complexQuery) readLimit(v *fastjson.Value) error {
	s := shortened(v)
	if v.Type() != fastjson.TypeString && v.Type() != fastjson.TypeNumber {
		s = "'" + s + "'"
	}
	n, err := simplequery.ParseInt("limit", s)
	if err == nil {
		q.limit, err = checkedLimit(n)
	}
	return err
}

// answerComplex reads the samples of a complex query and answers with them.
func (c *call) answerComplex(ctx context.Context, u *usage, q *complexQuery) error {
	k := c.newKnown()
	rows, err := k.rows(&newForm, u)
	if err != nil {
		return err
	}
	b := q.where.bounds()
	parts, err := k.plan(ctx, q.where.selection(b), u)
	if err != nil {
		return err
	}
	oldest := len(q.order) == 1 && q.order[0] == orderKey{"timestamp", false}
	s, err := k.scan(ctx, parts, b.times, oldest, 0, u)
	if err != nil {
		return err
	}
	defer s.close()
	w := complexWriter{c: c, q: q, k: k, u: u, rows: rows, rest: map[sameKey]*complexRest{}, b: append(c.begin(), '[')}
	if oldest || len(q.order) == 0 || slices.Equal(q.order, newestFirst) {
		err = s.each(w.write)
	} else {
		w.best.keys = q.order
		if err = s.each(w.collect); err == nil {
			err = w.writeBest()
		}
	}
	if err = cmp.Or(err, rows.err); err != nil {
		return err
	}
	return c.end(http.StatusOK, append(w.b, ']'))
}

// complexWriter selects samples and writes them.
type complexWriter struct {
	c    *call
	q    *complexQuery
	k    *known
	u    *usage
	rows *rowWriter
	rest map[sameKey]*complexRest
	b    []byte
	n    int
	best best
	nth  int
}

// complexRest is what is left to be asked of samples of a meter and a context.
type complexRest struct {
	where *expr
	texts []*string // that they are ordered by
}

// selects tells whether the query selects a sample; nil: it does not.
func (w *complexWriter) selects(ref engine.Ref, c *engine.Samples, i int) (*complexRest, error) {
	key := sameKey{ref, c.Contexts[i]}
	r, ok := w.rest[key]
	if !ok {
		r = &complexRest{where: no}
		m, err := w.k.meter(ref)
		if err != nil {
			return nil, err
		}
		if m != nil {
			x, err := w.k.context(m, key.c)
			if err != nil {
				return nil, err
			}
			r.where = w.q.where.reduce(&facts{meter: m, context: x, metadata: decodeMetadata(x.Metadata)})
			r.texts = textsOf(w.q.order, m, x)
		}
		w.rest[key] = r
		if err := w.u.keep(300); err != nil {
			return nil, err
		}
	}
	if r.where == no || r.where != yes && !r.where.selects(ref, c, i, func() string { return w.id(ref, c, i) }) {
		return nil, nil
	}
	return r, nil
}

func (w *complexWriter) id(ref engine.Ref, c *engine.Samples, i int) string {
	return w.rows.id(ref, c, i)
}

// write writes a sample if it is selected.
func (w *complexWriter) write(ref engine.Ref, c *engine.Samples, i int) (more bool, err error) {
	r, err := w.selects(ref, c, i)
	if r == nil || err != nil {
		return true, err
	}
	return w.append(ref, c, i)
}

func (w *complexWriter) append(ref engine.Ref, c *engine.Samples, i int) (more bool, err error) {
	before := len(w.b)
	if w.n > 0 {
		w.b = append(w.b, ", "...)
	}
	ok := false
	if w.b, ok, err = w.rows.append(w.b, ref, c, i); !ok {
		w.b = w.b[:before]
		return true, err
	}
	w.n++
	w.b = w.c.flushed(w.b)
	return w.n < w.q.limit, nil
}

// collect keeps a sample if it is selected and among those that come first.
func (w *complexWriter) collect(ref engine.Ref, c *engine.Samples, i int) (more bool, err error) {
	r, err := w.selects(ref, c, i)
	if r == nil || err != nil {
		return true, err
	}
	w.nth++
	s := orderedSample{ref: ref, time: c.Times[i], volume: c.Values[i], context: c.Contexts[i], arrival: c.Arrivals[i], seq: c.Seqs[i],
		texts: r.texts, nth: w.nth}
	if slices.ContainsFunc(w.best.keys, func(k orderKey) bool { return k.field == "message_id" }) {
		s.id = w.id(ref, c, i)
	}
	if len(w.best.list) < w.q.limit {
		heap.Push(&w.best, &s)
		return true, w.u.keep(160)
	}
	if compareSamples(w.best.keys, &s, w.best.list[0]) < 0 {
		*w.best.list[0] = s
		heap.Fix(&w.best, 0)
	}
	return true, nil
}

// writeBest writes the samples that were collected.
func (w *complexWriter) writeBest() error {
	slices.SortFunc(w.best.list, func(a, b *orderedSample) int { return compareSamples(w.best.keys, a, b) })
	one := &engine.Samples{Times: make([]int64, 1), Values: make([]float64, 1), Contexts: make([]engine.ContextRef, 1),
		Arrivals: make([]int64, 1), Seqs: make([]uint32, 1)}
	for _, s := range w.best.list {
		one.Times[0], one.Values[0], one.Contexts[0], one.Arrivals[0], one.Seqs[0] = s.time, s.volume, s.context, s.arrival, s.seq
		if _, err := w.append(s.ref, one, 0); err != nil {
			return err
		}
	}
	return nil
}
