package index

import (
	"cmp"
	"strings"
)

// Kind tells what a Value holds.
type Kind uint8

// The kinds of values, in their sort order. Null stands for an attribute that is not set.
const (
	Null Kind = iota
	Bool
	Number
	Time
	Bytes // text, or 16 bytes of a UUID; ordered bytewise
)

// Value is one attribute's value in the index: comparable, and ordered within its kind.
// Text and UUIDs are Bytes.
type Value struct {
	Kind Kind
	Num  float64 // Number; Bool as 0 or 1
	Time int64   // Time: nanoseconds since the Unix epoch
	Str  string  // Bytes
}

// Compare orders values by kind, then within it: -0 equals 0, and NaN equals itself and comes after +Inf.
func Compare(a, b Value) int {
	if c := cmp.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	switch a.Kind {
	case Bool, Number:
		return cmp.Compare(orderedBits(a.Num), orderedBits(b.Num))
	case Time, cell:
		return cmp.Compare(a.Time, b.Time)
	case Bytes:
		return strings.Compare(a.Str, b.Str)
	}
	return 0
}

// Op is an operator of a filter tree.
type Op uint8

// The operators. And, Or and Not take Subs; In takes Values; the others take Value.
// Like matches text with the wildcards % (any run) and _ (any one character), case-sensitively; a backslash
// takes the next character literally. And without Subs selects everything, Or without Subs nothing.
const (
	And Op = iota + 1
	Or
	Not
	Eq
	Ne
	Lt
	Le
	Gt
	Ge
	In
	Like
)

// Filter is a node of a filter tree. A nil *Filter selects everything.
//
// Comparisons follow SQL's three-valued logic as Gnocchi's search does: a comparison with an attribute
// that is not set is unknown, and so is its negation; Eq and Ne against a Null value test for it;
// Ne against a value also selects what is not set, Not of Eq does not. A Null among the values of In makes what
// is not among the others unknown; every other comparison with Null is unknown.
// A value of another kind than the one asked for differs from it and is neither before nor after it.
type Filter struct {
	Op     Op
	Field  string
	Value  Value
	Values []Value
	Subs   []*Filter
}
