package gnocchi

import (
	"strconv"

	"github.com/telemetrydb/tsdb/query"
)

// pointWriter writes points as [time, granularity, value]. It serves one answer.
type pointWriter struct {
	days   dayWriter
	middle []byte // what is between a time and a value
}

// list appends all points of some series as one list to the answer, of which parts may go out meanwhile.
func (w *pointWriter) list(out *reply, series []query.Series) {
	out.b = append(out.b, '[')
	first := true
	for _, s := range series {
		first = w.points(out, s, first)
	}
	out.b = append(out.b, ']')
}

// points appends the points of a series to a list; first tells that the list has none yet, and whether it still has none is returned.
func (w *pointWriter) points(out *reply, s query.Series, first bool) bool {
	w.middle = appendWidth(append(w.middle[:0], `", `...), s)
	for i, t := range s.Times {
		if first {
			first = false
			out.b = append(out.b, `["`...)
		} else {
			out.b = append(out.b, `, ["`...)
		}
		out.b = w.days.append(out.b, t)
		out.b = append(out.b, w.middle...)
		out.b = append(appendPyFloat(out.b, s.Values[i]), ']')
		out.flushIfLong()
	}
	return first
}

// appendWidth appends the granularity of a series, or its letter, and what follows it.
func appendWidth(dst []byte, s query.Series) []byte {
	if s.Letter != 0 {
		dst = strconv.AppendQuote(dst, string(s.Letter))
	} else {
		dst = appendPyFloat(dst, float64(s.Granularity)/1e9)
	}
	return append(dst, ", "...)
}
