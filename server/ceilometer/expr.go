package ceilometer

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/telemetrydb/tsdb/server/simplequery"
)

// An expr is a condition on samples: a tree of and and or, whose leaves compare a field. Negations are in the leaves.
type expr struct {
	op    op
	subs  []*expr // of and, or
	not   bool    // of a leaf: it selects what it would not
	field string
	path  string // of the field metadata
	want  []value
	at    int64 // milliseconds, of the field timestamp
	match *regexp.Regexp
}

type op uint8

const (
	opAnd op = iota + 1
	opOr
	opEq
	opLt
	opLe
	opGt
	opGe
	opIn
	opMatch
)

// comparisons are the operators of leaves, as they are spelled; those that are negations of others are marked by notEqual.
var comparisons = map[string]op{"=": opEq, "!=": opEq, "<": opLt, "<=": opLe, "=<": opLe, ">": opGt, ">=": opGe, "=>": opGe, "in": opIn, "=~": opMatch}

const notEqual = "!="

// exprFields are the fields of samples, by all their names.
var exprFields = map[string]string{
	"counter_name": "meter", "meter": "meter", "counter_type": "type", "type": "type", "counter_unit": "unit", "unit": "unit",
	"counter_volume": "volume", "volume": "volume", "user_id": "user_id", "user": "user_id", "project_id": "project_id",
	"project": "project_id", "resource_id": "resource_id", "resource": "resource_id", "source": "source", "timestamp": "timestamp",
	"recorded_at": "recorded_at", "message_id": "message_id", "message_signature": "message_signature",
	"resource_metadata": "resource_metadata",
}

const maxExprDepth = 64

func badExpr(reason string) error { return badRequest("Filter expression not valid: " + reason) }

// decodeJSON decodes a text that is in a member of a body.
func decodeJSON(s string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var x any
	err := dec.Decode(&x)
	if err == nil && dec.More() {
		err = &json.SyntaxError{Offset: dec.InputOffset()}
	}
	return x, err
}

// parseExpr reads a filter.
func parseExpr(s string) (any, error) {
	x, err := decodeJSON(s)
	if err != nil {
		return nil, badExpr("it is no JSON")
	}
	return x, nil
}

// newExpr makes an expression of what JSON says.
func newExpr(x any) (*expr, error) {
	e, err := treeOf(x, false, 0)
	if err != nil {
		return nil, err
	}
	left := maxMatchParts
	return e, e.compile(&left)
}

// treeOf makes an expression, whose regular expressions are not compiled. not says that it is to be negated.
func treeOf(x any, not bool, depth int) (*expr, error) {
	name, operand, err := onlyMember(x)
	if err != nil {
		return nil, err
	}
	if depth > maxExprDepth {
		return nil, badExpr("it is too deep")
	}
	switch name = strings.ToLower(name); name {
	case "not":
		return treeOf(operand, !not, depth+1)
	case "and", "or":
		list, ok := operand.([]any)
		if !ok || len(list) < 2 {
			return nil, badExpr("'" + name + "' needs a list of two expressions at least")
		}
		e := &expr{op: opAnd}
		if name == "or" != not {
			e.op = opOr
		}
		for _, x := range list {
			sub, err := treeOf(x, not, depth+1)
			if err != nil {
				return nil, err
			}
			e.subs = append(e.subs, sub)
		}
		return e, nil
	}
	op, ok := comparisons[name]
	if !ok {
		return nil, badExpr("'" + name + "' is no operator")
	}
	return newLeaf(op, operand, not != (name == notEqual))
}

// onlyMember gives the one member that an object has.
func onlyMember(x any) (name string, value any, err error) {
	m, ok := x.(map[string]any)
	if !ok || len(m) != 1 {
		return "", nil, badExpr(pythonText(x) + " is no object with one member")
	}
	for name, value = range m {
	}
	return name, value, nil
}

func newLeaf(op op, operand any, not bool) (*expr, error) {
	name, x, err := onlyMember(operand)
	if err != nil {
		return nil, err
	}
	e := &expr{op: op, not: not, field: exprFields[name]}
	if path, ok := strings.CutPrefix(name, "metadata."); ok && path != "" && !strings.ContainsAny(path, " \t\r\n\f\v") {
		e.field, e.path = "metadata", path
	}
	if e.field == "" {
		return nil, badExpr("'" + name + "' is no field")
	}
	list := []any{x}
	if op == opIn {
		var ok bool
		if list, ok = x.([]any); !ok || len(list) == 0 {
			return nil, badExpr("'in' needs a list of one value at least")
		}
	}
	for _, x := range list {
		v := jsonValue(x)
		if v.kind != text && v.kind != number && (v.kind != boolean || op == opIn) {
			return nil, badExpr(pythonText(x) + " is no value to compare with")
		}
		e.want = append(e.want, v)
	}
	if e.field == "timestamp" {
		return e, e.readTime(x)
	}
	if op == opMatch && e.want[0].kind != text {
		return nil, badExpr("'=~' needs a text")
	}
	return e, nil
}

func (e *expr) readTime(x any) error {
	s, ok := x.(string)
	if ok {
		at, err := simplequery.ParseTime("timestamp", s)
		e.at, ok = floorDiv(at, milli), err == nil
	}
	if !ok {
		return badRequest("Failed to parse the timestamp value " + pythonText(x))
	}
	if e.op == opMatch {
		return badExpr("a time does not match an expression")
	}
	return nil
}

// scopeExpr refuses comparisons with other projects than the caller's. What is below a negation is not looked into: it finds nothing
// of others.
func scopeExpr(x any, project string) error {
	m, ok := x.(map[string]any)
	if !ok {
		return nil // newExpr tells what is wrong
	}
	for name, operand := range m {
		switch strings.ToLower(name) {
		case "not":
			continue
		case "and", "or":
			list, _ := operand.([]any)
			for _, sub := range list {
				if err := scopeExpr(sub, project); err != nil {
					return err
				}
			}
			continue
		}
		leaf, _ := operand.(map[string]any)
		for field, want := range leaf {
			if exprFields[field] == "project_id" && want != any(project) {
				return notAuthorized(pythonText(want))
			}
		}
	}
	return nil
}

// compare compares a value of a sample: whether the leaf, without its negation, selects it. A list is selected if one of it is.
func (e *expr) compare(v value) bool {
	if v.kind == list && slices.ContainsFunc(v.list, e.compareOne) {
		return true
	}
	return e.compareOne(v)
}

func (e *expr) compareOne(v value) bool {
	switch e.op {
	case opMatch:
		return v.kind == text && e.match.MatchString(v.text)
	case opEq, opIn:
		return slices.ContainsFunc(e.want, v.equals)
	}
	w := e.want[0]
	if v.kind != w.kind || v.kind != number && v.kind != text && v.kind != boolean {
		return false
	}
	if v.kind == text {
		return ordered(e.op, strings.Compare(v.text, w.text))
	}
	switch {
	case v.num < w.num:
		return ordered(e.op, -1)
	case v.num > w.num:
		return ordered(e.op, 1)
	case v.num == w.num:
		return ordered(e.op, 0)
	}
	return false
}

// ordered tells whether two values compare as the operator asks.
func ordered(o op, cmp int) bool {
	switch o {
	case opLt:
		return cmp < 0
	case opLe:
		return cmp <= 0
	case opGt:
		return cmp > 0
	case opGe:
		return cmp >= 0
	}
	return cmp == 0
}
