package query

import (
	"fmt"
	"math"

	"github.com/telemetrydb/tsdb/rollup"
)

// Words reads the atoms of operations the way a dialect spells them.
type Words struct {
	Number   func(s string) (float64, bool) // a number as text
	Timespan func(s string) (int64, bool)   // a length of time, in nanoseconds: a number of seconds or text
}

// OperationError says what is wrong with an operation. Those who write them can mend it.
type OperationError struct {
	Fault  OperationFault
	Name   string // FaultOperator: the outermost operator
	Index  int    // FaultReference: which argument of a metric
	Kind   TermKind
	Detail string // FaultSyntax: what was expected where
}

// OperationFault is a kind of OperationError.
type OperationFault uint8

// What can be wrong with an operation.
const (
	FaultSyntax    OperationFault = iota // the text is no list
	FaultNotList                         // Kind is what was found in its place
	FaultEmpty                           // an empty list
	FaultNoArgs                          // an operator without arguments
	FaultOperator                        // something in the tree below Name
	FaultReference                       // the arguments of a metric
	FaultNoMetric                        // no metric in it
)

func (e *OperationError) Error() string {
	switch e.Fault {
	case FaultSyntax:
		return "operation: " + e.Detail
	case FaultEmpty:
		return "operation: empty"
	case FaultNoArgs:
		return "operation: no argument"
	case FaultOperator:
		return fmt.Sprintf("operation: %q is invalid", e.Name)
	case FaultReference:
		return fmt.Sprintf("operation: argument %d of metric is invalid", e.Index)
	case FaultNoMetric:
		return "operation: no metric"
	}
	return "operation: not a list"
}

// ParseOperationsText reads an operation from its form with parentheses: (aggregate mean (metric cpu mean)). Errors:
// OperationError, LimitError.
func ParseOperationsText(s string, w Words) (*Operation, Term, error) {
	t, err := parseTerm(s)
	if err != nil {
		return nil, t, err
	}
	op, err := ParseOperations(t, w)
	return op, t, err
}

// ParseOperations reads an operation from its form as nested lists. Errors: OperationError.
func ParseOperations(t Term, w Words) (*Operation, error) {
	switch {
	case t.Kind != TermList:
		return nil, &OperationError{Fault: FaultNotList, Kind: t.Kind}
	case len(t.Items) == 0:
		return nil, &OperationError{Fault: FaultEmpty}
	case len(t.Items) == 1:
		return nil, &OperationError{Fault: FaultNoArgs}
	}
	p := parser{w: w, op: &Operation{}, known: make(map[Pair]int)}
	root := p.list(t)
	switch {
	case p.badRef > 0:
		return nil, &OperationError{Fault: FaultReference, Index: p.badRef - 1}
	case root == nil:
		return nil, &OperationError{Fault: FaultOperator, Name: t.Items[0].String()}
	case len(p.op.Pairs) == 0:
		return nil, &OperationError{Fault: FaultNoMetric}
	case wantsSeries(root):
		return nil, &OperationError{Fault: FaultOperator, Name: t.Items[0].String()}
	}
	p.op.root = root
	return p.op, nil
}

// wantsSeries tells whether an operator that works along the time has only numbers to work on.
func wantsSeries(n *node) bool {
	for _, a := range n.args {
		if wantsSeries(a) {
			return true
		}
	}
	switch n.kind {
	case nodeAggregate, nodeResample, nodeRolling, nodeChange, nodeChangePerSec:
		return n.args[0].scalar()
	}
	return false
}

type parser struct {
	w      Words
	op     *Operation
	known  map[Pair]int
	badRef int // 1 + the wrong argument of the first wrong metric
}

// node reads an argument: a list or a number. It returns nil if it is neither.
func (p *parser) node(t Term) *node {
	if t.Kind == TermList {
		return p.list(t)
	}
	if f, ok := p.number(t); ok {
		return &node{kind: nodeNumber, num: f}
	}
	return nil
}

func (p *parser) number(t Term) (float64, bool) {
	switch t.Kind {
	case TermText, TermNumber:
		return p.w.Number(t.Text)
	case TermTrue:
		return 1, true
	case TermFalse:
		return 0, true
	}
	return 0, false
}

func (p *parser) nodes(ts []Term) []*node {
	out := make([]*node, len(ts))
	for i, t := range ts {
		if out[i] = p.node(t); out[i] == nil {
			return nil
		}
	}
	return out
}

// list reads an operator and its arguments, nil if something is wrong with them.
func (p *parser) list(t Term) *node {
	if len(t.Items) < 2 || t.Items[0].Kind != TermText {
		return nil
	}
	n := &node{name: t.Items[0].Text}
	args := t.Items[1:]
	switch n.name {
	case "metric":
		return p.metric(n, args)
	case "aggregate":
		n.kind = nodeAggregate
		return p.statistic(n, args, 2)
	case "rolling":
		n.kind = nodeRolling
		if len(args) != 3 || !p.windowOf(n, args[1]) {
			return nil
		}
		return p.statistic(n, args, 3)
	case "resample":
		return p.resample(n, args)
	case "clip":
		n.kind = nodeClip
		if len(args) != 2 && len(args) != 3 {
			return nil
		}
	case "rateofchange":
		n.kind = nodeChange
	case "rateofchangesec":
		n.kind = nodeChangePerSec
	default:
		if n.unary = unaryOperators[n.name]; n.unary != nil {
			n.kind = nodeUnary
			break
		}
		if n.binary = binaryOperators[n.name]; n.binary == nil || len(args) != 2 {
			return nil
		}
		n.kind = nodeBinary
	}
	if (n.kind == nodeUnary || n.kind == nodeChange || n.kind == nodeChangePerSec) && len(args) != 1 {
		return nil
	}
	if n.args = p.nodes(args); n.args == nil {
		return nil
	}
	return n
}

// statistic reads the name of a statistic and, last, what it is of.
func (p *parser) statistic(n *node, args []Term, want int) *node {
	if len(args) != want || args[0].Kind != TermText {
		return nil
	}
	var ok bool
	if n.agg, ok = parseStatistic(args[0].Text); !ok {
		return nil
	}
	if n.args = p.nodes(args[want-1:]); n.args == nil {
		return nil
	}
	return n
}

// windowOf reads a whole number of at least 1; fractions are cut off where it is not text.
func (p *parser) windowOf(n *node, t Term) bool {
	f, ok := p.number(t)
	if !ok || t.Kind == TermText && f != math.Trunc(f) || !(f >= 1 && f < 1<<40) {
		return false
	}
	if t.Kind == TermText {
		for _, c := range t.Text {
			if c == '.' || c == 'e' || c == 'E' {
				return false
			}
		}
	}
	n.window = int(f)
	return true
}

func (p *parser) resample(n *node, args []Term) *node {
	n.kind = nodeResample
	if len(args) != 3 || args[0].Kind != TermText {
		return nil
	}
	var ok bool
	if n.method, ok = rollup.ParseMethod(args[0].Text); !ok || n.method.Counter() || n.method.Rate() && n.method.Percentile() > 0 {
		return nil
	}
	if base := n.method.Base(); n.method.Rate() && (base == rollup.First || base == rollup.Last) {
		return nil
	}
	switch span := args[1]; span.Kind {
	case TermText, TermNumber:
		n.width, ok = p.w.Timespan(span.Text)
	case TermTrue:
		n.width = 1e9
	default:
		ok = false
	}
	if !ok || n.width <= 0 {
		return nil
	}
	if n.args = p.nodes(args[2:]); n.args == nil {
		return nil
	}
	return n
}

// metric reads a reference and a method, or a list of such pairs.
func (p *parser) metric(n *node, args []Term) *node {
	n.kind = nodeMetric
	if args[0].Kind == TermText && len(args) == 2 && args[1].Kind == TermText {
		p.pair(n, args)
		return n
	}
	for i, a := range args {
		if a.Kind != TermList || len(a.Items) != 2 || a.Items[0].Kind != TermText || a.Items[1].Kind != TermText {
			if p.badRef == 0 {
				p.badRef = i + 1
			}
			return nil
		}
		p.pair(n, a.Items)
	}
	return n
}

func (p *parser) pair(n *node, t []Term) {
	pair := Pair{t[0].Text, t[1].Text}
	i, ok := p.known[pair]
	if !ok {
		i = len(p.op.Pairs)
		p.known[pair] = i
		p.op.Pairs = append(p.op.Pairs, pair)
	}
	n.pairs = append(n.pairs, i)
}

// String writes the term about as Python prints it.
func (t Term) String() string {
	switch t.Kind {
	case TermText, TermNumber:
		return t.Text
	case TermTrue:
		return "True"
	case TermFalse:
		return "False"
	case TermNull:
		return "None"
	case TermObject:
		return "{...}"
	}
	return string(t.appendPython(nil))
}

// appendPython appends a list's spelling; it ends after some items, because it is for error texts.
func (t Term) appendPython(dst []byte) []byte {
	switch t.Kind {
	case TermText:
		return append(append(append(dst, '\''), t.Text...), '\'')
	case TermList:
		dst = append(dst, '[')
		for i, item := range t.Items {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			if len(dst) > 200 {
				dst = append(dst, "..."...)
				break
			}
			dst = item.appendPython(dst)
		}
		return append(dst, ']')
	}
	return append(dst, t.String()...)
}
