package query

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

// site is a database of resources r0 to r5 of projects a and b, with metrics cpu and, those of project b, ram, of two
// granularities. At minute k, cpu of resource i is 10 i + k.
type site struct {
	t   *testing.T
	db  *engine.DB
	now time.Time
}

func openSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, now: time.Date(2015, 3, 6, 15, 0, 0, 0, time.UTC)}
	db, err := engine.Open("db", &engine.Options{FS: vfs.NewMem(), Now: func() time.Time { return s.now }})
	if err != nil {
		t.Fatal(err)
	}
	s.db = db
	t.Cleanup(func() { db.Close() })
	var b engine.Batch
	s.update(func(tx *engine.Tx) error {
		if err := tx.CreateArchivePolicy(engine.ArchivePolicy{Name: "p", Definition: []engine.Granularity{{Width: time.Minute}, {Width: time.Hour}},
			Methods: []rollup.Method{rollup.Mean, rollup.Max}}); err != nil {
			return err
		}
		for i := range 6 {
			id, project := engine.UUID{15: byte(i)}, "ab"[i%2:i%2+1]
			r := engine.Resource{ID: id, OriginalID: fmt.Sprint("r", i), Type: "generic", ProjectID: &project}
			if err := tx.CreateResource(&r); err != nil {
				return err
			}
			for _, name := range []string{"cpu", "ram"}[:1+i%2] {
				m, err := tx.CreateMetric(engine.Metric{Name: &name, Policy: "p", Resource: &id})
				if err != nil {
					return err
				}
				for k := range 5 {
					b.Add(m.Ref, at(14, k, 0), float64(10*i+k))
				}
			}
		}
		return nil
	})
	if _, err := db.Append(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) update(fn func(tx *engine.Tx) error) {
	s.t.Helper()
	if err := s.db.Update(s.t.Context(), fn); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) operation(text string) *Operation {
	s.t.Helper()
	op, _, err := ParseOperationsText(text, testWords)
	if err != nil {
		s.t.Fatal(err)
	}
	return op
}

func project(name string) *index.Filter {
	return &index.Filter{Op: index.Eq, Field: "project_id", Value: index.Value{Kind: index.Bytes, Str: name}}
}

// groups asks for groups and what an operation makes of them, at one minute.
func (s *site) groups(op string, f *index.Filter, by ...string) ([]Group, []Aggregates, error) {
	s.t.Helper()
	q := AggregatesRequest{Operation: s.operation(op), Granularity: time.Minute, Fill: Fill{Mode: FillDrop}}
	groups, err := Groups(s.t.Context(), s.db, GroupsRequest{Filter: f, By: by, Operation: q.Operation})
	if err != nil {
		return nil, nil, err
	}
	groups = slices.DeleteFunc(groups, func(g Group) bool { return len(g.Columns) == 0 })
	for _, g := range groups {
		q.Sets = append(q.Sets, Set{Columns: g.Columns, To: math.MaxInt64})
	}
	all, err := Aggregate(s.t.Context(), s.db, q)
	return groups, all, err
}

// TestGroups looks at the first point of each group.
func TestGroups(t *testing.T) {
	s := openSite(t)
	for _, tc := range []struct {
		op   string
		f    *index.Filter
		by   []string
		want string
	}{
		{"(aggregate mean (metric cpu mean))", nil, nil, "[]:25 of 6"},
		{"(aggregate mean (metric cpu mean))", project("b"), nil, "[]:30 of 3"},
		{"(aggregate sum (metric cpu mean))", nil, []string{"project_id"}, "[a]:60 of 3, [b]:90 of 3"},
		{"(aggregate max (metric * max))", project("b"), []string{"project_id"}, "[b]:50 of 6"},
		{"(aggregate count (metric [rx]?m mean))", nil, []string{"project_id", "original_resource_id"},
			"[b r1]:1 of 1, [b r3]:1 of 1, [b r5]:1 of 1"},
		{"(metric cpu mean)", project("a"), nil, "[]:0 of 3"},
		{"(aggregate sum (metric (cpu mean) (c* max)))", project("a"), nil, "[]:120 of 6"},
	} {
		groups, all, err := s.groups(tc.op, tc.f, tc.by...)
		if err != nil {
			t.Errorf("%s: %v", tc.op, err)
			continue
		}
		var got []string
		for i, g := range groups {
			var values []string
			for _, v := range g.Values {
				values = append(values, v.Str)
			}
			if len(g.Of) != len(g.Columns) {
				t.Errorf("%s: %d columns of %d resources", tc.op, len(g.Columns), len(g.Of))
			}
			got = append(got, fmt.Sprintf("%v:%v of %d", values, all[i].Columns[0][0].Values[0], len(g.Columns)))
		}
		if s := strings.Join(got, ", "); s != tc.want {
			t.Errorf("%s of %v: %s, want %s", tc.op, tc.by, s, tc.want)
		}
	}
}

func TestGroupsLimit(t *testing.T) {
	s := openSite(t)
	groups, err := Groups(t.Context(), s.db, GroupsRequest{By: []string{"project_id"}, Limit: 4, Operation: s.operation("(metric cpu mean)")})
	if err != nil || len(groups) != 2 || len(groups[0].Resources) != 3 || len(groups[1].Resources) != 1 {
		t.Errorf("%v %v", groups, err)
	}
}

// TestLimits sets each limit below what a request needs, and right there.
func TestLimits(t *testing.T) {
	s := openSite(t)
	op := s.operation("(aggregate mean (metric cpu mean))")
	groups, err := Groups(t.Context(), s.db, GroupsRequest{Operation: op})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		limits Limits
		name   string
	}{
		{Limits{}, ""},
		{Limits{Series: 5}, "query series"},
		{Limits{Series: 6}, ""},
		{Limits{Points: 35}, "query points"}, // six times five minutes and an hour
		{Limits{Points: 36}, ""},
		{Limits{Bytes: 500}, "query memory"},
		{Limits{Time: 1}, "query time"},
		{Limits{Series: -1, Points: -1, Bytes: -1, Time: -1}, ""},
	} {
		_, err := Aggregate(t.Context(), s.db, AggregatesRequest{Operation: op, Sets: []Set{{Columns: groups[0].Columns, To: math.MaxInt64}},
			Fill: Fill{Mode: FillDrop}, Limits: tc.limits})
		var e *LimitError
		if tc.name == "" && err != nil || tc.name != "" && (!errors.As(err, &e) || e.Name != tc.name || !strings.Contains(err.Error(), tc.name)) {
			t.Errorf("%+v: %v", tc.limits, err)
		}
	}
	if _, err := Groups(t.Context(), s.db, GroupsRequest{Operation: op, Limits: Limits{Series: 5}}); err == nil {
		t.Error("more resources than the limit of series")
	}
}

func TestCancel(t *testing.T) {
	s := openSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	op := s.operation("(aggregate mean (metric cpu mean))")
	groups, err := Groups(t.Context(), s.db, GroupsRequest{Operation: op})
	if err != nil {
		t.Fatal(err)
	}
	sets := []Set{{Columns: groups[0].Columns, To: math.MaxInt64}}
	if _, err := Aggregate(ctx, s.db, AggregatesRequest{Operation: op, Sets: sets}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := Several(ctx, s.db, SeveralRequest{Series: []SeriesRequest{{groups[0].Columns[0].Metric, rollup.Mean, []time.Duration{time.Minute}}},
		To: math.MaxInt64}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestHistory moves a resource from project a to b at 14:02:30 and asks who used how much.
func TestHistory(t *testing.T) {
	s := openSite(t)
	id, a, b := engine.UUID{15: 9}, "a", "b"
	name := "cpu"
	var m engine.Metric
	var r engine.Resource
	s.now = time.Date(2015, 3, 6, 16, 0, 0, 0, time.UTC)
	s.update(func(tx *engine.Tx) (err error) {
		r = engine.Resource{ID: id, OriginalID: "r", Type: "generic", ProjectID: &a}
		if err = tx.CreateResource(&r); err == nil {
			m, err = tx.CreateMetric(engine.Metric{Name: &name, Policy: "p", Resource: &id})
		}
		return err
	})
	s.now = time.Date(2015, 3, 6, 17, 2, 30, 0, time.UTC)
	s.update(func(tx *engine.Tx) error {
		now, err := tx.Resource(id)
		if err == nil {
			now.ProjectID, now.RevisionStart = &b, time.Time{}
			err = tx.UpdateResource(now)
		}
		return err
	})
	var batch engine.Batch
	for k := range 5 {
		batch.Add(m.Ref, at(17, k, 0), 100)
	}
	if _, err := s.db.Append(t.Context(), &batch); err != nil {
		t.Fatal(err)
	}
	text := func(_ string, v index.Value) string { return v.Str }
	one := &index.Filter{Op: index.Eq, Field: "id", Value: index.Value{Kind: index.Bytes, Str: string(id[:])}}
	for _, tc := range []struct {
		from, to int64
		want     string
	}{
		{0, math.MaxInt64, "a: 100 100 50, b: 50 100 100"},
		{at(17, 1, 30), at(17, 4, 15), "a: 50 50, b: 50 100 25"},
		{at(17, 3, 0), at(17, 4, 0), "b: 100"},
		{at(16, 0, 0), at(17, 1, 0), "a: 100"},
	} {
		q := HistoryRequest{Filter: one, By: []string{"project_id"}, From: tc.from, To: tc.to, OpenFrom: tc.from == 0,
			OpenTo: tc.to == math.MaxInt64, Text: text}
		q.Operation, q.Granularity, q.Fill.Mode = s.operation("(aggregate sum (metric cpu mean))"), time.Minute, FillDrop
		groups, err := History(t.Context(), s.db, q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, g := range groups {
			got = append(got, g.Values[0].Str+": "+strings.Trim(fmt.Sprint(g.Series[0].Values), "[]"))
		}
		if s := strings.Join(got, ", "); s != tc.want {
			t.Errorf("from %d to %d: %s, want %s", tc.from, tc.to, s, tc.want)
		}
	}
}

func TestRank(t *testing.T) {
	series := func(vs ...float64) []Series {
		return []Series{{Points: engine.Points{Times: make([]int64, len(vs)), Values: vs}}}
	}
	results := [][]Series{series(1, 5), series(), series(4, 4), series(9, -9), nil, series(4, 4)}
	for _, tc := range []struct {
		by    string
		limit int
		want  []int
	}{
		{"mean", 0, []int{2, 5, 0, 3, 1, 4}},
		{"max:asc", 0, []int{2, 5, 0, 3, 1, 4}},
		{"last:desc", 2, []int{0, 2}},
		{"first:asc", 1, []int{0}},
		{"count", 0, []int{0, 2, 3, 5, 1, 4}},
		{"sum:asc", 10, []int{3, 0, 2, 5, 1, 4}},
	} {
		r, ok := ParseRank(tc.by)
		if got := r.Order(results, tc.limit); !ok || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v", tc.by, got)
		}
	}
	for _, s := range []string{"", "mean:", "mean:up", "rate:mean", "95pct", ":asc", "first:asc:"} {
		if _, ok := ParseRank(s); ok {
			t.Errorf("%q is read", s)
		}
	}
}
