package publish

import (
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// maxDepth is how deep what comes in may be nested.
const maxDepth = 64

// appendJSON appends a value as JSON that every reader takes: numbers as they were written, those that JSON has no place for (NaN and
// infinity, which Python writes all the same) as null, text as valid UTF-8. Of keys that are there more than once all are kept.
func appendJSON(dst []byte, v *fastjson.Value, depth int) ([]byte, *Refusal) {
	if depth == 0 {
		return dst, refuse(reasonNesting, "nested deeper than %d levels", maxDepth)
	}
	var bad *Refusal
	switch v.Type() {
	case fastjson.TypeObject:
		o, _ := v.Object()
		dst = append(dst, '{')
		first := true
		o.Visit(func(key []byte, v *fastjson.Value) {
			if bad != nil {
				return
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(appendString(dst, string(key)), ':')
			dst, bad = appendJSON(dst, v, depth-1)
		})
		return append(dst, '}'), bad
	case fastjson.TypeArray:
		list, _ := v.Array()
		dst = append(dst, '[')
		for i, e := range list {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, bad = appendJSON(dst, e, depth-1); bad != nil {
				return dst, bad
			}
		}
		return append(dst, ']'), nil
	case fastjson.TypeString:
		s, _ := v.StringBytes()
		return appendString(dst, string(s)), nil
	case fastjson.TypeNumber:
		return appendNumber(dst, v)
	}
	return v.MarshalTo(dst), nil // true, false, null
}

func appendNumber(dst []byte, v *fastjson.Value) ([]byte, *Refusal) {
	at := len(dst)
	dst = v.MarshalTo(dst)
	text := string(dst[at:])
	switch {
	case isNumber(text):
		return dst, nil
	case notFinite(text):
		return append(dst[:at], "null"...), nil
	}
	return dst[:at], refuse(reasonFormat, "%s is no number", quoted(text))
}

// notFinite tells whether the text is one that Python writes for what is no finite number.
func notFinite(text string) bool {
	switch strings.ToLower(strings.TrimPrefix(text, "-")) {
	case "nan", "inf", "infinity":
		return true
	}
	return false
}

// isNumber tells whether the text is a number of JSON.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	s = s[whole:]
	if rest, ok := strings.CutPrefix(s, "."); ok {
		n := digits(rest)
		if n == 0 {
			return false
		}
		s = rest[n:]
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		if s = s[1:]; s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		n := digits(s)
		return n > 0 && n == len(s)
	}
	return s == ""
}

// digits is how many digits a text begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// appendString appends a text as JSON; what is not UTF-8 in it is replaced.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}
