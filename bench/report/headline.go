package report

import (
	"fmt"
	"slices"
	"strings"
)

const (
	telling    = 8 // tiles
	perSection = 2 // of them
)

// headline says how many goals are met, what is ahead most and what is behind.
func (r *Report) headline() section {
	s := section{ID: "headline", Title: "Headline"}
	goals := r.allGoals()
	t := table{Head: []string{"goals", "met", "asked", "not judged", "stretch goals met"}}
	met, asked := 0, 0
	for _, one := range standings(goals) {
		if one.asked+one.waived == 0 {
			continue // figures that nothing is asked of
		}
		met, asked = met+one.met, asked+one.asked
		c := cell{fmt.Sprint(one.met), reached}
		if one.met < one.asked {
			c.Class = missed
		}
		t.Rows = append(t.Rows, []cell{text(one.section), c, text(fmt.Sprint(one.asked)), text(fmt.Sprint(one.waived)), text(stretched(goals, one.section))})
	}
	if len(goals) > 0 {
		s.Lead = fmt.Sprintf("%d of %d goals are met.", met, asked)
		s.Tables = append(s.Tables, t)
	}
	s.Tiles = tiles(goals)
	if behind := unmet(goals); len(behind.Rows) > 0 {
		s.Tables = append(s.Tables, behind)
	}
	if n := len(r.disagreements()); n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("Answers that differ between targets: %d. They are flagged, and listed in the notes.", n))
	}
	return s
}

func stretched(goals []judged, section string) string {
	yes, all := 0, 0
	for _, j := range goals {
		if j.Section == section && j.Stretch != nil && j.why == "" {
			all++
			if strings.HasSuffix(j.stretch().Text, "yes") {
				yes++
			}
		}
	}
	if all == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d", yes, all)
}

// tiles are the largest advantages, of each section but a few, so that one section does not take them all.
func tiles(goals []judged) (out []tile) {
	var pick []judged
	for _, one := range standings(goals) {
		of := slices.Collect(func(yield func(judged) bool) {
			for _, j := range goals {
				if j.Section == one.section && j.better() > 1 && !yield(j) {
					return
				}
			}
		})
		slices.SortStableFunc(of, func(a, b judged) int { return int(sign(b.better() - a.better())) })
		pick = append(pick, of[:min(len(of), perSection)]...)
	}
	for _, j := range pick[:min(len(pick), telling)] {
		out = append(out, tile{Figure: advantage(&j), What: j.What, Class: "ahead",
			Note: fmt.Sprintf("%s against %s of %s", Number(j.Value, j.Unit), optional(j.PeerIs, j.Unit), peerOf(&j.Goal))})
	}
	return out
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// short is by what factor a goal is missed.
func (j *judged) short() float64 {
	switch {
	case j.Limit == nil || *j.Limit <= 0 || j.Value <= 0:
		return 0
	case j.AtLeast:
		return *j.Limit / j.Value
	}
	return j.Value / *j.Limit
}

// unmet lists the goals that are missed, the furthest first.
func unmet(goals []judged) table {
	t := table{Title: "Goals that are not met", Head: []string{"section", "what", "goal", "ours", "short by"}}
	missing := slices.DeleteFunc(slices.Clone(goals), func(j judged) bool { return j.verdict() != "NO" })
	slices.SortStableFunc(missing, func(a, b judged) int { return int(sign(b.short() - a.short())) })
	for _, j := range missing {
		short := "-"
		if f := j.short(); f > 0 {
			short = digits(round3(f)) + "×"
		}
		t.Rows = append(t.Rows, []cell{text(j.Section), text(withPeer(&j)), text(j.limit()), text(Number(j.Value, j.Unit)), {short, missed}})
	}
	return t
}

// withPeer names a goal so that goals about several peers are told apart.
func withPeer(j *judged) string {
	if j.Peer == "" {
		return j.What
	}
	return j.What + " (" + peerOf(&j.Goal) + ")"
}
