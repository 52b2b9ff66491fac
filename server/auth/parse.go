package auth

import (
	"errors"
	"fmt"
	"strings"
)

// maxDepth bounds the nesting of parentheses and of negations in a rule.
const maxDepth = 100

var errDeep = fmt.Errorf("nested more than %d deep", maxDepth)

// parseRule reads a rule: checks, and, or, not and parentheses. Not binds tightest, then and. An empty rule always holds.
func parseRule(s string) (expr, error) {
	p := parser{tokens: words(s)}
	if len(p.tokens) == 0 {
		return always(true), nil
	}
	e, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if len(p.tokens) > 0 {
		return nil, fmt.Errorf("%q is not expected there", p.tokens[0])
	}
	return e, nil
}

// words splits a rule at blanks, and parentheses off the ends of what that gives: those within a check are part of it.
func words(s string) []string {
	var out []string
	for _, tok := range strings.Fields(s) {
		for strings.HasPrefix(tok, "(") {
			out, tok = append(out, "("), tok[1:]
		}
		bare := strings.TrimRight(tok, ")")
		if bare != "" {
			out = append(out, bare)
		}
		for range len(tok) - len(bare) {
			out = append(out, ")")
		}
	}
	return out
}

type parser struct{ tokens []string }

// next takes the next token if it is the word, in any case of letters.
func (p *parser) next(word string) bool {
	if len(p.tokens) == 0 || !strings.EqualFold(p.tokens[0], word) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) or(depth int) (expr, error) {
	var subs anyOf
	for {
		e, err := p.and(depth)
		if err != nil {
			return nil, err
		}
		subs = append(subs, e)
		if !p.next("or") {
			break
		}
	}
	if len(subs) == 1 {
		return subs[0], nil
	}
	return subs, nil
}

func (p *parser) and(depth int) (expr, error) {
	var subs allOf
	for {
		e, err := p.unary(depth)
		if err != nil {
			return nil, err
		}
		subs = append(subs, e)
		if !p.next("and") {
			break
		}
	}
	if len(subs) == 1 {
		return subs[0], nil
	}
	return subs, nil
}

func (p *parser) unary(depth int) (expr, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	switch {
	case len(p.tokens) == 0:
		return nil, errors.New("a check is missing at the end")
	case p.next("not"):
		e, err := p.unary(depth + 1)
		return notExpr{e}, err
	case p.next("("):
		e, err := p.or(depth + 1)
		if err == nil && !p.next(")") {
			err = errors.New("a parenthesis is not closed")
		}
		return e, err
	}
	tok := p.tokens[0]
	p.tokens = p.tokens[1:]
	return parseCheck(tok)
}

// parseLists reads the older form of a rule: a list of alternatives, each a check or a list of checks that all have to hold.
func parseLists(alternatives []any) (expr, error) {
	if len(alternatives) == 0 {
		return always(true), nil
	}
	var choice anyOf
	for _, alt := range alternatives {
		var checks allOf
		items, ok := alt.([]any)
		if !ok {
			items = []any{alt}
		}
		for _, item := range items {
			s, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("%v is no check", item)
			}
			e, err := parseCheck(s)
			if err != nil {
				return nil, err
			}
			checks = append(checks, e)
		}
		if len(checks) > 0 {
			choice = append(choice, checks)
		}
	}
	return choice, nil
}
