package rollup

import (
	"strconv"
	"strings"
)

// Method is an aggregation method: one of Gnocchi's, which are nine base methods and percentiles, of the values or of their
// differences, or one of two of counters, which Gnocchi lacks. Its number is part of stored formats and never changes:
//
//	1 to 9       the constants below
//	101 to 199   percentiles: 100 plus N, N from 1 to 99
//	201, 202     counters (see counter.go)
//	+ 0x8000     the rate of the above, but not of counters
//
// Any other number is no method: its String says so and an Aggregator gives no points for it.
type Method uint16

// The base methods that are not percentiles, in the order of the specification.
const (
	Mean   Method = 1 // sum divided by count
	Sum    Method = 2 // from 0, added in the order of time
	Last   Method = 3
	Max    Method = 4 // NaN if a value is NaN
	Min    Method = 5 // of the values that are not NaN, if there are any
	Std    Method = 6 // sample standard deviation; a group of one value has none
	Median Method = 7
	First  Method = 8
	Count  Method = 9
)

// The methods of cumulative counters.
const (
	CounterIncrease Method = 201 // what a counter went up by
	CounterRate     Method = 202 // the same per second of the time covered
)

const (
	pctBase  Method = 100
	rateFlag Method = 0x8000
)

var names = [...]string{Mean: "mean", Sum: "sum", Last: "last", Max: "max", Min: "min", Std: "std", Median: "median",
	First: "first", Count: "count"}

var counterNames = [...]string{"counter:increase", "counter:rate"}

// Pct returns the method of percentile n, 1 to 99. For any other n it returns 0, which is no method.
func Pct(n int) Method {
	if n < 1 || n > 99 {
		return 0
	}
	return pctBase + Method(n)
}

// ParseMethod reads a method as clients write it ("mean", "95pct", "rate:mean", "counter:rate"). It reports false for anything else.
func ParseMethod(s string) (Method, bool) {
	switch s {
	case counterNames[0]:
		return CounterIncrease, true
	case counterNames[1]:
		return CounterRate, true
	}
	if base, ok := strings.CutPrefix(s, "rate:"); ok {
		m, ok := parseBase(base)
		return m | rateFlag, ok
	}
	return parseBase(s)
}

func parseBase(s string) (Method, bool) {
	for i, name := range names {
		if name == s && i > 0 {
			return Method(i), true
		}
	}
	digits, ok := strings.CutSuffix(s, "pct")
	if !ok || len(digits) == 0 || len(digits) > 2 || digits[0] < '1' || digits[0] > '9' {
		return 0, false // also 05pct and +5pct, which Atoi would take
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, false
	}
	return Pct(n), true
}

// Valid tells whether m is one of Gnocchi's 216 methods or of a counter.
func (m Method) Valid() bool {
	b := m.Base()
	return b >= Mean && b <= Count || b > pctBase && b < pctBase+100 || m.Counter()
}

// Counter tells whether m is worked out from the increases of a counter: CounterIncrease or CounterRate.
func (m Method) Counter() bool { return m == CounterIncrease || m == CounterRate }

// NeedsBefore tells whether m of a group depends on the sample before the group too: rates and counters.
func (m Method) NeedsBefore() bool { return m.Rate() || m.Counter() }

// MayLack tells whether a group of samples may have no point of m: Std of one sample, rates and counters of the first.
func (m Method) MayLack() bool { return m.NeedsBefore() || m == Std }

// Rate tells whether m is worked out from the differences between samples.
func (m Method) Rate() bool { return m&rateFlag != 0 }

// Base returns m without the rate: what is worked out of the values or of the differences.
func (m Method) Base() Method { return m &^ rateFlag }

// OfRate returns the method that works m's base out of the differences between samples.
func (m Method) OfRate() Method { return m | rateFlag }

// Percentile returns N of an Npct method, or of its rate, and 0 for other methods.
func (m Method) Percentile() int {
	if b := m.Base(); b > pctBase && b < pctBase+100 {
		return int(b - pctBase)
	}
	return 0
}

// String returns the name clients use, as ParseMethod reads it.
func (m Method) String() string {
	var name string
	switch n := m.Percentile(); {
	case !m.Valid():
		return "Method(" + strconv.Itoa(int(m)) + ")"
	case m.Counter():
		return counterNames[m-CounterIncrease]
	case n > 0:
		name = strconv.Itoa(n) + "pct"
	default:
		name = names[m.Base()]
	}
	if m.Rate() {
		return "rate:" + name
	}
	return name
}

// Methods returns Gnocchi's 216 methods: the base methods in the order of the specification, the percentiles, then the rates of
// all of them. CounterMethods has the others. The slice is the caller's.
func Methods() []Method {
	ms := make([]Method, 0, 216)
	for m := Mean; m <= Count; m++ {
		ms = append(ms, m)
	}
	for n := 1; n <= 99; n++ {
		ms = append(ms, Pct(n))
	}
	for _, m := range ms[:len(ms):len(ms)] {
		ms = append(ms, m.OfRate())
	}
	return ms
}

// CounterMethods returns the methods of counters. The slice is the caller's.
func CounterMethods() []Method { return []Method{CounterIncrease, CounterRate} }
