package publish

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Python's repr of what the file publisher logs: a dictionary of texts, numbers, None, True, False, lists, dictionaries and, in events,
// datetime.datetime(...).

// appendRepr appends the value that a text begins with as JSON, and returns what follows it. Blanks around it are skipped.
func appendRepr(dst []byte, s string, depth int) (out []byte, rest string, bad *Refusal) {
	if depth == 0 {
		return dst, s, refuse(reasonNesting, "nested deeper than %d levels", maxDepth)
	}
	s = strings.TrimLeft(s, " ")
	switch {
	case s == "":
		return dst, s, refuse(reasonFormat, "the line ends within a value")
	case s[0] == '{':
		return appendReprDict(dst, s[1:], depth)
	case s[0] == '[':
		return appendReprList(dst, s[1:], ']', depth)
	case s[0] == '(':
		return appendReprList(dst, s[1:], ')', depth)
	case s[0] == '\'' || s[0] == '"' || len(s) > 1 && s[0] == 'b' && (s[1] == '\'' || s[1] == '"'):
		text, rest, bad := reprText(strings.TrimPrefix(s, "b"), s[0] == 'b')
		return appendString(dst, text), rest, bad
	}
	const datetime = "datetime.datetime("
	if rest, ok := strings.CutPrefix(s, datetime); ok {
		return appendReprTime(dst, rest)
	}
	word := s
	if i := strings.IndexAny(s, ",:]}) "); i >= 0 {
		word = s[:i]
	}
	rest = s[len(word):]
	switch word {
	case "None":
		return append(dst, "null"...), rest, nil
	case "True":
		return append(dst, "true"...), rest, nil
	case "False":
		return append(dst, "false"...), rest, nil
	case "nan":
		return append(dst, "NaN"...), rest, nil
	case "inf", "-inf":
		return append(dst, word...), rest, nil
	}
	if !isNumber(word) {
		return dst, s, refuse(reasonFormat, "%s is no value", quoted(word))
	}
	return append(dst, word...), rest, nil
}

// reprNext steps over a comma, or over the closing bracket; done tells which.
func reprNext(s string, end byte) (rest string, done bool, bad *Refusal) {
	s = strings.TrimLeft(s, " ")
	switch {
	case s == "":
		return s, false, refuse(reasonFormat, "the line ends within a list")
	case s[0] == end:
		return s[1:], true, nil
	case s[0] != ',':
		return s, false, refuse(reasonFormat, "no comma before %s", quoted(s))
	}
	s = strings.TrimLeft(s[1:], " ")
	if s != "" && s[0] == end { // a tuple of one
		return s[1:], true, nil
	}
	return s, false, nil
}

func appendReprList(dst []byte, s string, end byte, depth int) (out []byte, rest string, bad *Refusal) {
	dst = append(dst, '[')
	if trimmed := strings.TrimLeft(s, " "); trimmed != "" && trimmed[0] == end {
		return append(dst, ']'), trimmed[1:], nil
	}
	for done := false; ; {
		if dst, s, bad = appendRepr(dst, s, depth-1); bad != nil {
			return dst, s, bad
		}
		if s, done, bad = reprNext(s, end); bad != nil {
			return dst, s, bad
		}
		if done {
			return append(dst, ']'), s, nil
		}
		dst = append(dst, ',')
	}
}

func appendReprDict(dst []byte, s string, depth int) (out []byte, rest string, bad *Refusal) {
	dst = append(dst, '{')
	if trimmed := strings.TrimLeft(s, " "); trimmed != "" && trimmed[0] == '}' {
		return append(dst, '}'), trimmed[1:], nil
	}
	for done := false; ; {
		at := len(dst)
		if dst, s, bad = appendRepr(dst, s, 2); bad != nil {
			return dst, s, bad
		}
		switch key := string(dst[at:]); {
		case key[0] == '[' || key[0] == '{':
			return dst, s, refuse(reasonFormat, "a key that is no text")
		case key[0] != '"':
			dst = appendString(dst[:at], key)
		}
		s = strings.TrimLeft(s, " ")
		if s == "" || s[0] != ':' {
			return dst, s, refuse(reasonFormat, "no colon before %s", quoted(s))
		}
		dst = append(dst, ':')
		if dst, s, bad = appendRepr(dst, s[1:], depth-1); bad != nil {
			return dst, s, bad
		}
		if s, done, bad = reprNext(s, '}'); bad != nil {
			return dst, s, bad
		}
		if done {
			return append(dst, '}'), s, nil
		}
		dst = append(dst, ',')
	}
}

// reprText reads a text in quotes. In that of bytes \x is a byte, not a character.
func reprText(s string, raw bool) (text, rest string, bad *Refusal) {
	quote := s[0]
	s = s[1:]
	var b strings.Builder
	for {
		i := strings.IndexAny(s, "\\"+string(quote))
		if i < 0 {
			return "", s, refuse(reasonFormat, "a text that does not end")
		}
		b.WriteString(s[:i])
		if s[i] == quote {
			return b.String(), s[i+1:], nil
		}
		s = s[i+1:]
		if s == "" {
			return "", s, refuse(reasonFormat, "a text that does not end")
		}
		c := s[0]
		s = s[1:]
		switch c {
		case '\\', '\'', '"':
			b.WriteByte(c)
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'x', 'u', 'U':
			n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
			if len(s) < n {
				return "", s, refuse(reasonFormat, "a text that does not end")
			}
			code, err := strconv.ParseUint(s[:n], 16, 32)
			if err != nil {
				return "", s, refuse(reasonFormat, "\\%c%s in a text", c, quoted(s[:n]))
			}
			s = s[n:]
			if raw && c == 'x' {
				b.WriteByte(byte(code))
			} else if code > utf8.MaxRune {
				return "", s, refuse(reasonFormat, "\\%c%x in a text", c, code)
			} else {
				b.WriteRune(rune(code))
			}
		default:
			return "", s, refuse(reasonFormat, "\\%c in a text", c)
		}
	}
}

// appendReprTime reads what follows datetime.datetime(: numbers, and perhaps the time zone, of which only UTC is known.
func appendReprTime(dst []byte, s string) (out []byte, rest string, bad *Refusal) {
	inner, rest, ok := strings.Cut(s, ")")
	wrong := refuse(reasonTime, "datetime.datetime(%s is not understood", quoted(inner))
	if !ok {
		return dst, s, wrong
	}
	var n [7]int
	for i, part := range strings.Split(inner, ",") {
		part = strings.TrimSpace(part)
		if part == "tzinfo=datetime.timezone.utc" {
			continue
		}
		v, err := strconv.Atoi(part)
		if err != nil || i >= len(n) || v < 0 || v > 999_999 {
			return dst, s, wrong
		}
		n[i] = v
	}
	pad := func(v, width int) string {
		text := strconv.Itoa(v)
		return strings.Repeat("0", max(0, width-len(text))) + text
	}
	text := pad(n[0], 4) + "-" + pad(n[1], 2) + "-" + pad(n[2], 2) + "T" + pad(n[3], 2) + ":" + pad(n[4], 2) + ":" + pad(n[5], 2) + "." + pad(n[6], 6)
	return appendString(dst, text), rest, nil
}
