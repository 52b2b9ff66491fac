package query

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// filterText parses a filter string by recursive descent. Its grammar, of which the reference's parser is the model:
//
//	expr      := and2 { "∨" and2 }           each level: a chain of the tighter one
//	             or { "or" or }, "∧", "and"
//	             "not" operand | condition | "(" expr ")"
//	condition := term OP term
//	term      := null | boolean | UUID | identifier | number | quoted text | "[" [ term { "," term } ] "]"
//
// Words are taken without looking at where they end, as the reference takes them: "note = 1" is not (e = 1), and "==" is "=" and
// something that is no term.
type filterText struct {
	src   string
	pos   int
	depth int
	far   int // where the furthest fault was
	deep  bool
}

// filterLevels are the infix operators, the loosest first.
var filterLevels = []string{"∨", "or", "∧", "and"}

func (t *filterText) parse() (raw, error) {
	v, ok := t.chain(0)
	if t.space(); ok && t.pos == len(t.src) {
		return v, nil
	}
	if t.deep {
		return nil, &FilterError{fmt.Sprintf("Invalid filter: Expected at most %d levels of brackets and negations", MaxFilterDepth)}
	}
	what := "a condition"
	at := t.far
	if ok && t.pos >= t.far {
		what, at = "end of text", t.pos
	}
	return nil, t.expected(what, at)
}

// expected is the error of a filter that goes on in another way than it should.
func (t *filterText) expected(what string, at int) error {
	for at < len(t.src) && strings.IndexByte(" \t\r\n", t.src[at]) >= 0 {
		at++
	}
	found := "end of text"
	if at < len(t.src) {
		_, n := utf8.DecodeRuneInString(t.src[at:])
		if w := len(t.src[at:]) - len(strings.TrimLeft(t.src[at:], wordChars)); w > 0 {
			n = min(w, 40)
		}
		found = "'" + t.src[at:at+n] + "'"
	}
	line, column := 1+strings.Count(t.src[:at], "\n"), at-strings.LastIndexByte(t.src[:at], '\n')
	return &FilterError{fmt.Sprintf("Invalid filter: Expected %s, found %s  (at char %d), (line:%d, col:%d)", what, found, at, line, column)}
}

const wordChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

func (t *filterText) space() {
	for t.pos < len(t.src) && strings.IndexByte(" \t\r\n", t.src[t.pos]) >= 0 {
		t.pos++
	}
}

// take takes the text if it comes next.
func (t *filterText) take(s string) bool {
	t.space()
	if !strings.HasPrefix(t.src[t.pos:], s) {
		t.far = max(t.far, t.pos)
		return false
	}
	t.pos += len(s)
	return true
}

// down goes one level deeper, unless that is too deep.
func (t *filterText) down() bool {
	t.depth++
	t.deep = t.deep || t.depth > MaxFilterDepth
	return !t.deep
}

// chain reads operands of one level's operator. They come out in reverse order, as the reference has them.
func (t *filterText) chain(level int) (raw, bool) {
	if level == len(filterLevels) {
		return t.operand()
	}
	first, ok := t.chain(level + 1)
	if !ok {
		return nil, false
	}
	operands := []any{first}
	for {
		from := t.pos
		if !t.take(filterLevels[level]) {
			t.pos = from
			break
		}
		next, ok := t.chain(level + 1)
		if !ok { // then this was not the operator
			t.pos = from
			break
		}
		operands = append(operands, next)
	}
	if len(operands) == 1 {
		return first, true
	}
	for i, j := 0, len(operands)-1; i < j; i, j = i+1, j-1 {
		operands[i], operands[j] = operands[j], operands[i]
	}
	return rawObject{{filterLevels[level], operands}}, true
}

func (t *filterText) operand() (raw, bool) {
	if t.deep {
		return nil, false
	}
	from := t.pos
	if t.take("not") && t.down() {
		v, ok := t.operand()
		t.depth--
		if ok {
			return rawObject{{"not", v}}, true
		}
	}
	t.pos = from
	if v, ok := t.condition(); ok {
		return v, true
	}
	t.pos = from
	if !t.take("(") || !t.down() {
		return nil, false
	}
	v, ok := t.chain(0)
	t.depth--
	return v, ok && t.take(")")
}

// filterComparisons in the order in which they are tried.
var filterComparisons = []string{">=", "<=", "!=", ">", "<", "=", "eq", "ne", "lt", "gt", "ge", "le", "in", "like", "≠", "≥", "≤"}

func (t *filterText) condition() (raw, bool) {
	left, ok := t.term()
	if !ok {
		return nil, false
	}
	for _, op := range filterComparisons {
		if t.take(op) {
			right, ok := t.term()
			return rawObject{{op, rawObject{{left, right}}}}, ok
		}
	}
	return nil, false
}

// filterWords are terms that are not identifiers, in the order in which they are tried.
var filterWords = []struct {
	text  string
	value raw
}{{"None", nil}, {"none", nil}, {"null", nil}, {"False", false}, {"True", true}, {"false", false}, {"true", true}}

func (t *filterText) term() (raw, bool) {
	t.space()
	rest := t.src[t.pos:]
	for _, w := range filterWords {
		if strings.HasPrefix(rest, w.text) {
			t.pos += len(w.text)
			return w.value, true
		}
	}
	n := uuidLength(rest)
	if n == 0 && rest != "" && isASCIILetter(rest[0]) {
		n = len(rest) - len(strings.TrimLeft(rest, wordChars))
	}
	if n > 0 {
		t.pos += n
		return rest[:n], true
	}
	if n := numberLength(rest); n > 0 {
		f, err := strconv.ParseFloat(rest[:n], 64)
		t.pos += n
		return numberOf(f), err == nil || f != 0
	}
	switch {
	case rest == "":
	case rest[0] == '"' || rest[0] == '\'':
		end := strings.IndexAny(rest[1:], string(rest[0])+"\r\n")
		if end >= 0 && rest[1+end] == rest[0] {
			t.pos += end + 2
			return rest[1 : 1+end], true
		}
	case rest[0] == '[':
		return t.list()
	}
	t.far = max(t.far, t.pos)
	return nil, false
}

func (t *filterText) list() (raw, bool) {
	list := []any{}
	if t.take("["); !t.down() {
		return nil, false
	}
	defer func() { t.depth-- }()
	if t.take("]") {
		return list, true
	}
	for {
		v, ok := t.term()
		if !ok {
			return nil, false
		}
		if list = append(list, v); t.take("]") {
			return list, true
		}
		if !t.take(",") {
			return nil, false
		}
	}
}

func isASCIILetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// uuidLength returns how long the UUID at the start of s is, whose dashes may be missing; 0: there is none.
func uuidLength(s string) int {
	n := 0
	for i, digits := range [5]int{8, 4, 4, 4, 12} {
		if i > 0 && n < len(s) && s[n] == '-' {
			n++
		}
		for range digits {
			if n >= len(s) || strings.IndexByte("0123456789abcdefABCDEF", s[n]) < 0 {
				return 0
			}
			n++
		}
	}
	return n
}

// numberLength returns how long the number at the start of s is.
func numberLength(s string) int {
	digits := func(i int) int {
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		return i
	}
	sign := func(i int) int {
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		return i
	}
	start := sign(0)
	n := digits(start)
	if n == start {
		return 0
	}
	if n < len(s) && s[n] == '.' {
		n = digits(n + 1)
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		if from := sign(n + 1); digits(from) > from {
			n = digits(from)
		}
	}
	return n
}
