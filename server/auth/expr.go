package auth

import (
	"fmt"
	"strconv"
	"strings"
)

// expr is a node of a rule: a check, or checks combined.
type expr interface {
	// holds tells whether the caller passes for the target.
	holds(e *env) bool
}

// env is what a rule is evaluated against.
type env struct {
	caller *Caller
	target Target
	rules  map[string]expr
}

type (
	always  bool
	allOf   []expr
	anyOf   []expr
	notExpr struct{ sub expr }
	ruleRef string
	roleIs  struct{ name template }
	// literalIs compares a constant of the rule with an attribute of the target.
	literalIs struct {
		value string
		match template
	}
	// callerIs compares what is known of the caller with an attribute of the target.
	callerIs struct {
		name  string
		match template
	}
)

func (a always) holds(*env) bool { return bool(a) }

func (a allOf) holds(e *env) bool {
	for _, sub := range a {
		if !sub.holds(e) {
			return false
		}
	}
	return true
}

func (a anyOf) holds(e *env) bool {
	for _, sub := range a {
		if sub.holds(e) {
			return true
		}
	}
	return false
}

func (n notExpr) holds(e *env) bool { return !n.sub.holds(e) }

func (r ruleRef) holds(e *env) bool { return e.rules[string(r)].holds(e) }

func (r roleIs) holds(e *env) bool {
	name, ok := r.name.fill(e.target)
	return ok && e.caller.hasRole(name)
}

func (l literalIs) holds(e *env) bool {
	want, ok := l.match.fill(e.target)
	return ok && want == l.value
}

func (c callerIs) holds(e *env) bool {
	want, ok := c.match.fill(e.target)
	return ok && e.caller.is(c.name, want)
}

// template is text with attributes of the target in it: constant text and names in turn, beginning with text.
type template []string

// fill puts the target's attributes in. Not ok: one of them is not set.
func (t template) fill(target Target) (string, bool) {
	if len(t) == 1 {
		return t[0], true
	}
	if target == nil {
		return "", false
	}
	if len(t) == 3 && t[0] == "" && t[2] == "" { // nothing but an attribute, as rules mostly have it
		return target.Attribute(t[1])
	}
	var b strings.Builder
	for i, part := range t {
		if i%2 == 1 {
			v, ok := target.Attribute(part)
			if !ok {
				return "", false
			}
			part = v
		}
		b.WriteString(part)
	}
	return b.String(), true
}

// parseTemplate reads text in which %(name)s stands for an attribute and %% for a percent sign.
func parseTemplate(s string) (template, error) {
	var t template
	var text strings.Builder
	for s != "" {
		before, rest, found := strings.Cut(s, "%")
		text.WriteString(before)
		switch {
		case !found:
			s = ""
		case strings.HasPrefix(rest, "%"):
			text.WriteByte('%')
			s = rest[1:]
		case strings.HasPrefix(rest, "("):
			name, after, ok := strings.Cut(rest[1:], ")s")
			if !ok || name == "" || strings.ContainsAny(name, "()%") {
				return nil, fmt.Errorf("%%%s: want %%(name)s", rest)
			}
			t = append(t, text.String(), name)
			text.Reset()
			s = after
		default:
			return nil, fmt.Errorf("%%%s: want %%(name)s, or %%%% for a percent sign", rest)
		}
	}
	return append(t, text.String()), nil
}

// parseCheck reads one check: @, ! or KIND:MATCH.
func parseCheck(s string) (expr, error) {
	switch s {
	case "@":
		return always(true), nil
	case "!":
		return always(false), nil
	}
	kind, match, ok := strings.Cut(s, ":")
	if !ok || kind == "" {
		return nil, fmt.Errorf("%q is no check: want KIND:MATCH, @ or !", s)
	}
	if kind == "rule" {
		return ruleRef(match), nil
	}
	if kind == "http" || kind == "https" {
		return nil, fmt.Errorf("%q: checks that ask another server are not supported", s)
	}
	t, err := parseTemplate(match)
	if err != nil {
		return nil, err
	}
	if kind == "role" {
		return roleIs{t}, nil
	}
	if v, ok := literal(kind); ok {
		return literalIs{v, t}, nil
	}
	if !knownOfCaller(kind) {
		return nil, fmt.Errorf("%q: nothing is known of callers by the name %s", s, kind)
	}
	return callerIs{kind, t}, nil
}

// literal reads a constant as Python writes it and gives it as text.
func literal(s string) (string, bool) {
	switch s {
	case "True", "False", "None":
		return s, true
	}
	if n := len(s); n >= 2 && (s[0] == '\'' || s[0] == '"') && s[n-1] == s[0] {
		return s[1 : n-1], true
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return strconv.FormatInt(n, 10), true
	}
	return "", false
}
