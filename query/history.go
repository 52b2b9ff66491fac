package query

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

// HistoryRequest asks for an operation over each state that resources were in, as long as they were in it, and for the sums of
// groups of states. The operation must aggregate.
type HistoryRequest struct {
	AggregatesRequest               // without Sets
	Filter            *index.Filter // looks at each state's own values; nil: all
	By                []string      // fields and attributes of states
	From, To          int64         // as in Set
	OpenFrom, OpenTo  bool
	Text              func(field string, v index.Value) string // of a field's value that is not null: groups are in its order
}

// HistoryGroup is what the states of a group gave.
type HistoryGroup struct {
	Values []index.Value
	States []HistoryState
	Series []Series // the coarsest granularity first
}

// HistoryState is a state of a resource and the time it was looked at in. A bound that is not known is 0 or math.MaxInt64.
type HistoryState struct {
	Row      engine.ResourceRow
	From, To int64
}

// History answers a HistoryRequest. Groups that gave no point are left out. A state's points are scaled by the part of their periods that the state
// lasted. Errors: those of Aggregate and Groups; FaultSeries also where the operation does not aggregate.
func History(ctx context.Context, db *engine.DB, q HistoryRequest) ([]HistoryGroup, error) {
	groups, err := q.groups(ctx, db)
	if err != nil {
		return nil, err
	}
	f := finder{db: db, op: q.Operation}
	q.Sets = nil
	for i := range groups {
		g := &groups[i]
		kept := g.States[:0]
		for _, s := range g.States {
			cols, err := f.appendColumns(nil, s.Row)
			if err != nil {
				return nil, err
			}
			if len(cols) > 0 {
				q.Sets = append(q.Sets, Set{Columns: cols, From: s.From, To: s.To, OpenFrom: s.From == 0 && q.OpenFrom,
					OpenTo: s.To == math.MaxInt64})
				kept = append(kept, s)
			}
		}
		g.States = kept
	}
	all, err := Aggregate(ctx, db, q.AggregatesRequest)
	if err != nil {
		return nil, err
	}
	out := groups[:0]
	for _, g := range groups {
		for i, s := range g.States {
			if !all[i].Aggregated {
				return nil, &AggregateError{Reason: "With use_history the operation must aggregate"}
			}
			for _, series := range all[i].Columns[0] {
				g.add(scaled(series, s))
			}
		}
		all = all[len(g.States):]
		if slices.ContainsFunc(g.Series, func(s Series) bool { return len(s.Times) > 0 }) {
			slices.SortStableFunc(g.Series, func(a, b Series) int { return cmp.Compare(b.Granularity, a.Granularity) })
			out = append(out, g)
		}
	}
	return out, nil
}

// groups finds the states, with the time each is looked at in.
func (q *HistoryRequest) groups(ctx context.Context, db *engine.DB) ([]HistoryGroup, error) {
	b, ctx, cancel := q.Limits.start(ctx)
	defer cancel()
	var rows []groupRow
	err := db.EachResource(ctx, engine.Query{Filter: q.Filter, History: true}, func(row engine.ResourceRow) error {
		if g := newGroupRow(row, q.By); q.takes(g.r) {
			rows = append(rows, g)
		}
		return b.series(len(rows))
	})
	if err != nil {
		return nil, causeOf(ctx, err)
	}
	slices.SortFunc(rows, func(a, b groupRow) int {
		return cmp.Or(strings.Compare(a.r.OriginalID, b.r.OriginalID), slices.Compare(a.r.ID[:], b.r.ID[:]),
			a.r.RevisionStart.Compare(b.r.RevisionStart))
	})
	states := make([]HistoryState, len(rows))
	order := make([]int, len(rows))
	texts := make([][]string, len(rows))
	for i := range rows {
		first := i == 0 || rows[i].r.ID != rows[i-1].r.ID
		states[i] = q.state(rows[i], first)
		order[i] = i
		for k, v := range rows[i].values {
			s := ""
			if v != (index.Value{}) {
				s = q.Text(q.By[k], v)
			}
			texts[i] = append(texts[i], s)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(texts[a], texts[b]) })
	var groups []HistoryGroup
	for _, i := range order {
		if len(groups) == 0 || !slices.Equal(groups[len(groups)-1].Values, rows[i].values) {
			groups = append(groups, HistoryGroup{Values: rows[i].values})
		}
		g := &groups[len(groups)-1]
		g.States = joinState(g.States, states[i])
	}
	return groups, nil
}

// takes tells whether a state overlaps the time asked for, if that has two ends.
func (q *HistoryRequest) takes(r *engine.Resource) bool {
	if q.OpenFrom || q.OpenTo {
		return true
	}
	return nanosOf(r.RevisionStart) < q.To && (r.RevisionEnd == nil || nanosOf(*r.RevisionEnd) >= q.From)
}

func nanosOf(t time.Time) int64 { return t.UnixNano() }

// state gives the time in which a state is looked at. The first one of a resource has been so since ever.
func (q *HistoryRequest) state(row groupRow, first bool) HistoryState {
	s := HistoryState{Row: row.row, From: q.From, To: q.To}
	if !first {
		s.From = max(nanosOf(row.r.RevisionStart), q.From)
	}
	if row.r.RevisionEnd != nil {
		s.To = min(nanosOf(*row.r.RevisionEnd), q.To)
	}
	return s
}

// joinState appends a state to those of a group; if it begins when the one before of the same resource did, that one goes on instead.
func joinState(states []HistoryState, s HistoryState) []HistoryState {
	if n := len(states); n > 0 {
		last := &states[n-1]
		if last.From == s.From && last.Row.Resource().ID == s.Row.Resource().ID {
			last.To = s.To
			return states
		}
	}
	return append(states, s)
}

// scaled multiplies each point by the part of its period that lies in the time of the state.
func scaled(s Series, in HistoryState) Series {
	width := int64(s.Granularity)
	values := make([]float64, len(s.Values))
	for i, t := range s.Times {
		begin, end := max(in.From, t), t+width
		if in.To < end {
			end = in.To
		}
		values[i] = s.Values[i] * (float64(end-begin) / float64(width))
	}
	s.Values = values
	return s
}

// add adds points to those of the same granularity and time.
func (g *HistoryGroup) add(s Series) {
	for i := range g.Series {
		if have := &g.Series[i]; have.Granularity == s.Granularity {
			have.Points = summed(have.Points, s.Points)
			return
		}
	}
	g.Series = append(g.Series, s)
}

// summed merges two columns; points of one time are added up.
func summed(a, b engine.Points) engine.Points {
	n := len(a.Times) + len(b.Times)
	out := engine.Points{Times: make([]int64, 0, n), Values: make([]float64, 0, n)}
	for len(a.Times) > 0 || len(b.Times) > 0 {
		var t int64
		var v float64
		switch {
		case len(b.Times) == 0 || len(a.Times) > 0 && a.Times[0] < b.Times[0]:
			t, v = a.Times[0], a.Values[0]
			a.Times, a.Values = a.Times[1:], a.Values[1:]
		case len(a.Times) == 0 || b.Times[0] < a.Times[0]:
			t, v = b.Times[0], b.Values[0]
			b.Times, b.Values = b.Times[1:], b.Values[1:]
		default:
			t, v = a.Times[0], b.Values[0]+a.Values[0]
			a.Times, a.Values = a.Times[1:], a.Values[1:]
			b.Times, b.Values = b.Times[1:], b.Values[1:]
		}
		out.Times, out.Values = append(out.Times, t), append(out.Values, v)
	}
	return out
}
