package goals

import (
	"strings"

	"github.com/telemetrydb/tsdb/bench/results"
)

// Sheet collects the goals of one section.
type Sheet struct {
	Section  string
	Peer     string // who is compared with
	Recorded bool   // the peer's figures are of another machine and day
	Partial  bool   // the work was less than what peers and goals are about: figures are kept alone, and their notes say so
	Goals    []results.Goal
}

// Asked is what a figure is compared with, in the figure's unit. 0: there is none.
type Asked struct {
	Peer    float64 // the peer's figure
	Goal    float64 // the most, or the least, that meets the goal
	Stretch float64 // a further one
}

// AtMost adds a cost.
func (s *Sheet) AtMost(what, unit string, got float64, a Asked, note string) {
	s.add(what, unit, got, a, note, false)
}

// AtLeast adds a figure that should be large.
func (s *Sheet) AtLeast(what, unit string, got float64, a Asked, note string) {
	s.add(what, unit, got, a, note, true)
}

func (s *Sheet) add(what, unit string, got float64, a Asked, note string, atLeast bool) {
	if s.Partial {
		a, note = Asked{}, strings.TrimSuffix("part of the work; "+note, "; ")
	}
	g := results.Goal{Section: s.Section, What: what, Unit: unit, Value: got, PeerIs: some(a.Peer), Limit: some(a.Goal), AtLeast: atLeast,
		Stretch: some(a.Stretch), Note: note}
	if a.Peer != 0 {
		g.Peer, g.Recorded = s.Peer, s.Recorded
	}
	s.Goals = append(s.Goals, g)
}

// Records are the goals as records of a file of results.
func (s *Sheet) Records() (records []results.Record) { return recordsOf(s.Goals) }

func recordsOf(all []results.Goal) (records []results.Record) {
	for _, g := range all {
		records = append(records, results.Record{Goal: &g})
	}
	return records
}

func some(v float64) *float64 {
	if v == 0 {
		return nil
	}
	return &v
}
