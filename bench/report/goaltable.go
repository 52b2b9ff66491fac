package report

import (
	"fmt"
	"slices"

	pretty "github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/results"
)

var goalHead = []string{"what", "peer", "theirs", "goal", "ours", "better by", "met", "stretch", "notes"}

// GoalTable sets figures beside their goals: whose figure the peer's is and whether it was measured in this run, what was asked, ours, by what
// factor ours is better than the peer's, and whether the goal is met.
func GoalTable(goals []results.Goal) pretty.Writer {
	t := table{Head: goalHead}
	for _, g := range goals {
		t.Rows = append(t.Rows, (&judged{Goal: g}).cells())
	}
	return t.pretty(terminalMarks)
}

func (j *judged) cells() []cell {
	mine, verdict := cell{Number(j.Value, j.Unit), plain}, text(j.verdict())
	note := j.Note
	if j.why != "" {
		note = "not judged: " + j.why
		if j.Value == 0 {
			mine = text("-")
		}
	}
	switch verdict.Text {
	case "yes":
		verdict.Class = reached
	case "NO":
		verdict.Class = missed
	}
	return []cell{text(j.What), text(peerOf(&j.Goal)), text(optional(j.PeerIs, j.Unit)), text(j.limit()), mine, text(advantage(j)), verdict, j.stretch(),
		text(note)}
}

// peerOf names whose figure is compared with.
func peerOf(g *results.Goal) string {
	switch {
	case g.Peer == "":
		return "-"
	case g.Recorded:
		return g.Peer + ", recorded"
	}
	return g.Peer + ", this run"
}

func optional(v *float64, unit string) string {
	if v == nil {
		return "-"
	}
	return Number(*v, unit)
}

func limitOf(g *results.Goal, limit *float64) string {
	switch {
	case limit == nil:
		return "-"
	case g.AtLeast:
		return "≥ " + Number(*limit, g.Unit)
	}
	return "≤ " + Number(*limit, g.Unit)
}

// limit writes what is asked; a part of an unknown figure as such a part.
func (j *judged) limit() string {
	if j.Limit == nil && j.ask != "" {
		return j.ask
	}
	return limitOf(&j.Goal, j.Limit)
}

func (j *judged) stretch() cell {
	further := *j
	further.Limit = j.Stretch
	switch further.verdict() {
	case "yes":
		return cell{limitOf(&j.Goal, j.Stretch) + ": yes", reached}
	case "NO":
		return cell{limitOf(&j.Goal, j.Stretch) + ": no", plain}
	}
	return text("-")
}

// better is how many times as good as the peer's ours is; 0: unknown.
func (j *judged) better() float64 {
	switch {
	case j.why != "" || j.PeerIs == nil || *j.PeerIs <= 0 || j.Value <= 0:
		return 0
	case j.AtLeast:
		return j.Value / *j.PeerIs
	}
	return *j.PeerIs / j.Value
}

func advantage(j *judged) string {
	b := j.better()
	if b == 0 {
		return "-"
	}
	return digits(round3(b)) + "×"
}

// standing counts the goals of a section.
type standing struct {
	section            string
	met, asked, waived int // waived: not judged
}

func standings(all []judged) (out []standing) {
	for _, j := range all {
		at := slices.IndexFunc(out, func(s standing) bool { return s.section == j.Section })
		if at < 0 {
			at = len(out)
			out = append(out, standing{section: j.Section})
		}
		_, has := j.Met()
		switch {
		case j.why != "":
			out[at].waived++
		case has:
			out[at].asked++
			if j.verdict() == "yes" {
				out[at].met++
			}
		}
	}
	return out
}

// title names the section and, if something is asked, says how much of it is met.
func (s standing) title() string {
	if s.asked+s.waived == 0 {
		return s.section
	}
	out := fmt.Sprintf("%s: %d of %d met", s.section, s.met, s.asked)
	if s.waived > 0 {
		out += fmt.Sprintf(", %d not judged", s.waived)
	}
	return out
}

// goalSections are the goals, a table for each of their sections.
func (r *Report) goalSections() (out []section) {
	goals := r.allGoals()
	if len(goals) == 0 {
		return nil
	}
	s := section{ID: "goals", Title: "Goals",
		Lead: "\"Better by\" is how many times as good as the peer's our figure is; below 1 the peer is ahead. Bounds are of figures, not of ratios rounded."}
	for _, standing := range standings(goals) {
		t := table{Title: standing.title(), Head: goalHead}
		for _, j := range goals {
			if j.Section == standing.section {
				t.Rows = append(t.Rows, j.cells())
			}
		}
		s.Tables = append(s.Tables, t)
	}
	return []section{s}
}
