package gnocchi

import (
	"math"
	"slices"
	"strconv"

	"github.com/telemetrydb/tsdb/query"
)

// pointWriter writes points as [time, granularity, value]. It serves one answer.
type pointWriter struct {
	days   dayWriter
	middle []byte // what is between a time and a value

	// With one sample in each group, mean, max, min and sum are one column. In answers of many columns the text of the last is
	// kept, to be used again for the next if that has the same points.
	keep bool
	last []query.Series
	text reply
}

// maxKept is the most points of which the text is kept.
const maxKept = 1 << 15

// list appends all points of some series as one list to the answer, of which parts may go out meanwhile.
func (w *pointWriter) list(out *reply, series []query.Series) {
	n := 0
	for _, s := range series {
		n += len(s.Times)
	}
	if w.keep && n > 0 && n <= maxKept {
		if !slices.EqualFunc(series, w.last, samePoints) {
			w.last, w.text.b = series, slices.Grow(w.text.b[:0], 56*n)
			w.write(&w.text, series)
		}
		out.b = append(out.b, w.text.b...)
		out.flushIfLong()
		return
	}
	w.write(out, series)
}

// samePoints tells whether two series have the same text.
func samePoints(a, b query.Series) bool {
	if a.Granularity != b.Granularity || a.Letter != b.Letter || len(a.Times) != len(b.Times) {
		return false
	}
	for i, v := range a.Values {
		if math.Float64bits(v) != math.Float64bits(b.Values[i]) {
			return false
		}
	}
	return slices.Equal(a.Times, b.Times)
}

// write is list without a look at what was written before.
func (w *pointWriter) write(out *reply, series []query.Series) {
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
