package publish

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// appendMsgpack appends a value in msgpack as JSON and returns what follows it. Numbers are as Python would write them, so that they
// keep their types: 2.0 stays a float. NaN and infinity come out as Python's words for them. What is binary and not UTF-8 is given in
// base64. Lengths are believed only as far as there are bytes.
func appendMsgpack(dst, src []byte, depth int) (out, rest []byte, bad *Refusal) {
	if depth == 0 {
		return dst, src, refuse(reasonNesting, "nested deeper than %d levels", maxDepth)
	}
	if len(src) == 0 {
		return dst, src, cutShort(nil)
	}
	var err error
	switch typ := msgp.NextType(src); typ {
	case msgp.MapType:
		return appendMap(dst, src, depth)
	case msgp.ArrayType:
		return appendArray(dst, src, depth)
	case msgp.StrType:
		var s []byte
		if s, rest, err = msgp.ReadStringZC(src); err == nil {
			dst = appendString(dst, string(s))
		}
	case msgp.BinType:
		var b []byte
		if b, rest, err = msgp.ReadBytesZC(src); err == nil {
			dst = appendBinary(dst, b)
		}
	case msgp.IntType:
		var n int64
		if n, rest, err = msgp.ReadInt64Bytes(src); err == nil {
			dst = strconv.AppendInt(dst, n, 10)
		}
	case msgp.UintType:
		var n uint64
		if n, rest, err = msgp.ReadUint64Bytes(src); err == nil {
			dst = strconv.AppendUint(dst, n, 10)
		}
	case msgp.Float64Type:
		var f float64
		if f, rest, err = msgp.ReadFloat64Bytes(src); err == nil {
			dst = appendFloat(dst, f)
		}
	case msgp.Float32Type:
		var f float32
		if f, rest, err = msgp.ReadFloat32Bytes(src); err == nil {
			dst = appendFloat(dst, float64(f))
		}
	case msgp.BoolType:
		var yes bool
		if yes, rest, err = msgp.ReadBoolBytes(src); err == nil {
			dst = strconv.AppendBool(dst, yes)
		}
	case msgp.NilType:
		rest, err = msgp.ReadNilBytes(src)
		dst = append(dst, "null"...)
	default:
		return dst, src, refuse(reasonFormat, "msgpack of a type that samples have no place for (first byte 0x%02x)", src[0])
	}
	if err != nil {
		return dst, src, cutShort(err)
	}
	return dst, rest, nil
}

func cutShort(err error) *Refusal {
	if err == nil || err == msgp.ErrShortBytes {
		return refuse(reasonFormat, "the msgpack ends before what it announces")
	}
	return refuse(reasonFormat, "not msgpack: %v", err)
}

func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-Inf"...)
	}
	return appendPyFloat(dst, f)
}

func appendBinary(dst, b []byte) []byte {
	if utf8.Valid(b) {
		return appendString(dst, string(b))
	}
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}

func appendMap(dst, src []byte, depth int) (out, rest []byte, bad *Refusal) {
	n, src, err := msgp.ReadMapHeaderBytes(src)
	if err != nil || uint64(n)*2 > uint64(len(src)) {
		return dst, src, cutShort(err)
	}
	dst = append(dst, '{')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, src, bad = appendKey(dst, src); bad != nil {
			return dst, src, bad
		}
		dst = append(dst, ':')
		if dst, src, bad = appendMsgpack(dst, src, depth-1); bad != nil {
			return dst, src, bad
		}
	}
	return append(dst, '}'), src, nil
}

// appendKey appends a key of a map: text, or a number, which is a text to JSON.
func appendKey(dst, src []byte) (out, rest []byte, bad *Refusal) {
	switch typ := msgp.NextType(src); typ {
	case msgp.StrType, msgp.BinType:
		return appendMsgpack(dst, src, 1)
	case msgp.IntType, msgp.UintType, msgp.Float64Type, msgp.BoolType, msgp.NilType:
		at := len(dst)
		if dst, src, bad = appendMsgpack(append(dst, '"'), src, 1); bad != nil {
			return dst[:at], src, bad
		}
		return append(dst, '"'), src, nil
	}
	if len(src) == 0 {
		return dst, src, cutShort(nil)
	}
	return dst, src, refuse(reasonFormat, "a key of a map that is no text")
}

func appendArray(dst, src []byte, depth int) (out, rest []byte, bad *Refusal) {
	n, src, err := msgp.ReadArrayHeaderBytes(src)
	if err != nil || uint64(n) > uint64(len(src)) {
		return dst, src, cutShort(err)
	}
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, src, bad = appendMsgpack(dst, src, depth-1); bad != nil {
			return dst, src, bad
		}
	}
	return append(dst, ']'), src, nil
}
