package gnocchi

import (
	"slices"

	"github.com/telemetrydb/tsdb/query"
)

// columnName says where a column of an answer goes.
type columnName struct {
	resource string // "": by id
	metric   string // its name, or its id
	method   string
}

// aggregatesWriter writes answers of dynamic aggregates.
type aggregatesWriter struct {
	out    *reply
	points pointWriter
}

func newAggregatesWriter(out *reply) *aggregatesWriter {
	return &aggregatesWriter{out: out, points: pointWriter{keep: true}}
}

// object begins an object with the member measures, which it writes, and leaves it open. order are the indexes of the columns that are
// written.
func (w *aggregatesWriter) object(a query.Aggregates, names []columnName, order []int) {
	out := w.out
	out.b = append(out.b, `{"measures": `...)
	if a.Aggregated {
		out.b = append(out.b, `{"aggregated": `...)
		w.points.list(out, a.Columns[0])
		out.b = append(out.b, '}')
		return
	}
	w.members(a, names, order, 0)
}

// references writes the member references.
func (w *aggregatesWriter) references(list func(dst []byte) []byte) {
	w.out.b = append(w.out.b, `, "references": `...)
	w.out.b = list(w.out.b)
}

// key gives a column's name on a level of the answer's objects.
func (n *columnName) key(level int) string {
	switch level {
	case 0:
		return n.resource
	case 1:
		return n.metric
	}
	return n.method
}

// members writes an object that has the columns of cols by their names on the level, and on those below in objects within it. Names are in the order of
// their first column.
func (w *aggregatesWriter) members(a query.Aggregates, names []columnName, cols []int, level int) {
	out := w.out
	if level == 0 && names[cols[0]].resource == "" {
		level = 1
	}
	var keys []string
	groups := make(map[string][]int)
	for _, i := range cols {
		k := names[i].key(level)
		if _, ok := groups[k]; !ok {
			keys = append(keys, k)
		}
		groups[k] = append(groups[k], i)
	}
	out.b = append(out.b, '{')
	for i, k := range keys {
		if i > 0 {
			out.b = append(out.b, ", "...)
		}
		out.b = append(appendQuoted(out.b, k), ": "...)
		if level < 2 {
			w.members(a, names, groups[k], level+1)
		} else {
			w.columns(a, groups[k])
		}
		out.flushIfLong()
	}
	out.b = append(out.b, '}')
}

// columns writes the points of columns of one name as one list, granularity by granularity. There are several where patterns match
// one metric twice.
func (w *aggregatesWriter) columns(a query.Aggregates, cols []int) {
	if len(cols) == 1 {
		w.points.list(w.out, a.Columns[cols[0]])
		return
	}
	var all []query.Series
	for i := range a.Columns[cols[0]] {
		for _, c := range cols {
			all = append(all, a.Columns[c][i])
		}
	}
	w.points.list(w.out, slices.Clip(all))
}
