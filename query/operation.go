package query

import (
	"github.com/telemetrydb/tsdb/rollup"
)

// Operation is a calculation over series of points, as ParseOperations and ParseOperationsText read it. It never changes.
type Operation struct {
	// Pairs are the series it refers to, each once, in the order they were first named.
	Pairs []Pair
	root  *node
}

// Pair refers to stored points: of the metrics that Ref means, an id or a pattern of names, those of an aggregation method.
type Pair struct {
	Ref    string
	Method string
}

// node is an operator with its arguments, a number, or a choice of series.
type node struct {
	kind   nodeKind
	name   string  // as it was written
	num    float64 // of a number
	args   []*node
	pairs  []int // of a metric: indexes of Pairs
	agg    statistic
	method rollup.Method // of resample
	width  int64         // of resample, nanoseconds
	letter byte          // of resample by the calendar
	window int           // of rolling
	unary  func(float64) float64
	binary func(a, b float64) float64
}

type nodeKind uint8

const (
	nodeNumber nodeKind = iota
	nodeMetric
	nodeAggregate
	nodeResample
	nodeRolling
	nodeUnary
	nodeChange       // rateofchange
	nodeChangePerSec // rateofchangesec
	nodeBinary
	nodeClip
)

// statistic is what aggregate and rolling work out of several values, NaN left out.
type statistic struct {
	base uint8
	rate bool // the differences of the results
}

const (
	statMean = iota
	statMedian
	statStd
	statMin
	statMax
	statSum
	statVar
	statCount
)

var statNames = [...]string{statMean: "mean", statMedian: "median", statStd: "std", statMin: "min", statMax: "max", statSum: "sum",
	statVar: "var", statCount: "count"}

// parseStatistic reads the name of a statistic, with rate: before it or not.
func parseStatistic(s string) (statistic, bool) {
	var st statistic
	if len(s) > 5 && s[:5] == "rate:" {
		st.rate, s = true, s[5:]
	}
	for i, name := range statNames {
		if name == s {
			st.base = uint8(i)
			return st, true
		}
	}
	return st, false
}

// Across returns the operation of the cross-metric aggregation: the points of one method of each metric, resampled by it
// if width or letter is not zero, then put together by reaggregation, the name of a statistic. It reports false if there is no such
// statistic, or no such resampling.
func Across(refs []string, method, reaggregation string, width int64, letter byte) (*Operation, bool) {
	st, ok := parseStatistic(reaggregation)
	if !ok {
		return nil, false
	}
	op := &Operation{}
	at := &node{kind: nodeMetric, name: "metric"}
	for i, ref := range refs {
		op.Pairs = append(op.Pairs, Pair{ref, method})
		at.pairs = append(at.pairs, i)
	}
	if width != 0 || letter != 0 {
		m, ok := rollup.ParseMethod(method)
		if !ok || letter != 0 && m.Rate() {
			return nil, false
		}
		at = &node{kind: nodeResample, name: "resample", method: m, width: width, letter: letter, args: []*node{at}}
	}
	op.root = &node{kind: nodeAggregate, name: "aggregate", agg: st, args: []*node{at}}
	return op, true
}

// scalar tells whether a node is a number, whatever the series are.
func (n *node) scalar() bool {
	if n.kind == nodeMetric {
		return false
	}
	for _, a := range n.args {
		if !a.scalar() {
			return false
		}
	}
	return true
}

// RateOfRate tells whether the operation asks for differences of what are differences already. That is allowed and rarely meant.
func (op *Operation) RateOfRate() bool {
	_, twice := op.rates(op.root)
	return twice
}

// rates tells whether the node's values are differences, and whether any are differences of differences.
func (op *Operation) rates(n *node) (rate, twice bool) {
	for _, i := range n.pairs {
		m, _ := rollup.ParseMethod(op.Pairs[i].Method)
		rate = rate || m.NeedsBefore()
	}
	for _, a := range n.args {
		r, t := op.rates(a)
		rate, twice = rate || r, twice || t
	}
	switch n.kind {
	case nodeChange, nodeChangePerSec:
		return true, twice || rate
	case nodeAggregate, nodeRolling:
		return rate || n.agg.rate, twice || rate && n.agg.rate
	case nodeResample:
		return rate || n.method.Rate(), twice || rate && n.method.Rate()
	}
	return rate, twice
}
