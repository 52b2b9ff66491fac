package publish

import (
	"math"
	"strconv"

	"github.com/valyala/fastjson"
)

// OTLP in JSON, with keys as the protocol has them (timeUnixNano) and as Ceilometer has them (time_unix_nano).

// either gives what the object has by one of two names.
func either(v *fastjson.Value, camel, snake string) *fastjson.Value {
	if found := v.Get(camel); found != nil {
		return found
	}
	return v.Get(snake)
}

// jsonRequest walks an ExportMetricsServiceRequest.
func (w *otlpWalk) jsonRequest(v *fastjson.Value) *Refusal {
	if v.Type() != fastjson.TypeObject {
		return refuse(reasonShape, "a %s, not a request", v.Type())
	}
	for _, rm := range either(v, "resourceMetrics", "resource_metrics").GetArray() {
		var bad *Refusal
		if w.resource, bad = jsonAttributes(rm.Get("resource", "attributes")); bad != nil {
			return bad
		}
		for _, sm := range either(rm, "scopeMetrics", "scope_metrics").GetArray() {
			w.scope = string(sm.GetStringBytes("scope", "name"))
			for _, m := range sm.GetArray("metrics") {
				if bad := w.jsonMetric(m); bad != nil {
					return bad
				}
			}
		}
	}
	return nil
}

var jsonKinds = []struct {
	camel, snake string
	kind         otlpKind
}{
	{"gauge", "gauge", otlpGauge}, {"sum", "sum", otlpSum}, {"counter", "counter", otlpSum}, {"histogram", "histogram", otlpHistogram},
	{"exponentialHistogram", "exponential_histogram", otlpHistogram}, {"summary", "summary", otlpSummary},
}

func (w *otlpWalk) jsonMetric(m *fastjson.Value) *Refusal {
	w.metric = otlpMetric{name: string(m.GetStringBytes("name")), description: string(m.GetStringBytes("description")),
		unit: string(m.GetStringBytes("unit"))}
	var data *fastjson.Value
	for _, k := range jsonKinds {
		if v := either(m, k.camel, k.snake); v != nil {
			data, w.metric.kind = v, k.kind
			w.metric.monotonic = k.camel == "counter"
		}
	}
	switch t := either(data, "aggregationTemporality", "aggregation_temporality"); string(t.GetStringBytes()) {
	case "AGGREGATION_TEMPORALITY_DELTA":
		w.metric.temporality = temporalityDelta
	case "AGGREGATION_TEMPORALITY_CUMULATIVE":
		w.metric.temporality = temporalityCumulative
	default:
		w.metric.temporality = t.GetInt64()
	}
	if v := either(data, "isMonotonic", "is_monotonic"); v != nil {
		w.metric.monotonic = v.GetBool()
	}
	for _, v := range either(data, "dataPoints", "data_points").GetArray() {
		p, bad := jsonPoint(v)
		if bad != nil {
			w.in.refuse(refuse(bad.Reason, "%s, of metric %s", bad.Detail, quoted(w.metric.name)), 1)
			continue
		}
		if err := w.point(&p); err != nil {
			return errTooMany
		}
	}
	return nil
}

func jsonPoint(v *fastjson.Value) (p otlpPoint, bad *Refusal) {
	if p.attributes, bad = jsonAttributes(v.Get("attributes")); bad != nil {
		return p, bad
	}
	if t := either(v, "timeUnixNano", "time_unix_nano"); t != nil {
		text := scalar(t)
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return p, refuse(reasonTime, "%s is no time in nanoseconds", quoted(text))
		}
		const seconds = 1e11 // before it are seconds, in which Ceilometer tells the time
		if p.time = unsignedTime(n); p.time < seconds {
			p.time *= 1e9
		}
	}
	for _, x := range []struct {
		camel, snake string
		into         *float64
		has          *bool
	}{
		{"asInt", "as_int", &p.value, &p.number}, {"asDouble", "as_double", &p.value, &p.number},
		{"count", "count", &p.count, &p.counted}, {"sum", "sum", &p.sum, &p.summed},
	} {
		n := either(v, x.camel, x.snake)
		if n == nil {
			continue
		}
		if *x.into, bad = volume(n); bad != nil {
			return p, bad
		}
		*x.has = true
	}
	p.absent = v.GetInt("flags")&1 != 0
	return p, nil
}

// jsonAttributes reads a list of {"key", "value"}.
func jsonAttributes(v *fastjson.Value) (out []attribute, bad *Refusal) {
	for _, one := range v.GetArray() {
		a := attribute{key: string(one.GetStringBytes("key"))}
		value := one.Get("value")
		a.json, a.text, bad = jsonAny(nil, value, maxDepth)
		if bad != nil {
			return nil, bad
		}
		out = append(out, a)
	}
	return out, nil
}

// jsonAny appends an AnyValue as plain JSON; text is what it says if it is one, or its JSON if it is a number.
func jsonAny(dst []byte, v *fastjson.Value, depth int) (json []byte, text string, bad *Refusal) {
	if depth == 0 {
		return dst, "", refuse(reasonNesting, "attributes nested deeper than %d levels", maxDepth)
	}
	at := len(dst)
	if s := either(v, "stringValue", "string_value"); s != nil && s.Type() == fastjson.TypeString {
		text = string(s.GetStringBytes())
		return appendString(dst, text), text, nil
	}
	if n := either(v, "intValue", "int_value"); n != nil { // a text, as 64 bits do not fit into what JavaScript has for numbers
		i, err := strconv.ParseInt(scalar(n), 10, 64)
		if err != nil {
			return dst, "", refuse(reasonFormat, "%s is no integer", quoted(scalar(n)))
		}
		dst = strconv.AppendInt(dst, i, 10)
		return dst, string(dst[at:]), nil
	}
	if f := either(v, "doubleValue", "double_value"); f != nil {
		n, err := strconv.ParseFloat(scalar(f), 64)
		if err != nil {
			n = math.NaN()
		}
		dst = appendFinite(dst, n)
		return dst, string(dst[at:]), nil
	}
	if b := either(v, "boolValue", "bool_value"); b != nil {
		dst = strconv.AppendBool(dst, b.GetBool())
		return dst, string(dst[at:]), nil
	}
	if l := either(v, "arrayValue", "array_value"); l != nil {
		dst = append(dst, '[')
		for i, e := range l.GetArray("values") {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, _, bad = jsonAny(dst, e, depth-1); bad != nil {
				return dst, "", bad
			}
		}
		return append(dst, ']'), "", nil
	}
	if l := either(v, "kvlistValue", "kvlist_value"); l != nil {
		dst = append(dst, '{')
		for i, e := range l.GetArray("values") {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, string(e.GetStringBytes("key"))), ':')
			if dst, _, bad = jsonAny(dst, e.Get("value"), depth-1); bad != nil {
				return dst, "", bad
			}
		}
		return append(dst, '}'), "", nil
	}
	if b := either(v, "bytesValue", "bytes_value"); b != nil && b.Type() == fastjson.TypeString {
		return appendString(dst, string(b.GetStringBytes())), "", nil // base64 already
	}
	return append(dst, "null"...), "", nil
}
