package gnocchi

import (
	"errors"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/valyala/fastjson"
)

// What can be wrong with a list of measures, in the words of the API.
var (
	errMeasuresFormat = errors.New("unexpected measures format")
	errMeasuresValue  = errors.New("unexpected measures value")
)

// measureReader reads lists of measures. It serves one request.
type measureReader struct {
	c       *call
	scratch [64]byte
	at      *fastjson.Value // of the measure being read
	value   *fastjson.Value
	visit   func(key []byte, v *fastjson.Value)
}

// newMeasureReader makes the function that picks members once, not for each measure.
func newMeasureReader(c *call) *measureReader {
	r := &measureReader{c: c}
	r.visit = func(key []byte, v *fastjson.Value) {
		switch string(key) {
		case "timestamp":
			r.at = v
		case "value":
			r.value = v
		}
	}
	return r
}

// read adds the measures of the list v to the batch, as samples of the metric. What the first timestamp is, a number or
// text, decides what the others may be. What is wrong with a timestamp is told before what is wrong with a value. An empty object
// or text is an empty list, as clients know it. On an error some may have been added. A nil batch only checks.
func (r *measureReader) read(v *fastjson.Value, ref engine.Ref, b *engine.Batch) error {
	if isEmpty(v) {
		return nil
	}
	list, err := v.Array()
	if err != nil {
		return errMeasuresFormat
	}
	numbers := false
	var bad error
	for i, item := range list {
		o, err := item.Object()
		if err != nil {
			return errMeasuresFormat
		}
		r.at, r.value = nil, nil
		o.Visit(r.visit)
		if r.at == nil {
			return errMeasuresFormat
		}
		t, numeric, err := r.timestamp(r.at)
		if err != nil {
			return err
		}
		if i == 0 {
			numbers = numeric
		} else if numbers && !numeric {
			return unexpectedTimestamp(errBadTimestamp)
		}
		f, ok := r.number(r.value)
		if !ok {
			bad = errMeasuresValue
		} else if b != nil {
			b.Add(ref, t, f)
		}
	}
	return bad
}

// isEmpty tells an object without members and a text without characters.
func isEmpty(v *fastjson.Value) bool {
	switch v.Type() {
	case fastjson.TypeObject:
		o, _ := v.Object()
		return o.Len() == 0
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return len(b) == 0
	}
	return false
}

func unexpectedTimestamp(err error) error {
	return errors.New("unexpected timestamp '" + err.Error() + "'")
}

func (r *measureReader) timestamp(v *fastjson.Value) (nanos int64, numeric bool, err error) {
	switch v.Type() {
	case fastjson.TypeNull:
		return 0, false, errMeasuresFormat
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		nanos, numeric, err = parseTimestamp(unsafeString(b), r.c.o.Now)
	case fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
		numeric = true
		f, ok := r.number(v)
		if !ok {
			return 0, true, unexpectedTimestamp(errBadTimestamp)
		}
		nanos, err = secondsToNanos(f)
	default:
		err = errBadTimestamp
	}
	if err != nil {
		err = unexpectedTimestamp(err)
	}
	return nanos, numeric, err
}

// number reads what Python's float() makes a number of. Nil is none.
func (r *measureReader) number(v *fastjson.Value) (float64, bool) {
	if v == nil {
		return 0, false
	}
	switch v.Type() {
	case fastjson.TypeNumber:
		return parseJSONNumber(v.MarshalTo(r.scratch[:0]))
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return parsePyFloat(unsafeString(b))
	case fastjson.TypeTrue:
		return 1, true
	case fastjson.TypeFalse:
		return 0, true
	}
	return 0, false
}
