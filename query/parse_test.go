package query

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"
)

// TestParse reads operations as lists, and as text those that begin with a quote.
func TestParse(t *testing.T) {
	for _, tc := range []struct {
		in    string
		fault OperationFault
		name  string // or index
	}{
		{`[]`, FaultEmpty, ""},
		{`{}`, FaultNotList, ""},
		{`null`, FaultNotList, ""},
		{`["metric"]`, FaultNoArgs, ""},
		{`["metric", "a"]`, FaultReference, ""},
		{`["metric", 5, "mean"]`, FaultReference, ""},
		{`["metric", ["a", "mean"], ["b"]]`, FaultReference, "1"},
		{`["metric", "a", "mean", "c"]`, FaultReference, ""},
		{`["metric", []]`, FaultReference, ""},
		{`["aggregate", "mean", ["metric", 5, "mean"]]`, FaultReference, ""},
		{`["aggregate", "mean"]`, FaultOperator, "aggregate"},
		{`["aggregate", "bad", ["metric", "a", "mean"]]`, FaultOperator, "aggregate"},
		{`["aggregate", "95pct", ["metric", "a", "mean"]]`, FaultOperator, "aggregate"},
		{`["aggregate", "mean", ["metric", "a", "mean"], ["metric", "b", "mean"]]`, FaultOperator, "aggregate"},
		{`["aggregate", "mean", 5]`, FaultNoMetric, ""},
		{`["+", ["metric", "a", "mean"], ["aggregate", "mean", 5]]`, FaultOperator, "+"},
		{`["rolling", "mean", 0, ["metric", "a", "mean"]]`, FaultOperator, "rolling"},
		{`["rolling", "mean", "2.5", ["metric", "a", "mean"]]`, FaultOperator, "rolling"},
		{`["rolling", "mean", ["metric", "a", "mean"]]`, FaultOperator, "rolling"},
		{`["resample", "mean", "bad", ["metric", "a", "mean"]]`, FaultOperator, "resample"},
		{`["resample", "mean", -1, ["metric", "a", "mean"]]`, FaultOperator, "resample"},
		{`["resample", "mean", null, ["metric", "a", "mean"]]`, FaultOperator, "resample"},
		{`["resample", "var", 60, ["metric", "a", "mean"]]`, FaultOperator, "resample"},
		{`["+", 1, 2]`, FaultNoMetric, ""},
		{`["+", ["metric", "a", "mean"], "x"]`, FaultOperator, "+"},
		{`["+", ["metric", "a", "mean"], null]`, FaultOperator, "+"},
		{`["+", ["metric", "a", "mean"]]`, FaultOperator, "+"},
		{`["+", ["metric", "a", "mean"], 1, 2]`, FaultOperator, "+"},
		{`["clip", ["metric", "a", "mean"]]`, FaultOperator, "clip"},
		{`["abs", ["metric", "a", "mean"], 1]`, FaultOperator, "abs"},
		{`["abs", ["foo", ["metric", "a", "mean"]]]`, FaultOperator, "abs"},
		{`["abs", []]`, FaultOperator, "abs"},
		{`["rateofchange", 5]`, FaultNoMetric, ""},
		{`["foo", 5]`, FaultOperator, "foo"},
		{`[5, 5]`, FaultOperator, "5"},
		{`[null, 5]`, FaultOperator, "None"},
		{`[["metric", "a", "mean"], 5]`, FaultOperator, "['metric', 'a', 'mean']"},
		{`["Metric", "a", "mean"]`, FaultOperator, "Metric"},
		{`""`, FaultSyntax, "Expected '(', found end of text  (at char 0), (line:1, col:1)"},
		{`"foo (bar)"`, FaultSyntax, "Expected '(', found 'foo'  (at char 0), (line:1, col:1)"},
		{`"(metroc foo bar"`, FaultSyntax, "Expected ')', found end of text  (at char 15), (line:1, col:16)"},
		{`"(metric\n a"`, FaultSyntax, "Expected ')', found end of text  (at char 10), (line:2, col:3)"},
		{`"()"`, FaultEmpty, ""},
		{`"(metric)"`, FaultNoArgs, ""},
		{`"(metric () mean)"`, FaultReference, ""},
		{`"(metric a\"b\" mean)"`, FaultReference, ""},
		{`"(abs ((metric a mean)))"`, FaultOperator, "abs"},
	} {
		_, err := parseAny(t, tc.in)
		var e *OperationError
		if !errors.As(err, &e) || e.Fault != tc.fault || e.Fault == FaultOperator && e.Name != tc.name ||
			e.Fault == FaultSyntax && e.Detail != tc.name || e.Fault == FaultReference && e.Index != len(tc.name) {
			t.Errorf("%s: %v (%+v)", tc.in, err, e)
		}
	}
	for _, tc := range []struct{ in, pairs string }{
		{`["metric", "a", "mean"]`, "a mean"},
		{`["metric", ["a", "mean"], ["b", "max"], ["a", "mean"]]`, "a mean, b max"},
		{`["+", ["metric", "a", "mean"], true]`, "a mean"},
		{`["-", "nan", ["metric", "a", "mean"]]`, "a mean"},
		{`["rolling", "rate:mean", "2", ["metric", "a", "mean"]]`, "a mean"},
		{`["rolling", "mean", 2.7, ["metric", "a", "mean"]]`, "a mean"},
		{`["clip", ["metric", "a", "mean"], 1]`, "a mean"},
		{`["resample", "95pct", 60, ["metric", "a", "mean"]]`, "a mean"},
		{`"(metric a mean))"`, "a mean"},
		{`"  (metric a mean) junk (b"`, "a mean"},
		{`"(metric \"a b\" mean)"`, `"a b" mean`},
		{`"(metric 'a)b' mean)"`, "'a)b' mean"},
		{`"(metric a'b mean)"`, "a'b mean"},
		{`"(≤ (metric a mean)5)"`, "a mean"},
		{`"(/ (metric (a mean) (b mean)) (metric (b mean) (c\tmax)))"`, "a mean, b mean, c max"},
	} {
		op, err := parseAny(t, tc.in)
		if err != nil {
			t.Errorf("%s: %v", tc.in, err)
			continue
		}
		var got []string
		for _, p := range op.Pairs {
			got = append(got, p.Ref+" "+p.Method)
		}
		if s := strings.Join(got, ", "); s != tc.pairs {
			t.Errorf("%s: refers to %s", tc.in, s)
		}
	}
}

func parseAny(t testing.TB, in string) (*Operation, error) {
	t.Helper()
	v, err := fastjson.Parse(in)
	if err != nil {
		t.Fatalf("%s: %v", in, err)
	}
	if v.Type() == fastjson.TypeString {
		op, _, err := ParseOperationsText(string(v.GetStringBytes()), testWords)
		return op, err
	}
	return parseOps(t, in)
}

// TestParseLimits reads what is too large or too deep, which must end at once.
func TestParseLimits(t *testing.T) {
	wide := `["+"` + strings.Repeat(`, 1`, 1_000_000) + `]`
	var refs strings.Builder
	for range 60_000 {
		refs.WriteString(` (a mean)`)
	}
	for _, tc := range []struct{ in, limit string }{
		{wide, maxTermsName},
		{`["metric"` + strings.Repeat(`, ["a", "mean"]`, 60_000) + `]`, maxTermsName},
		{strings.Repeat(`["abs", `, 200) + `["metric", "a", "mean"]` + strings.Repeat(`]`, 200), maxDepthName},
		{`"` + strings.Repeat(`(abs `, 10_000) + `(metric a mean)` + strings.Repeat(`)`, 10_000) + `"`, maxDepthName},
		{`"` + strings.Repeat(`(`, 10_000) + `"`, maxDepthName},
		{`"(metric` + refs.String() + `)"`, maxTermsName},
	} {
		_, err := parseAny(t, tc.in)
		var e *LimitError
		if !errors.As(err, &e) || e.Name != tc.limit {
			t.Errorf("%.40s: %v", tc.in, err)
		}
	}
}

func TestRateOfRate(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want bool
	}{
		{`(metric a rate:mean)`, false},
		{`(aggregate rate:mean (metric a mean))`, false},
		{`(aggregate mean (metric a rate:mean))`, false},
		{`(aggregate rate:mean (metric (a mean) (b rate:mean)))`, true},
		{`(rateofchange (metric a rate:mean))`, true},
		{`(rateofchangesec (* 2 (rateofchange (metric a mean))))`, true},
		{`(resample rate:max 60 (aggregate rate:mean (metric a mean)))`, true},
		{`(rolling rate:max 2 (metric a max))`, false},
		{`(+ (rateofchange (metric a mean)) (rateofchange (metric b mean)))`, false},
	} {
		op, _, err := ParseOperationsText(tc.in, testWords)
		if err != nil {
			t.Errorf("%s: %v", tc.in, err)
		} else if got := op.RateOfRate(); got != tc.want {
			t.Errorf("%s: %v", tc.in, got)
		}
	}
}

// FuzzOperationsText reads any text, and works out what it means over a few points.
func FuzzOperationsText(f *testing.F) {
	for _, s := range []string{"", "(", "(metric a mean)", "(aggregate rate:mean (metric (a mean) (b max)))", "(rolling std 2 (metric a mean))",
		"(resample 95pct 60 (/ (metric (a mean) (b mean)) 0))", "(clip (metric a mean) (metric b mean) 3)", "(rateofchangesec (metric '(' \"a\"))",
		"(% (metric a mean) (- 3 (max 1 2)))"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		op, _, err := ParseOperationsText(s, testWords)
		if err == nil {
			runFuzzed(t, op)
		}
	})
}

// FuzzOperationsJSON is FuzzOperationsText for the form of lists.
func FuzzOperationsJSON(f *testing.F) {
	for _, s := range []string{"[]", `["metric", "a", "mean"]`, `["+", ["metric", ["a", "mean"], ["b", "mean"]], "2"]`, `["rolling", "var", 1, ["metric", "a", "mean"]]`,
		`["resample", "rate:count", 90, ["aggregate", "median", ["metric", "a", "mean"]]]`, `[["a"], true, null, {}]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := fastjson.Parse(s)
		if err != nil {
			return
		}
		term, err := TermOf(v)
		if err != nil {
			return
		}
		if op, err := ParseOperations(term, testWords); err == nil {
			runFuzzed(t, op)
		}
	})
}

// runFuzzed evaluates an operation and expects an answer whose columns fit their times.
func runFuzzed(t *testing.T, op *Operation) {
	b, ctx, cancel := Limits{Bytes: 1 << 24, Time: 10 * time.Second}.start(t.Context())
	defer cancel()
	e := evaluator{ctx: ctx, budget: b, fail: func(reason string) error { return &AggregateError{Reason: reason} }}
	e.base = grid{times: []int64{0, 60e9, 180e9, 3600e9}, width: time.Minute}
	for i := range op.Pairs {
		e.base.cols = append(e.base.cols, []float64{float64(i), 2.5, -1, 1e300})
		e.pairs = append(e.pairs, i)
	}
	g, err := e.eval(op.root)
	if err != nil {
		return
	}
	if g.scalar || len(g.cols) == 0 {
		t.Fatal("a number, or nothing")
	}
	for _, c := range g.cols {
		if len(c) != len(g.times) {
			t.Fatalf("%d values at %d times", len(c), len(g.times))
		}
	}
}
