package publish

import (
	"math"
	"strconv"
	"strings"
)

// appendPyFloat appends a number as Python's repr has it: 2.0, 1e+16, 1e-05, nan, inf.
func appendPyFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 0):
		if f < 0 {
			dst = append(dst, '-')
		}
		return append(dst, "inf"...)
	}
	at := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	text := string(dst[at:])
	exp, _ := strconv.Atoi(text[strings.IndexByte(text, 'e')+1:])
	if exp < -4 || exp >= 16 {
		return dst
	}
	dst = strconv.AppendFloat(dst[:at], f, 'f', -1, 64)
	if strings.IndexByte(string(dst[at:]), '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}

// appendPyBytes appends what Python's repr has for bytes.
func appendPyBytes(dst []byte, b []byte) []byte {
	const hex = "0123456789abcdef"
	quote := byte('\'')
	if strings.IndexByte(string(b), '\'') >= 0 && strings.IndexByte(string(b), '"') < 0 {
		quote = '"'
	}
	dst = append(dst, 'b', quote)
	for _, c := range b {
		switch {
		case c == quote || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ' || c >= 0x7f:
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, quote)
}
