package query

import (
	"fmt"
	"math"
	"strconv"

	"github.com/valyala/fastjson"
)

// Predicate is a condition on values, or a calculation whose result is one if it is not zero. It never changes.
type Predicate struct {
	root predicateNode
}

// predicateNode gives a truth value, or a number, of a value.
type predicateNode func(v float64) float64

// PredicateError says what is wrong with a predicate, and where: by members and indexes of its lists.
type PredicateError struct {
	Phrase string
	Extra  bool // the last step is a member that should not be there
	Path   []string
}

func (e *PredicateError) Error() string { return fmt.Sprintf("predicate: %s at %q", e.Phrase, e.Path) }

// Matches tells whether a value meets the condition.
func (p *Predicate) Matches(v float64) bool { return p.root(v) != 0 }

// predicateOperators are the operators of a predicate, with the names of the binary ones of operations, clips and max apart.
var predicateOperators = func() map[string]func(a, b float64) float64 {
	m := make(map[string]func(a, b float64) float64)
	for name, f := range binaryOperators {
		m[name] = f
	}
	for _, name := range []string{"clip_min", "clip_max", "max"} {
		delete(m, name)
	}
	return m
}()

// ParsePredicate reads a condition: {OP: X} where OP compares or calculates and X is a number, to be combined with the value, or
// a list of two numbers or predicates; or {"and": [...]} or {"or": [...]} of predicates. Errors: PredicateError, LimitError.
func ParsePredicate(v *fastjson.Value) (*Predicate, error) {
	p := predicateParser{left: MaxTerms}
	root, err := p.node(v, MaxDepth)
	if err != nil {
		return nil, err
	}
	return &Predicate{root}, nil
}

type predicateParser struct {
	left int
	path []string
}

func (p *predicateParser) fail(phrase string) error {
	return &PredicateError{Phrase: phrase, Path: append([]string{}, p.path...)}
}

func (p *predicateParser) node(v *fastjson.Value, depth int) (predicateNode, error) {
	if depth == 0 {
		return nil, tooDeep()
	}
	if p.left--; p.left < 0 {
		return nil, tooManyTerms()
	}
	o, err := v.Object()
	switch {
	case err != nil:
		return nil, p.fail("expected a dictionary")
	case o.Len() == 0:
		return nil, p.fail("length of value must be at least 1")
	case o.Len() > 1:
		return nil, p.fail("length of value must be at most 1")
	}
	var name string
	var arg *fastjson.Value
	o.Visit(func(key []byte, v *fastjson.Value) { name, arg = string(key), v })
	p.path = append(p.path, name)
	defer func() { p.path = p.path[:len(p.path)-1] }()
	switch name {
	case "and", "∧":
		return p.several(arg, depth, false)
	case "or", "∨":
		return p.several(arg, depth, true)
	case "not":
		if arg.Type() != fastjson.TypeArray {
			return nil, p.fail("not a valid value")
		}
		return nil, &PredicateError{Phrase: "Unknown operator not"} // it has a place in the grammar, and no meaning
	}
	f := predicateOperators[name]
	if f == nil {
		return nil, &PredicateError{Phrase: "extra keys not allowed", Extra: true, Path: append([]string{}, p.path...)}
	}
	return p.binary(f, arg, depth)
}

// several reads a list of predicates: one of which must hold, or all.
func (p *predicateParser) several(v *fastjson.Value, depth int, one bool) (predicateNode, error) {
	list, err := v.Array()
	if err != nil {
		return nil, p.fail("expected a list")
	}
	subs := make([]predicateNode, 0, min(len(list), p.left+1))
	for i, item := range list {
		p.path = append(p.path, strconv.Itoa(i))
		sub, err := p.node(item, depth-1)
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		subs = append(subs, sub)
	}
	return func(v float64) float64 {
		for _, sub := range subs {
			if (sub(v) != 0) == one {
				return truth(one)
			}
		}
		return truth(!one)
	}, nil
}

// binary reads what an operator combines: the value and a number, or two of a list.
func (p *predicateParser) binary(f func(a, b float64) float64, v *fastjson.Value, depth int) (predicateNode, error) {
	if v.Type() != fastjson.TypeArray {
		n, err := p.number(v)
		if err != nil {
			return nil, err
		}
		return func(v float64) float64 { return f(v, n) }, nil
	}
	list, _ := v.Array()
	switch {
	case len(list) < 2:
		return nil, p.fail("length of value must be at least 2")
	case len(list) > 2:
		return nil, p.fail("length of value must be at most 2")
	}
	var subs [2]predicateNode
	for i, item := range list {
		p.path = append(p.path, strconv.Itoa(i))
		var err error
		if item.Type() == fastjson.TypeObject {
			subs[i], err = p.node(item, depth-1)
		} else {
			var n float64
			n, err = p.number(item)
			subs[i] = func(float64) float64 { return n }
		}
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
	}
	return func(v float64) float64 { return f(subs[0](v), subs[1](v)) }, nil
}

func (p *predicateParser) number(v *fastjson.Value) (float64, error) {
	if p.left--; p.left < 0 {
		return 0, tooManyTerms()
	}
	switch v.Type() {
	case fastjson.TypeNumber:
		if f := v.GetFloat64(); !math.IsInf(f, 0) {
			return f, nil
		}
	case fastjson.TypeTrue:
		return 1, nil
	case fastjson.TypeFalse:
		return 0, nil
	}
	return 0, p.fail("expected float")
}
