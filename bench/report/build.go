package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Build makes the sections that every form of the report shows, in their order.
func (r *Report) build() page {
	p := page{Title: "tsdb beside the others"}
	p.Sections = append(p.Sections, r.headline(), r.machine())
	for _, set := range r.lines.sets() {
		p.Sections = append(p.Sections, r.sideBySide(set))
	}
	if s, any := r.missingSection(); any {
		p.Sections = append(p.Sections, s)
	}
	p.Sections = append(p.Sections, r.goalSections()...)
	if s, any := r.growthSection(); any {
		p.Sections = append(p.Sections, s)
	}
	return page{p.Title, append(p.Sections, r.notes())}
}

// facts are the names of machine facts, in the order of rows; others follow.
var facts = []string{"processor", "cores", "memory", "disk", "system", "kernel", "Go", "commit"}

// machine tells where and how the runs were made.
func (r *Report) machine() section {
	s := section{ID: "machine", Title: "Machine, versions, command"}
	for i, run := range r.runs {
		t := table{Head: []string{"run", run.Started.UTC().Format("2006-01-02 15:04 UTC")}}
		if run.Started.Equal(time.Time{}) {
			t.Head[1] = fmt.Sprint("number ", i+1)
		}
		var names []string
		for name := range run.Machine {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int {
			if d := factOrder(a) - factOrder(b); d != 0 {
				return d
			}
			return strings.Compare(a, b)
		})
		for _, name := range names {
			t.Rows = append(t.Rows, cells(name, run.Machine[name]))
		}
		if run.Command != "" {
			t.Rows = append(t.Rows, cells("to repeat it", run.Command))
		}
		s.Tables = append(s.Tables, t)
	}
	if len(r.runs) == 0 {
		s.Lead = "The files tell nothing about the machine: they hold figures without a run."
	}
	if versions := r.versions(); len(versions) > 0 {
		t := table{Head: []string{"target", "version"}}
		for _, v := range versions {
			t.Rows = append(t.Rows, cells(v[0], v[1]))
		}
		s.Tables = append(s.Tables, t)
	}
	return s
}

func factOrder(name string) int {
	if at := slices.Index(facts, name); at >= 0 {
		return at
	}
	return len(facts)
}

// missingSection lists what was not measured.
func (r *Report) missingSection() (s section, any bool) {
	s = section{ID: "missing", Title: "Not run"}
	t := table{Head: []string{"target", "set", "phase", "not run: why"}}
	for _, m := range r.missing {
		name := m.Target
		if place(m.Target) < len(known) {
			name = r.lines.name(m.Target)
		}
		t.Rows = append(t.Rows, cells(name, all(m.Set), all(m.Phase), m.Why))
	}
	s.Tables = []table{t}
	return s, len(r.missing) > 0
}

func all(s string) string {
	if s == "" {
		return "all"
	}
	return s
}

// notes say how to read the figures, and what is wrong with them.
func (r *Report) notes() section {
	s := section{ID: "notes", Title: "Notes"}
	s.Notes = append(s.Notes, r.disagreements()...)
	for _, d := range r.damaged {
		s.Notes = append(s.Notes, "A file of results is damaged, what came before the damage counts: "+d)
	}
	for _, target := range r.lines.targets("") {
		switch {
		case r.lines.standIn(target):
			s.Notes = append(s.Notes, "FerretDB was asked in MongoDB's place, which shows that the plumbing works. Its figures are left out: they are not MongoDB's.")
		case target == nothing:
			s.Notes = append(s.Notes, `"`+r.lines.name(nothing)+`" drops every sample and answers nothing: what it takes is what the program itself costs.`)
		}
	}
	for _, set := range r.lines.sets() {
		for _, target := range r.lines.targets(set) {
			if r.lines.inexact(target, set) && target != nothing {
				where := "linked in"
				if r.lines.isServed(target) {
					where = "as a server"
				}
				s.Notes = append(s.Notes, fmt.Sprintf("%s: %s, %s, does not give back every bit; its bytes are not comparable and never the best.", set,
					r.lines.name(target), where))
			}
		}
	}
	s.Notes = append(s.Notes,
		"Of several rounds the best counts: disturbance only ever adds time and takes rate. Of losses and faults the worst counts.",
		"Stores that are linked into a process are compared with each other, and servers with servers: what goes through a socket pays for it.",
		"A peer's figure that is called recorded is of another day and of a machine of the same kind; it is no measurement of this run.")
	return s
}
