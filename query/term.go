package query

import (
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// Term is a piece of an operation as a client wrote it: a list of terms, or an atom.
type Term struct {
	Kind  TermKind
	Text  string // of text, and of a number as it was written
	Items []Term // of a list
}

// TermKind tells what a Term is.
type TermKind uint8

// The kinds of terms. Operations consist of the first three; the others only occur where somebody went wrong.
const (
	TermList TermKind = iota
	TermText
	TermNumber
	TermTrue
	TermFalse
	TermNull
	TermObject
)

// How large operations and predicates may be. They are small: a dashboard's have some ten terms and a depth of four, those that
// name a thousand metrics by id three thousand.
const (
	MaxTerms = 50_000 // lists and atoms
	MaxDepth = 100    // of lists in lists
)

// maxOperations and maxNesting are how errors name the two.
const (
	maxTermsName = "operation terms"
	maxDepthName = "operation depth"
)

func tooManyTerms() error { return &LimitError{Name: maxTermsName, Limit: MaxTerms} }
func tooDeep() error      { return &LimitError{Name: maxDepthName, Limit: MaxDepth} }

// TermOf copies a value of a JSON body. LimitError: it is larger than an operation may be, which costs no more than looking at
// what is allowed of it.
func TermOf(v *fastjson.Value) (Term, error) {
	left := MaxTerms
	return termOf(v, MaxDepth, &left)
}

func termOf(v *fastjson.Value, depth int, left *int) (Term, error) {
	if *left--; *left < 0 {
		return Term{}, tooManyTerms()
	}
	switch v.Type() {
	case fastjson.TypeArray:
		if depth == 0 {
			return Term{}, tooDeep()
		}
		a, _ := v.Array()
		if len(a) > *left {
			return Term{}, tooManyTerms()
		}
		t := Term{Kind: TermList, Items: make([]Term, len(a))}
		for i, item := range a {
			var err error
			if t.Items[i], err = termOf(item, depth-1, left); err != nil {
				return t, err
			}
		}
		return t, nil
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return Term{Kind: TermText, Text: string(b)}, nil
	case fastjson.TypeNumber:
		return Term{Kind: TermNumber, Text: string(v.MarshalTo(nil))}, nil
	case fastjson.TypeTrue:
		return Term{Kind: TermTrue}, nil
	case fastjson.TypeFalse:
		return Term{Kind: TermFalse}, nil
	case fastjson.TypeNull:
		return Term{Kind: TermNull}, nil
	}
	return Term{Kind: TermObject}, nil
}

// parseTerm reads the first expression in parentheses of s, which must begin with it. What follows is ignored. Between blanks,
// parentheses and quoted strings everything is text; a quoted string is one word, its quotes included.
func parseTerm(s string) (Term, error) {
	p := termParser{s: s, left: MaxTerms}
	p.blanks()
	if p.at == len(s) || s[p.at] != '(' {
		return Term{}, p.expected("(")
	}
	return p.list(MaxDepth)
}

type termParser struct {
	s    string
	at   int
	left int
}

func (p *termParser) expected(what string) error {
	found := "end of text"
	if p.at < len(p.s) {
		word := p.s[p.at:]
		if i := strings.IndexAny(word, " \t\r\n()"); i > 0 {
			word = word[:i]
		}
		if len(word) > 40 {
			word = word[:40]
		}
		found = "'" + word + "'"
	}
	line := 1 + strings.Count(p.s[:p.at], "\n")
	col := p.at - strings.LastIndexByte(p.s[:p.at], '\n')
	return &OperationError{Fault: FaultSyntax, Detail: "Expected '" + what + "', found " + found + "  (at char " + strconv.Itoa(p.at) +
		"), (line:" + strconv.Itoa(line) + ", col:" + strconv.Itoa(col) + ")"}
}

func (p *termParser) blanks() {
	for p.at < len(p.s) && isBlank(p.s[p.at]) {
		p.at++
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// list reads a list that begins here.
func (p *termParser) list(depth int) (Term, error) {
	if depth == 0 {
		return Term{}, tooDeep()
	}
	p.at++
	var t Term
	for {
		p.blanks()
		if p.left--; p.left < 0 {
			return t, tooManyTerms()
		}
		if p.at == len(p.s) {
			return t, p.expected(")")
		}
		switch p.s[p.at] {
		case ')':
			p.at++
			return t, nil
		case '(':
			sub, err := p.list(depth - 1)
			if err != nil {
				return t, err
			}
			t.Items = append(t.Items, sub)
		default:
			t.Items = append(t.Items, Term{Kind: TermText, Text: p.word()})
		}
	}
}

// word reads a quoted string, or text up to a blank, a parenthesis or a quoted string.
func (p *termParser) word() string {
	start := p.at
	if n := quoted(p.s[p.at:]); n > 0 {
		p.at += n
		return p.s[start:p.at]
	}
	for p.at < len(p.s) {
		c := p.s[p.at]
		if isBlank(c) || c == '(' || c == ')' || (c == '"' || c == '\'') && p.at > start && quoted(p.s[p.at:]) > 0 {
			break
		}
		p.at++
	}
	return p.s[start:p.at]
}

// quoted gives the length of the quoted string that s begins with, 0 if there is none: it may not go over the end of a line.
func quoted(s string) int {
	q := s[0]
	if q != '"' && q != '\'' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case q:
			if i+1 < len(s) && s[i+1] == q { // a doubled quote stands for itself
				i++
				continue
			}
			return i + 1
		case '\\':
			i++
		case '\n', '\r':
			return 0
		}
	}
	return 0
}
