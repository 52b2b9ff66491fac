package ceilometer

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A value is what a filter compares metadata with, and what metadata has: of one kind, and equal only to values of that kind.
type value struct {
	kind kind
	num  float64 // of a number, and 0 or 1 of a boolean
	text string
	list []value
}

type kind uint8

// The kinds of values. What is of kind other equals nothing: objects, bytes, complex numbers.
const (
	null kind = iota
	boolean
	number
	text
	list
	other
)

// pythonLiteral reads s as Python's ast.literal_eval does: numbers, strings, True, False, None, and lists, tuples, sets and dictionaries
// of them. False: it is no literal.
func pythonLiteral(s string) (value, bool) {
	p := literalReader{s: s}
	v, ok := p.value(0)
	if !ok {
		return value{}, false
	}
	if p.blank(); p.s != "" && p.s[0] == ',' { // a tuple without parentheses
		v, ok = p.tail(value{kind: list, list: []value{v}}, 0)
	}
	p.blank()
	p.s = strings.TrimLeft(p.s, "\r\n")
	return v, ok && p.s == ""
}

// literalReader takes a text apart from its beginning.
type literalReader struct {
	s string
	// inside tells that there is an open bracket, in which lines may end.
	inside int
}

const maxLiteralDepth = 50

// blank skips what is between tokens.
func (p *literalReader) blank() {
	for p.s != "" {
		switch c := p.s[0]; {
		case c == ' ' || c == '\t' || c == '\f':
		case (c == '\n' || c == '\r') && p.inside > 0:
		case c == '#':
			if i := strings.IndexAny(p.s, "\r\n"); i >= 0 {
				p.s = p.s[i:]
				continue
			}
			p.s = " "
		default:
			return
		}
		p.s = p.s[1:]
	}
}

func (p *literalReader) value(depth int) (value, bool) {
	if p.s == "" || depth > maxLiteralDepth {
		return value{}, false
	}
	switch c := p.s[0]; {
	case c == '+' || c == '-':
		return p.signed(depth)
	case c >= '0' && c <= '9' || c == '.':
		return p.number()
	case c == '[':
		return p.sequence(']', list, depth)
	case c == '(':
		return p.tuple(depth)
	case c == '{':
		return p.braces(depth)
	case c == '"' || c == '\'':
		return p.strings()
	}
	word := p.word()
	switch word {
	case "None":
		return value{}, true
	case "True":
		return value{kind: boolean, num: 1}, true
	case "False":
		return value{kind: boolean}, true
	}
	if p.s != "" && (p.s[0] == '"' || p.s[0] == '\'') && isStringPrefix(word) {
		p.s = word + p.s
		return p.strings()
	}
	return value{}, false
}

// word takes the letters at the beginning.
func (p *literalReader) word() string {
	n := 0
	for n < len(p.s) && (p.s[n] == '_' || p.s[n]|32 >= 'a' && p.s[n]|32 <= 'z' || n > 0 && p.s[n] >= '0' && p.s[n] <= '9') {
		n++
	}
	w := p.s[:n]
	p.s = p.s[n:]
	return w
}

// signed reads a number behind one sign or more.
func (p *literalReader) signed(depth int) (value, bool) {
	minus := p.s[0] == '-'
	p.s = p.s[1:]
	p.blank()
	if p.s == "" || !strings.ContainsRune("+-.0123456789(", rune(p.s[0])) {
		return value{}, false
	}
	v, ok := p.value(depth + 1)
	if !ok || v.kind != number && v.kind != other {
		return value{}, false
	}
	if minus {
		v.num = -v.num
	}
	return v, true
}

func (p *literalReader) number() (value, bool) {
	n := 0
	for n < len(p.s) && (isLetter(p.s[n]) || p.s[n] == '.' || p.s[n] == '_' || p.s[n] >= '0' && p.s[n] <= '9' ||
		(p.s[n] == '+' || p.s[n] == '-') && p.s[n-1]|32 == 'e' && !isHex(p.s)) {
		n++
	}
	word := p.s[:n]
	p.s = p.s[n:]
	if last := word[n-1]; (last == 'j' || last == 'J') && !isHex(word) { // imaginary: it equals nothing that is stored
		_, ok := pythonFloat(word[:n-1])
		return value{kind: other}, ok
	}
	f, ok := pythonNumber(word)
	return value{kind: number, num: f}, ok
}

func isHex(s string) bool { return len(s) > 1 && s[0] == '0' && s[1]|32 == 'x' }

func isLetter(c byte) bool { return c|32 >= 'a' && c|32 <= 'z' }

// pythonNumber reads a number without a sign as Python's grammar has it.
func pythonNumber(s string) (float64, bool) {
	if strings.ContainsAny(s, ".eE") && !isHex(s) {
		return pythonFloat(s)
	}
	digits, base := s, 10
	if len(s) > 2 && s[0] == '0' {
		switch s[1] | 32 {
		case 'x':
			digits, base = s[2:], 16
		case 'o':
			digits, base = s[2:], 8
		case 'b':
			digits, base = s[2:], 2
		}
		if base != 10 {
			digits = strings.TrimPrefix(digits, "_")
		}
	}
	digits, ok := withoutUnderscores(digits)
	if !ok || base == 10 && len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "0") != "" {
		return 0, false // 007
	}
	return integer(digits, base)
}

// integer reads digits, however many.
func integer(digits string, base int) (float64, bool) {
	if n, err := strconv.ParseInt(digits, base, 64); err == nil && digits[0] != '+' && digits[0] != '-' {
		return float64(n), true
	}
	if len(digits) > 1100 || digits == "" || digits[0] == '+' || digits[0] == '-' {
		return math.Inf(1), digits != "" && isDigits(digits)
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return 0, false
	}
	f, _ := new(big.Float).SetInt(n).Float64()
	return f, true
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// pythonFloat reads a decimal number with a point or an exponent, or without.
func pythonFloat(s string) (float64, bool) {
	s, ok := withoutUnderscores(s)
	if !ok || s == "" || s == "." || strings.Trim(s, "0123456789.eE+-") != "" || s[0] == '+' || s[0] == '-' {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || math.IsInf(f, 0)
}

// withoutUnderscores takes underscores away, which may be between digits alone.
func withoutUnderscores(s string) (string, bool) {
	if !strings.Contains(s, "_") {
		return s, true
	}
	alnum := func(i int) bool {
		return i >= 0 && i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i]|32 >= 'a' && s[i]|32 <= 'f')
	}
	for i := range len(s) {
		if s[i] == '_' && !(alnum(i-1) && alnum(i+1)) {
			return "", false
		}
	}
	return strings.ReplaceAll(s, "_", ""), true
}

// sequence reads values in brackets up to the closing one.
func (p *literalReader) sequence(closing byte, k kind, depth int) (value, bool) {
	p.s = p.s[1:]
	p.inside++
	defer func() { p.inside-- }()
	out := value{kind: k}
	for {
		if p.blank(); p.s == "" {
			return value{}, false
		}
		if p.s[0] == closing {
			p.s = p.s[1:]
			return out, true
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return value{}, false
		}
		out.list = append(out.list, v)
		if p.blank(); p.s == "" || p.s[0] != ',' && p.s[0] != closing {
			return value{}, false
		}
		p.s = strings.TrimPrefix(p.s, ",")
	}
}

// tuple reads what is in parentheses: a tuple, or one value.
func (p *literalReader) tuple(depth int) (value, bool) {
	before := p.s
	v, ok := p.sequence(')', list, depth)
	if !ok || len(v.list) != 1 {
		return v, ok
	}
	inside := strings.TrimRight(strings.TrimSuffix(before[:len(before)-len(p.s)], ")"), " \t\r\n\f")
	if strings.HasSuffix(inside, ",") {
		return v, true
	}
	return v.list[0], true
}

// tail reads the other values of a tuple without parentheses.
func (p *literalReader) tail(v value, depth int) (value, bool) {
	for p.s != "" && p.s[0] == ',' {
		p.s = p.s[1:]
		if p.blank(); p.s == "" {
			break
		}
		next, ok := p.value(depth + 1)
		if !ok {
			return value{}, false
		}
		v.list = append(v.list, next)
		p.blank()
	}
	return v, true
}

// braces reads a dictionary or a set, which equal nothing that is stored.
func (p *literalReader) braces(depth int) (value, bool) {
	p.s = p.s[1:]
	p.inside++
	defer func() { p.inside-- }()
	dictionary := false
	for n := 0; ; n++ {
		if p.blank(); p.s == "" {
			return value{}, false
		}
		if p.s[0] == '}' {
			p.s = p.s[1:]
			return value{kind: other}, true
		}
		if _, ok := p.value(depth + 1); !ok {
			return value{}, false
		}
		if p.blank(); p.s == "" {
			return value{}, false
		}
		if colon := p.s[0] == ':'; n == 0 {
			dictionary = colon
		} else if colon != dictionary {
			return value{}, false
		}
		if dictionary {
			p.s = p.s[1:]
			p.blank()
			if _, ok := p.value(depth + 1); !ok {
				return value{}, false
			}
			p.blank()
		}
		if p.s == "" || p.s[0] != ',' && p.s[0] != '}' {
			return value{}, false
		}
		p.s = strings.TrimPrefix(p.s, ",")
	}
}

func isStringPrefix(word string) bool {
	switch strings.ToLower(word) {
	case "r", "u", "b", "br", "rb":
		return true
	}
	return false
}

// strings reads one string or more, which are joined.
func (p *literalReader) strings() (value, bool) {
	var b strings.Builder
	binary, n := false, 0
	for p.s != "" {
		rest := *p
		prefix := strings.ToLower(rest.word())
		if rest.s == "" || rest.s[0] != '"' && rest.s[0] != '\'' || prefix != "" && !isStringPrefix(prefix) {
			break
		}
		bytes := strings.Contains(prefix, "b")
		if n++; n > 1 && bytes != binary {
			return value{}, false
		}
		*p, binary = rest, bytes
		if !p.quoted(&b, strings.Contains(prefix, "r"), bytes) {
			return value{}, false
		}
		p.blank()
	}
	if binary {
		return value{kind: other}, true
	}
	return value{kind: text, text: b.String()}, true
}

// quoted reads a string in its quotes.
func (p *literalReader) quoted(b *strings.Builder, raw, binary bool) bool {
	quote := p.s[:1]
	long := strings.HasPrefix(p.s, strings.Repeat(quote, 3))
	if long {
		quote = p.s[:3]
	}
	p.s = p.s[len(quote):]
	for {
		switch {
		case p.s == "":
			return false
		case strings.HasPrefix(p.s, quote):
			p.s = p.s[len(quote):]
			return true
		case p.s[0] == '\n' && !long, binary && p.s[0] >= utf8.RuneSelf:
			return false
		case p.s[0] == '\\':
			if !p.escape(b, raw, binary) {
				return false
			}
		default:
			b.WriteByte(p.s[0])
			p.s = p.s[1:]
		}
	}
}

var escapes = map[byte]byte{'\\': '\\', '\'': '\'', '"': '"', 'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11}

// escape reads a backslash and what belongs to it.
func (p *literalReader) escape(b *strings.Builder, raw, binary bool) bool {
	if len(p.s) < 2 {
		return false
	}
	c := p.s[1]
	if raw {
		b.WriteString(p.s[:2])
		p.s = p.s[2:]
		return true
	}
	if c == '\n' {
		p.s = p.s[2:]
		return true
	}
	if e, ok := escapes[c]; ok {
		b.WriteByte(e)
		p.s = p.s[2:]
		return true
	}
	switch {
	case c >= '0' && c <= '7':
		n := 1
		for n < 4 && n < len(p.s) && p.s[n] >= '0' && p.s[n] <= '7' {
			n++
		}
		return p.code(b, 1, n-1, 8)
	case c == 'x':
		return p.code(b, 2, 2, 16)
	case c == 'u' && !binary:
		return p.code(b, 2, 4, 16)
	case c == 'U' && !binary:
		return p.code(b, 2, 8, 16)
	case c == 'N' && !binary: // names of characters: nobody has them
		return false
	}
	b.WriteByte('\\') // Python keeps what it does not know
	p.s = p.s[1:]
	return true
}

// code reads a character given by its number.
func (p *literalReader) code(b *strings.Builder, skip, digits, base int) bool {
	if len(p.s) < skip+digits {
		return false
	}
	n, err := strconv.ParseUint(p.s[skip:skip+digits], base, 32)
	if err != nil || n > utf8.MaxRune {
		return false
	}
	b.WriteRune(rune(n))
	p.s = p.s[skip+digits:]
	return true
}
