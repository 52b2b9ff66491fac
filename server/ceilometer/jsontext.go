package ceilometer

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendText appends s as a string of JSON.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		switch {
		case c >= utf8.RuneSelf:
			dst = append(dst, "\ufffd"...)
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i += size
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// appendOptText appends s as a string of JSON, or null.
func appendOptText(dst []byte, s *string) []byte {
	if s == nil {
		return append(dst, "null"...)
	}
	return appendText(dst, *s)
}

// appendFloat appends f as Python writes it: the shortest digits that read back as f, with a point or an exponent. What is not finite
// is null, for JSON has no name for it.
func appendFloat(dst []byte, f float64) []byte {
	abs := math.Abs(f)
	if !(abs <= math.MaxFloat64) {
		return append(dst, "null"...)
	}
	if n := int64(f); abs < 1e15 && float64(n) == f && (n != 0 || !math.Signbit(f)) {
		return append(strconv.AppendInt(dst, n, 10), '.', '0')
	}
	if abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[n:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, '.', '0')
}

const (
	micro     = int64(time.Microsecond)
	milli     = int64(time.Millisecond)
	dayMicros = 24 * 60 * 60 * 1_000_000
)

// floorDiv is a/b rounded down, for b > 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// clock writes times. The zero value is ready; it remembers the last day it wrote.
type clock struct {
	day  int64
	text []byte // 2006-01-02T, empty before the first
}

// appendMillis appends a time in milliseconds since the Unix epoch as this API does, in quotes: in UTC without saying so, with no fraction
// or six digits of one.
func (c *clock) appendMillis(dst []byte, ms int64) []byte { return c.appendMicros(dst, 1000*ms) }

// appendMicros is appendMillis of microseconds.
func (c *clock) appendMicros(dst []byte, us int64) []byte {
	day := floorDiv(us, dayMicros)
	if len(c.text) == 0 || day != c.day {
		c.day = day
		c.text = time.UnixMicro(day*dayMicros).UTC().AppendFormat(c.text[:0], "2006-01-02T")
	}
	in := int(us - day*dayMicros)
	dst = append(append(dst, '"'), c.text...)
	s := in / 1_000_000
	dst = append(appendTwo(dst, s/3600), ':')
	dst = append(appendTwo(dst, s/60%60), ':')
	dst = appendTwo(dst, s%60)
	if frac := in % 1_000_000; frac > 0 {
		dst = append(dst, '.')
		dst = appendTwo(appendTwo(appendTwo(dst, frac/10000), frac/100%100), frac%100)
	}
	return append(dst, '"')
}

func appendTwo(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }
