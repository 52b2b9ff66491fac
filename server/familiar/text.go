package familiar

import "bytes"

// List calls element with what is left of the text at the beginning of each element of the list that the text is, or of the text itself if it
// is no list. element gives the length of the element, 0 to end the walk. whole: the walk came to the end, and there was nothing else.
func List(text []byte, element func(rest []byte) int) (whole bool) {
	at := blank(text, 0)
	if at == len(text) || text[at] != '[' {
		n := element(text[at:])
		return n > 0 && blank(text, at+n) == len(text)
	}
	if at = blank(text, at+1); at < len(text) && text[at] == ']' {
		return blank(text, at+1) == len(text)
	}
	for {
		n := element(text[at:])
		if n == 0 {
			return false
		}
		at = blank(text, at+n)
		switch {
		case at < len(text) && text[at] == ',':
			at = blank(text, at+1)
		case at < len(text) && text[at] == ']':
			return blank(text, at+1) == len(text)
		default:
			return false
		}
	}
}

// Object calls field with each key of the object at the beginning of a text, and with what is left of the text from its value on. field gives
// the length of the value, 0 to end the walk. It gives the length of the object; 0: the walk was ended, what there is is no object, or a key
// has escapes.
func Object(text []byte, field func(key, rest []byte) int) int {
	if len(text) == 0 || text[0] != '{' {
		return 0
	}
	at := blank(text, 1)
	if at < len(text) && text[at] == '}' {
		return at + 1
	}
	for {
		n := plain(text[at:])
		if n == 0 {
			return 0
		}
		key := text[at+1 : at+n-1]
		if at = blank(text, at+n); at == len(text) || text[at] != ':' {
			return 0
		}
		at = blank(text, at+1)
		if n = field(key, text[at:]); n == 0 {
			return 0
		}
		at = blank(text, at+n)
		switch {
		case at < len(text) && text[at] == ',':
			at = blank(text, at+1)
		case at < len(text) && text[at] == '}':
			return at + 1
		default:
			return 0
		}
	}
}

// Scalar gives the length of the scalar at the beginning of a text: a string without escapes, a number, true, false or null. 0: there is
// none. Of numbers it looks at the characters that they begin with and consist of.
func Scalar(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	switch c := text[0]; {
	case c == '"':
		return plain(text)
	case c == '-' || digit(c):
		return number(text)
	}
	for _, word := range []string{"null", "true", "false"} {
		if len(text) >= len(word) && string(text[:len(word)]) == word {
			return len(word)
		}
	}
	return 0
}

// Value gives the length of the object, list or string at the beginning of a text, by its quotes and brackets. 0: there is none, or it does
// not end.
func Value(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			n := quoted(text[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return 0
			}
		default:
			if depth == 0 {
				return 0
			}
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return 0
}

// blank gives the first place from at on that is no blank.
func blank(text []byte, at int) int {
	for at < len(text) && text[at] <= ' ' && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r') {
		at++
	}
	return at
}

// plain gives the length of the string at the beginning of a text, with its quotes. 0: there is none, or it has escapes.
func plain(text []byte) int {
	if len(text) == 0 || text[0] != '"' {
		return 0
	}
	n := bytes.IndexByte(text[1:], '"') + 2
	if n == 1 || bytes.IndexByte(text[1:n], '\\') >= 0 {
		return 0
	}
	return n
}

// quoted is plain, of strings that may have escapes.
func quoted(text []byte) int {
	for at := 1; ; {
		n := bytes.IndexByte(text[at:], '"')
		if n < 0 {
			return 0
		}
		at += n + 1
		escapes := 0
		for i := at - 2; i > 0 && text[i] == '\\'; i-- {
			escapes++
		}
		if escapes%2 == 0 {
			return at
		}
	}
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func number(text []byte) int {
	n := 0
	if text[0] == '-' {
		n++
	}
	if n == len(text) || !digit(text[n]) {
		return 0
	}
	for n < len(text) && (digit(text[n]) || text[n] == '.' || text[n] == '-' || text[n] == '+' || text[n] == 'e' || text[n] == 'E') {
		n++
	}
	return n
}
