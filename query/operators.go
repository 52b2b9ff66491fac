package query

import "math"

// unaryOperators work on each value by itself.
var unaryOperators = map[string]func(float64) float64{
	"abs": math.Abs, "absolute": math.Abs,
	"neg": negative, "negative": negative,
	"cos": math.Cos, "sin": math.Sin, "tan": math.Tan,
	"floor": math.Floor, "ceil": math.Ceil,
}

// binaryOperators work on two values. Comparisons give 1 and 0.
var binaryOperators = map[string]func(a, b float64) float64{
	"=": equal, "==": equal, "eq": equal,
	"!=": notEqual, "≠": notEqual, "ne": notEqual,
	"<": less, "lt": less,
	">": greater, "gt": greater,
	"<=": atMost, "≤": atMost, "le": atMost,
	">=": atLeast, "≥": atLeast, "ge": atLeast,
	"%": modulo, "mod": modulo,
	"+": add, "add": add,
	"-": sub, "sub": sub,
	"*": mul, "×": mul, "mul": mul,
	"/": div, "÷": div, "div": div,
	"**": math.Pow, "^": math.Pow, "pow": math.Pow,
	"clip_min": higher, "clip_max": lower,
	"max": greatest,
}

// comparisons give truth values, of which some operators have their own idea: see logical.
var comparisons = map[string]bool{"=": true, "==": true, "eq": true, "!=": true, "≠": true, "ne": true, "<": true, "lt": true,
	">": true, "gt": true, "<=": true, "≤": true, "le": true, ">=": true, "≥": true, "ge": true}

// logical are the operators whose result for truth values is a truth value again.
var logical = map[string]func(a, b float64) float64{
	"+": greatest, "add": greatest, "*": mul, "×": mul, "mul": mul, "max": greatest, "clip_min": higher, "clip_max": lower,
	"abs": nil, "absolute": nil, "floor": nil, "ceil": nil,
}

func negative(a float64) float64 { return -a }
func add(a, b float64) float64   { return a + b }
func sub(a, b float64) float64   { return a - b }
func mul(a, b float64) float64   { return a * b }
func div(a, b float64) float64   { return a / b }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func equal(a, b float64) float64    { return truth(a == b) }
func notEqual(a, b float64) float64 { return truth(a != b) }
func less(a, b float64) float64     { return truth(a < b) }
func greater(a, b float64) float64  { return truth(a > b) }
func atMost(a, b float64) float64   { return truth(a <= b) }
func atLeast(a, b float64) float64  { return truth(a >= b) }

// modulo has the sign of the divisor, as Python's; of a zero result too.
func modulo(a, b float64) float64 {
	m := math.Mod(a, b)
	switch {
	case b == 0 || m != m:
		return m
	case m == 0:
		return math.Copysign(0, b)
	case (b < 0) != (m < 0):
		return m + b
	}
	return m
}

// higher is the greater of two, NaN if one is.
func higher(a, b float64) float64 {
	if a != a || a > b {
		return a
	}
	return b
}

// lower is the lesser of two, NaN if one is.
func lower(a, b float64) float64 {
	if a != a || a < b {
		return a
	}
	return b
}

// greatest is the greater of two, the other one if one is NaN.
func greatest(a, b float64) float64 {
	if b != b || a >= b {
		return a
	}
	return b
}

// clip keeps a between lo and hi; where those cross, hi wins.
func clip(a, lo, hi float64) float64 { return lower(higher(a, lo), hi) }
