package query

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
	"github.com/valyala/fastjson"
)

// num is a number that may be NaN or infinite.
type num float64

func (n *num) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(bytes.Trim(b, `"`)), 64)
	*n = num(f)
	return err
}

// goldenCase is a line of testdata/golden/aggregates.jsonl: see generate.py there.
type goldenCase struct {
	Refs [][2]string
	Data []struct {
		Width  int64
		Series [][2][]num
	}
	Op       json.RawMessage
	Fill     json.RawMessage
	Overlap  float64
	From, To *int64
	Answer   struct {
		Reason     string
		Aggregated *[][3]num
		Columns    [][][3]num
	}
}

// testWords are enough for operations of tests.
var testWords = Words{
	Number: func(s string) (float64, bool) { f, err := strconv.ParseFloat(s, 64); return f, err == nil },
	Timespan: func(s string) (int64, bool) {
		f, err := strconv.ParseFloat(s, 64)
		return int64(f * 1e9), err == nil
	},
}

func parseOps(t testing.TB, text string) (*Operation, error) {
	t.Helper()
	v, err := fastjson.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	term, err := TermOf(v)
	if err != nil {
		return nil, err
	}
	return ParseOperations(term, testWords)
}

// TestGolden compares with what Gnocchi's own functions answered.
func TestGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/golden/aggregates.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var c goldenCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		c.check(t, n)
	}
}

func (c *goldenCase) check(t *testing.T, line int) {
	got, err := c.run(t)
	if c.Answer.Reason != "" {
		var e *AggregateError
		if !errors.As(err, &e) || e.Reason != c.Answer.Reason {
			t.Errorf("line %d: %s: error %v, want %s", line, c.Op, err, c.Answer.Reason)
		}
		return
	}
	if err != nil {
		t.Errorf("line %d: %s: %v", line, c.Op, err)
		return
	}
	want := c.Answer.Columns
	if c.Answer.Aggregated != nil {
		want = [][][3]num{*c.Answer.Aggregated}
	}
	if got.Aggregated != (c.Answer.Aggregated != nil) || len(got.Columns) != len(want) {
		t.Errorf("line %d: %s: %d columns, aggregated %v, want %d", line, c.Op, len(got.Columns), got.Aggregated, len(want))
		return
	}
	for i, col := range got.Columns {
		var flat [][3]num
		for _, s := range col {
			for k, at := range s.Times {
				flat = append(flat, [3]num{num(at), num(s.Granularity), num(s.Values[k])})
			}
		}
		if bad := firstDifference(flat, want[i]); bad >= 0 {
			t.Errorf("line %d: %s fill %s: column %d: from point %d\n got %v\nwant %v", line, c.Op, c.Fill, i, bad, flat[min(bad, len(flat)):], want[i][min(bad, len(want[i])):])
		}
	}
}

func firstDifference(got, want [][3]num) int {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i][0] != want[i][0] || got[i][1] != want[i][1] || !sameValue(got[i][2], want[i][2]) {
			return i
		}
	}
	return -1
}

// sameValue wants the same bits, but zeros may differ in their sign: which of two zeros is the lesser depends on the machine.
func sameValue(a, b num) bool {
	return a == b || a != a && b != b
}

func (c *goldenCase) run(t *testing.T) (Aggregates, error) {
	op, err := parseOps(t, string(c.Op))
	if err != nil {
		t.Fatal(err)
	}
	q := AggregatesRequest{Operation: op, NeededOverlap: c.Overlap}
	var fill any
	json.Unmarshal(c.Fill, &fill)
	switch f := fill.(type) {
	case float64:
		q.Fill = Fill{FillValue, f}
	case string:
		var ok bool
		if q.Fill, ok = ParseFill(f); !ok {
			q.Fill = Fill{FillValue, math.NaN()}
		}
	}
	set := Set{To: math.MaxInt64, OpenFrom: c.From == nil, OpenTo: c.To == nil}
	if c.From != nil {
		set.From = *c.From * 1e9
	}
	if c.To != nil {
		set.To = *c.To * 1e9
	}
	j := job{q: &q, set: &set}
	for i, ref := range c.Refs {
		m, _ := rollup.ParseMethod(ref[1])
		rd := &reading{methods: []rollup.Method{m}, to: math.MaxInt64}
		for _, d := range c.Data {
			var p engine.Points
			for k, at := range d.Series[i][0] {
				p.Times = append(p.Times, int64(at)*1e9)
				p.Values = append(p.Values, float64(d.Series[i][1][k]))
			}
			rd.widths = append(rd.widths, time.Duration(d.Width)*time.Second)
			rd.points = append(rd.points, []engine.Points{p})
		}
		pair := -1
		for k, p := range op.Pairs {
			if p.Ref == ref[0] {
				pair = k
			}
		}
		set.Columns = append(set.Columns, Column{Metric: engine.Ref(i), Pair: pair})
		j.widths, j.methods, j.reads = rd.widths, append(j.methods, m), append(j.reads, rd)
	}
	b, ctx, cancel := Limits{}.start(t.Context())
	defer cancel()
	return j.run(ctx, b)
}
