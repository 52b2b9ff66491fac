package query

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
)

// GroupsRequest chooses resources by a filter and puts them into groups whose values in some fields are equal, for an
// operation that names metrics by patterns of their names.
type GroupsRequest struct {
	Filter    *index.Filter // nil: all
	By        []string      // fields and attributes; none: everything is one group
	Limit     int           // only so many resources take part, the first of the order; 0: all
	Operation *Operation
	Limits    Limits
}

// Group is the resources of a group and the series of theirs that the operation refers to.
type Group struct {
	Values    []index.Value // of the fields, in the order of GroupsRequest.By
	Resources []engine.ResourceRow
	Columns   []Column
	Of        []int // of each column, the index of its resource
}

// Groups returns the groups in the order of their values, which is ascending with null last. Resources are in the order of their ids in
// groups by something, else in that in which they became what they are. Without By there is always one group, perhaps empty. Errors:
// LimitError, those of engine.DB.EachResource.
func Groups(ctx context.Context, db *engine.DB, q GroupsRequest) ([]Group, error) {
	b, ctx, cancel := q.Limits.start(ctx)
	defer cancel()
	var rows []groupRow
	err := db.EachResource(ctx, engine.Query{Filter: q.Filter}, func(r engine.ResourceRow) error {
		rows = append(rows, newGroupRow(r, q.By))
		return b.series(len(rows))
	})
	if err != nil {
		return nil, causeOf(ctx, err)
	}
	slices.SortFunc(rows, compareRows)
	if q.Limit > 0 && len(rows) > q.Limit {
		rows = rows[:q.Limit]
	}
	f := finder{db: db, op: q.Operation}
	var groups []Group
	if len(q.By) == 0 {
		groups = []Group{{}}
	}
	for _, r := range rows {
		if len(q.By) > 0 && (len(groups) == 0 || !slices.Equal(groups[len(groups)-1].Values, r.values)) {
			groups = append(groups, Group{Values: r.values})
		}
		g := &groups[len(groups)-1]
		g.Resources = append(g.Resources, r.row)
		if g.Columns, err = f.appendColumns(g.Columns, r.row); err != nil {
			return nil, err
		}
		for len(g.Of) < len(g.Columns) {
			g.Of = append(g.Of, len(g.Resources)-1)
		}
	}
	return groups, nil
}

// groupRow is a resource with what it is ordered by.
type groupRow struct {
	row    engine.ResourceRow
	r      *engine.Resource
	values []index.Value
}

func newGroupRow(row engine.ResourceRow, by []string) groupRow {
	g := groupRow{row: row, r: row.Resource()}
	if len(by) > 0 {
		g.values = make([]index.Value, len(by))
		for i, field := range by {
			g.values[i] = row.Value(field)
		}
	}
	return g
}

func compareRows(a, b groupRow) int {
	for i := range a.values {
		if c := compareNullLast(a.values[i], b.values[i]); c != 0 {
			return c
		}
	}
	if len(a.values) == 0 {
		if c := cmp.Or(a.r.RevisionStart.Compare(b.r.RevisionStart), a.r.StartedAt.Compare(b.r.StartedAt)); c != 0 {
			return c
		}
	}
	return slices.Compare(a.r.ID[:], b.r.ID[:])
}

func compareNullLast(a, b index.Value) int {
	if null := (index.Value{}); a == null || b == null {
		return cmp.Compare(truth(a == null), truth(b == null))
	}
	return index.Compare(a, b)
}

// finder finds the series that an operation refers to.
type finder struct {
	db       *engine.DB
	op       *Operation
	policies map[string]*engine.ArchivePolicy
}

// appendColumns appends the series of a resource: pair by pair, metrics in the order of their creation.
func (f *finder) appendColumns(dst []Column, row engine.ResourceRow) ([]Column, error) {
	for i, p := range f.op.Pairs {
		if !strings.ContainsAny(p.Ref, "*?[") {
			if m, ok := row.Metric(p.Ref); ok {
				col, err := f.column(p.Ref, m, i)
				if err != nil {
					return dst, err
				}
				dst = append(dst, col)
			}
			continue
		}
		from := len(dst)
		for name, m := range row.Metrics() {
			if !engine.MatchPattern(p.Ref, name) {
				continue
			}
			col, err := f.column(name, m, i)
			if err != nil {
				return dst, err
			}
			dst = append(dst, col)
		}
		slices.SortFunc(dst[from:], func(a, b Column) int { return cmp.Compare(a.Metric, b.Metric) })
	}
	return dst, nil
}

func (f *finder) column(name string, ref engine.MetricRef, pair int) (Column, error) {
	col := Column{Metric: ref.Ref, Name: name, Pair: pair}
	m, err := f.db.MetricByRef(ref.Ref)
	if err != nil {
		return col, err
	}
	if col.Policy = f.policies[m.Policy]; col.Policy == nil {
		p, err := f.db.ArchivePolicy(m.Policy)
		if err != nil {
			return col, err
		}
		if f.policies == nil {
			f.policies = make(map[string]*engine.ArchivePolicy)
		}
		col.Policy = &p
		f.policies[m.Policy] = &p
	}
	return col, nil
}
