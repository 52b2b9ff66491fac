package report

import (
	"fmt"
	"slices"
	"strings"
)

// sideBySide is a set: what every target took for it, a column each.
func (r *Report) sideBySide(set string) section {
	s := section{ID: "set-" + set, Title: "Set " + set, Lead: r.setLead(set)}
	for _, served := range []bool{false, true} {
		var targets []string
		for _, t := range r.lines.targets(set) {
			if r.lines.isServed(t) == served {
				targets = append(targets, t)
			}
		}
		if len(targets) == 0 {
			continue
		}
		title := "linked in"
		if served {
			title = "servers"
		}
		s.Charts = append(s.Charts, r.charts(set, title, targets)...)
		rows := r.lines.rows(set, targets)
		s.Tables = append(s.Tables, r.columns(set, "Set "+set+", "+title, targets, rows, false))
		if all := r.columns(set, "Set "+set+", "+title+": further figures", targets, rows, true); len(all.Rows) > 0 {
			s.Tables = append(s.Tables, all)
		}
	}
	if at := slices.IndexFunc(s.Tables, func(t table) bool { return !t.Folded }); at >= 0 {
		s.Tables[at].Note = legend
	}
	if t := r.missingOf(set); len(t.Rows) > 0 {
		s.Tables = append(s.Tables, t)
	}
	return s
}

const legend = "Best of its row is marked. A figure that is flagged with ! belongs to an answer that is not the others', and proves nothing."

// setLead tells the size of a set and its rounds.
func (r *Report) setLead(set string) string {
	samples, series, rounds := 0.0, 0.0, 0
	for _, l := range r.lines {
		if l.set == set {
			samples, series, rounds = max(samples, l.numbers["samples"]), max(series, l.numbers["series"]), max(rounds, l.round)
		}
	}
	lead := ""
	if samples > 0 {
		lead = count(samples) + " samples"
	}
	if series > 0 {
		lead += " of " + count(series) + " series"
	}
	switch {
	case rounds == 1:
		lead += ", one round"
	case rounds > 1:
		lead += fmt.Sprintf(", %d rounds", rounds)
	}
	if lead != "" {
		lead += "."
	}
	return lead
}

// circumstances are numbers that say what was done, and not at what cost.
var circumstances = []string{"samples", "series", "writers", "batch", "acknowledged", "found"}

// rows lists every figure that one of the targets has on a set, but the numbers that say what was asked.
func (ls lines) rows(set string, targets []string) (out []row) {
	seen := map[figure]bool{}
	for _, l := range ls {
		if l.set != set || !slices.Contains(targets, l.target) {
			continue
		}
		for name := range l.numbers {
			f := figure{l.phase, l.variant, name}
			if seen[f] || strings.HasSuffix(name, "_asked") || slices.Contains(circumstances, name) {
				continue
			}
			seen[f] = true
			out = append(out, rowOf(f))
		}
	}
	slices.SortFunc(out, compareRows)
	return out
}

// columns is a table of the rows that are details, or of those that are not.
func (r *Report) columns(set, title string, targets []string, rows []row, detail bool) table {
	t := table{Title: title, Folded: detail, Head: []string{"figure"}}
	for _, target := range targets {
		t.Head = append(t.Head, r.lines.name(target))
	}
	for _, row := range rows {
		if row.detail == detail {
			t.Rows = append(t.Rows, r.sides(set, targets, row))
		}
	}
	return t
}

// sides is one figure of every target.
func (r *Report) sides(set string, targets []string, f row) []cell {
	out := []cell{{f.title, plain}}
	at, top, contenders, same := -1, 0.0, 0, true
	more, ranked := directionOf(f.name)
	for i, target := range targets {
		v, ok := r.lines.value(target, set, f.figure)
		if !ok {
			out = append(out, cell{"-", absent})
			continue
		}
		c := cell{Number(v, f.unit), plain}
		switch {
		case r.unfit(target, set, f):
			c = cell{c.Text + " !", flagged}
		case target != nothing:
			contenders++
			same = same && (at < 0 || v == top)
			if at < 0 || more && v > top || !more && v < top {
				at, top = i+1, v
			}
		}
		out = append(out, c)
	}
	if ranked && contenders > 1 && !same && !(isFault(f.name) && top > 0) {
		for i, target := range targets {
			if v, ok := r.lines.value(target, set, f.figure); ok && out[i+1].Class == plain && v == top && target != nothing {
				out[i+1].Class = best
			}
		}
	}
	return out
}

// unfit tells whether a target's figure proves nothing: its answer was another, or, of bytes, it did not keep every bit.
func (r *Report) unfit(target, set string, f row) bool {
	if target == nothing {
		return false
	}
	return r.differs(target, set, f.question) || f.unit == "B" && r.lines.inexact(target, set)
}

// missingOf lists what was not run of one set.
func (r *Report) missingOf(set string) table {
	t := table{Title: "Set " + set + ": not run", Head: []string{"target", "phase", "not run: why"}}
	for _, m := range r.missing {
		if m.Set == "" || m.Set == set {
			t.Rows = append(t.Rows, cells(r.lines.name(m.Target), all(m.Phase), m.Why))
		}
	}
	return t
}
