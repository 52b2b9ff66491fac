package gnocchi

import (
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// object is a JSON object to be written, with its members in order. Values are nil, bool, int, int64, float64, string,
// *string (nil: null), object, []any, []string or []object.
type object []member

type member struct {
	key   string
	value any
}

// syntax tells how JSON and Python spell what they spell differently.
type syntax struct {
	null, yes, no string
	quote         func(dst []byte, s string) []byte
}

var (
	jsonSyntax   = &syntax{"null", "true", "false", appendQuoted}
	pythonSyntax = &syntax{"None", "True", "False", appendPyQuoted}
)

// appendJSON appends v as Python's json module writes it: ", " and ": " between parts, everything but ASCII escaped.
func appendJSON(dst []byte, v any) []byte { return jsonSyntax.append(dst, v) }

// appendPython appends v as Python prints it.
func appendPython(dst []byte, v any) []byte { return pythonSyntax.append(dst, v) }

func (x *syntax) append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(dst, x.yes...)
		}
		return append(dst, x.no...)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return appendPyFloat(dst, v)
	case string:
		return x.quote(dst, v)
	case *string:
		if v == nil {
			return append(dst, x.null...)
		}
		return x.quote(dst, *v)
	case object:
		return x.appendObject(dst, v)
	case []object:
		return appendList(dst, len(v), func(dst []byte, i int) []byte { return x.appendObject(dst, v[i]) })
	case []string:
		return appendList(dst, len(v), func(dst []byte, i int) []byte { return x.quote(dst, v[i]) })
	case []any:
		return appendList(dst, len(v), func(dst []byte, i int) []byte { return x.append(dst, v[i]) })
	}
	return append(dst, x.null...)
}

func (x *syntax) appendObject(dst []byte, o object) []byte {
	dst = append(dst, '{')
	for i, m := range o {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(x.quote(dst, m.key), ": "...)
		dst = x.append(dst, m.value)
	}
	return append(dst, '}')
}

func appendList(dst []byte, n int, item func(dst []byte, i int) []byte) []byte {
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = item(dst, i)
	}
	return append(dst, ']')
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends s as a JSON string of ASCII characters.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		if c < utf8.RuneSelf {
			dst = appendEscaped(dst, c)
			i++
		} else {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r1, r2 := utf16.EncodeRune(r); r1 != unicode.ReplacementChar {
				dst = appendHex4(appendHex4(dst, r1), r2)
			} else {
				dst = appendHex4(dst, r)
			}
			i += size
		}
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	}
	return appendHex4(dst, rune(c))
}

func appendHex4(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// appendPyQuoted appends s as Python's repr does: in single quotes unless only those occur in it.
func appendPyQuoted(dst []byte, s string) []byte {
	quote := rune('\'')
	single, double := false, false
	for _, r := range s {
		single, double = single || r == '\'', double || r == '"'
	}
	if single && !double {
		quote = '"'
	}
	dst = append(dst, byte(quote))
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < ' ' || r == 0x7f:
			dst = append(dst, '\\', 'x', hexDigits[r>>4], hexDigits[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, byte(quote))
}
