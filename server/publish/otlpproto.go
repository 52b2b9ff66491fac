package publish

import (
	"encoding/base64"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// protoField is a field of a message in protocol buffers.
type protoField struct {
	number protowire.Number
	typ    protowire.Type
	value  uint64 // of types with a number
	bytes  []byte // of BytesType: part of the message
}

// eachField calls fn with the fields of a message, in their order, and stops at its first error. Groups, which nobody sends, are skipped.
func eachField(b []byte, fn func(f *protoField) error) error {
	for len(b) > 0 {
		var f protoField
		number, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		f.number, f.typ, b = number, typ, b[n:]
		switch typ {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			f.value, n = protowire.ConsumeFixed64(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			f.value = uint64(v)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, typ, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := fn(&f); err != nil {
			return err
		}
	}
	return nil
}

// is tells whether it is this field; one of another type than it has to have is as if it were not there.
func (f *protoField) is(number protowire.Number, typ protowire.Type) bool {
	return f.number == number && f.typ == typ
}

func (f *protoField) double() float64 { return math.Float64frombits(f.value) }

// request walks an ExportMetricsServiceRequest.
func (w *otlpWalk) request(b []byte) error {
	return eachField(b, func(f *protoField) error {
		if !f.is(1, protowire.BytesType) {
			return nil
		}
		return w.resourceMetrics(f.bytes)
	})
}

func (w *otlpWalk) resourceMetrics(b []byte) error {
	w.resource = nil
	err := eachField(b, func(f *protoField) error { // first, wherever it is
		if !f.is(1, protowire.BytesType) {
			return nil
		}
		return eachField(f.bytes, func(f *protoField) error { return addAttribute(&w.resource, f, 1) })
	})
	if err != nil {
		return err
	}
	return eachField(b, func(f *protoField) error {
		if !f.is(2, protowire.BytesType) {
			return nil
		}
		return w.scopeMetrics(f.bytes)
	})
}

func (w *otlpWalk) scopeMetrics(b []byte) error {
	w.scope = ""
	err := eachField(b, func(f *protoField) error {
		if !f.is(1, protowire.BytesType) {
			return nil
		}
		return eachField(f.bytes, func(f *protoField) error {
			if f.is(1, protowire.BytesType) {
				w.scope = string(f.bytes)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return eachField(b, func(f *protoField) error {
		if !f.is(2, protowire.BytesType) {
			return nil
		}
		return w.protoMetric(f.bytes)
	})
}

func (w *otlpWalk) protoMetric(b []byte) error {
	w.metric = otlpMetric{}
	var data []byte
	var number protowire.Number
	err := eachField(b, func(f *protoField) error {
		if f.typ != protowire.BytesType {
			return nil
		}
		switch f.number {
		case 1:
			w.metric.name = string(f.bytes)
		case 2:
			w.metric.description = string(f.bytes)
		case 3:
			w.metric.unit = string(f.bytes)
		case 5, 7, 9, 10, 11:
			data, number = f.bytes, f.number
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.metric.kind = map[protowire.Number]otlpKind{5: otlpGauge, 7: otlpSum, 9: otlpHistogram, 10: otlpHistogram, 11: otlpSummary}[number]
	if w.metric.kind != otlpSummary && w.metric.kind != otlpGauge {
		err = eachField(data, func(f *protoField) error {
			if f.is(2, protowire.VarintType) {
				w.metric.temporality = int64(f.value)
			} else if f.is(3, protowire.VarintType) {
				w.metric.monotonic = f.value != 0
			}
			return nil
		})
	}
	if err != nil {
		return err
	}
	decode := (*otlpPoint).numeric
	if w.metric.kind == otlpHistogram || w.metric.kind == otlpSummary {
		decode = (*otlpPoint).distribution
	}
	return eachField(data, func(f *protoField) error {
		if !f.is(1, protowire.BytesType) {
			return nil
		}
		var p otlpPoint
		if err := decode(&p, f.bytes, number); err != nil {
			return err
		}
		return w.point(&p)
	})
}

// numeric reads a NumberDataPoint.
func (p *otlpPoint) numeric(b []byte, _ protowire.Number) error {
	return eachField(b, func(f *protoField) error {
		switch {
		case f.is(3, protowire.Fixed64Type):
			p.time = unsignedTime(f.value)
		case f.is(4, protowire.Fixed64Type):
			p.value, p.number = f.double(), true
		case f.is(6, protowire.Fixed64Type):
			p.value, p.number = float64(int64(f.value)), true
		case f.is(8, protowire.VarintType):
			p.absent = f.value&1 != 0
		}
		return addAttribute(&p.attributes, f, 7)
	})
}

// distribution reads a point of a histogram (the metric's field 9), an exponential histogram (10) or a summary (11).
func (p *otlpPoint) distribution(b []byte, metric protowire.Number) error {
	attributes, flags := protowire.Number(9), protowire.Number(10)
	switch metric {
	case 10:
		attributes = 1
	case 11:
		attributes, flags = 7, 8
	}
	return eachField(b, func(f *protoField) error {
		switch {
		case f.is(3, protowire.Fixed64Type):
			p.time = unsignedTime(f.value)
		case f.is(4, protowire.Fixed64Type):
			p.count, p.counted = float64(f.value), true
		case f.is(5, protowire.Fixed64Type):
			p.sum, p.summed = f.double(), true
		case f.is(flags, protowire.VarintType):
			p.absent = f.value&1 != 0
		}
		return addAttribute(&p.attributes, f, attributes)
	})
}

// unsignedTime gives a time that is too large as one that is out of range.
func unsignedTime(v uint64) int64 { return int64(min(v, math.MaxInt64)) }

// addAttribute adds the field if it is a KeyValue of that number.
func addAttribute(to *[]attribute, f *protoField, number protowire.Number) error {
	if !f.is(number, protowire.BytesType) {
		return nil
	}
	var a attribute
	var err error
	a.key, a.text, a.json, err = keyValue(nil, f.bytes, maxDepth)
	*to = append(*to, a)
	return err
}

// keyValue reads a KeyValue, and appends its value to dst as JSON.
func keyValue(dst, b []byte, depth int) (key, text string, json []byte, err error) {
	var value []byte
	err = eachField(b, func(f *protoField) error {
		if f.is(1, protowire.BytesType) {
			key = string(f.bytes)
		} else if f.is(2, protowire.BytesType) {
			value = f.bytes
		}
		return nil
	})
	if err != nil {
		return key, "", dst, err
	}
	json, text, err = anyValue(dst, value, depth)
	return key, text, json, err
}

// anyValue appends an AnyValue as JSON; text is what it says if it is one, or its JSON if it is a number.
func anyValue(dst, b []byte, depth int) (json []byte, text string, err error) {
	if depth == 0 {
		return dst, "", refuse(reasonNesting, "attributes nested deeper than %d levels", maxDepth)
	}
	at := len(dst)
	dst = append(dst, "null"...)
	err = eachField(b, func(f *protoField) (err error) { // of several the last counts
		into := dst[:at]
		switch {
		case f.is(1, protowire.BytesType):
			text = string(f.bytes)
			dst = appendString(into, text)
			return nil
		case f.is(2, protowire.VarintType):
			dst = strconv.AppendBool(into, f.value != 0)
		case f.is(3, protowire.VarintType):
			dst = strconv.AppendInt(into, int64(f.value), 10)
		case f.is(4, protowire.Fixed64Type):
			dst = appendFinite(into, f.double())
		case f.is(5, protowire.BytesType):
			dst, err = anyList(into, f.bytes, depth)
		case f.is(6, protowire.BytesType):
			dst, err = anyObject(into, f.bytes, depth)
		case f.is(7, protowire.BytesType):
			dst = append(base64.StdEncoding.AppendEncode(append(into, '"'), f.bytes), '"')
		default:
			return nil
		}
		if text = ""; f.number == 2 || f.number == 3 || f.number == 4 {
			text = string(dst[at:])
		}
		return err
	})
	return dst, text, err
}

// appendFinite appends a number as JSON; null if it is not finite.
func appendFinite(dst []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	return appendPyFloat(dst, v)
}

func anyList(dst, b []byte, depth int) ([]byte, error) {
	dst = append(dst, '[')
	first := true
	err := eachField(b, func(f *protoField) (err error) {
		if !f.is(1, protowire.BytesType) {
			return nil
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst, _, err = anyValue(dst, f.bytes, depth-1)
		return err
	})
	return append(dst, ']'), err
}

func anyObject(dst, b []byte, depth int) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	err := eachField(b, func(f *protoField) error {
		if !f.is(1, protowire.BytesType) {
			return nil
		}
		key, _, value, err := keyValue(nil, f.bytes, depth-1)
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(appendString(dst, key), ':'), value...)
		return err
	})
	return append(dst, '}'), err
}
