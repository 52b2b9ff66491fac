package query

import (
	"strconv"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

// How values of a filter become those of a field. false: they cannot.

func asText(v raw) (index.Value, bool) { return index.Value{Kind: index.Bytes, Str: pyText(v)}, true }

func asUUID(v raw) (index.Value, bool) {
	switch v := v.(type) {
	case nil:
		return index.Value{}, true
	case engine.UUID:
		return index.Value{Kind: index.Bytes, Str: string(v[:])}, true
	case string:
		id, err := engine.ParseUUID(v)
		return index.Value{Kind: index.Bytes, Str: string(id[:])}, err == nil
	}
	return index.Value{}, false
}

func asBool(v raw) (index.Value, bool) {
	out := index.Value{Kind: index.Bool}
	switch v := v.(type) {
	case nil:
		return index.Value{}, true
	case bool:
		if v {
			out.Num = 1
		}
		return out, true
	case rawNumber:
		out.Num = v.f
		return out, v.f == 0 || v.f == 1
	}
	return out, false
}

func asNumber(v raw) (index.Value, bool) {
	out := index.Value{Kind: index.Number}
	switch v := v.(type) {
	case bool:
		if v {
			out.Num = 1
		}
		return out, true
	case rawNumber:
		out.Num = v.f
		return out, true
	case string:
		s := strings.TrimSpace(v)
		if strings.ContainsAny(s, "xXpP_") { // spellings that Go knows and floats of text do not have
			return out, false
		}
		f, err := strconv.ParseFloat(s, 64)
		out.Num = f
		return out, err == nil
	}
	return out, false
}

// asTime reads a time to the microsecond, which is what resources have.
func (s *FilterSchema) asTime(v raw) (index.Value, bool) {
	text, ok := timeText(v)
	if !ok {
		return index.Value{}, false
	}
	nanos, err := s.Time(text)
	return index.Value{Kind: index.Time, Time: nanos - nanos%1000}, err == nil
}

func (s *FilterSchema) asSpan(v raw) (index.Value, bool) {
	text, ok := timeText(v)
	if !ok {
		return index.Value{}, false
	}
	nanos, ok := s.Span(text)
	return index.Value{Kind: index.Time, Time: nanos}, ok
}

// timeText gives the text of a time or timespan. Numbers are seconds, and so is text that is a number.
func timeText(v raw) (string, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return "1.0", true
		}
		return "0.0", true
	case rawNumber:
		return v.text, true
	case string:
		return v, true
	}
	return "", false
}
