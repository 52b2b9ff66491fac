package cloud

import (
	"fmt"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/bench/goals"
	"github.com/telemetrydb/tsdb/bench/results"
	"github.com/telemetrydb/tsdb/bench/workload"
)

// What Gnocchi 4.4.2 reached on the same workload on the same kind of machine: the best of several runs.
const (
	gnocchiCreateSeconds = 26
	gnocchiCycleSeconds  = 13
	gnocchiBytes         = 274 // a measure
	gnocchiPointsMS      = 7.6
)

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

// sheet sets costs beside Gnocchi's: those of the same run, if there was one, or else the recorded ones.
type sheet struct {
	goals.Sheet
	measured bool // a Gnocchi got the same work in this run
}

// add compares got with Gnocchi's figure. The goal is limit, or else, if times is not 0, a part of Gnocchi's figure.
func (s *sheet) add(what, unit string, got, recorded, theirs, limit, times float64, note string) {
	s.Recorded = !s.measured || theirs == 0
	reference := recorded
	if !s.Recorded {
		reference = theirs
		note += fmt.Sprintf("; recorded %g", recorded)
	}
	if times > 0 {
		limit = reference / times
	}
	s.AtMost(what, unit, got, goals.Asked{Peer: reference, Goal: limit}, note)
}

// Goals sets the figures beside the goals. Those that are a ratio to Gnocchi are reckoned from the one of the same run, if there was
// one, or else from its recorded figures.
func (r *Report) Goals() []results.Goal {
	theirs := r.theirs
	s := &sheet{Sheet: goals.Sheet{Section: "2 small cloud", Peer: "Gnocchi 4.4.2"}, measured: theirs != nil}
	if theirs == nil {
		theirs = &figures{answers: make([]timing, len(r.ours.answers))}
		s.Partial = len(r.ours.ids) < 1000 || r.o.Ticks < 288
	} else {
		s.Peer = "Gnocchi"
	}
	timed := func(t timing) string {
		return fmt.Sprintf("median %.2f, %.2f ms CPU, %d bytes", ms(t.median), t.cpuMillis, t.bytes)
	}
	one, many := r.ours.cycles()
	measures := float64(r.ours.measures)
	s.add(fmt.Sprintf("create %d resources with 10 metrics each", len(r.ours.ids)), "s", r.ours.create.Seconds(), gnocchiCreateSeconds,
		theirs.create.Seconds(), 0, 25, "one client, each synced")
	s.add(fmt.Sprintf("live cycle, %d measures from 25 hosts: posted and readable, best", r.ours.perTick()), "s", r.ours.bestCycle(), gnocchiCycleSeconds,
		theirs.bestCycle(), 0.25, 0, fmt.Sprintf("one client %s, 25 clients %s", span(one), span(many)))
	s.add("bytes on disk, all in, after a stop", "B/measure", float64(r.rest.Allocated)/measures, gnocchiBytes, 0, 4, 0,
		fmt.Sprintf("%.2f MB allocated, %.2f MB in files", float64(r.rest.Allocated)/1e6, float64(r.rest.Files)/1e6))
	s.add(fmt.Sprintf("GET measures, %d points, best", r.o.Ticks), "ms", ms(r.ours.points.best), gnocchiPointsMS, ms(theirs.points.best), 0, 20,
		timed(r.ours.points))
	for i, q := range questions(workload.B(0, 0)) {
		t := r.ours.answers[i]
		s.add(q.what+", best", "ms", ms(t.best), q.gnocchi, ms(theirs.answers[i].best), 0, q.times, timed(t))
	}
	r.without(s)
	return s.Goals
}

// without adds what Gnocchi has no figure for.
func (r *Report) without(s *sheet) {
	measures, none := float64(r.ours.measures), goals.Asked{}
	s.AtMost("history, one client, two hours of a host in a POST", "us/measure", float64(r.ours.history)/float64(r.ours.historical)/1e3, none,
		fmt.Sprintf("%.0f measures/s", float64(r.ours.historical)/r.ours.history.Seconds()))
	s.AtMost("whole life of a measure until the server has stopped", "CPU s/million", r.cpu/measures*1e6, none, "resources and live cycles included")
	s.AtMost("start on the loaded directory until healthy", "ms", r.openedMS, none, "")
	s.AtMost("memory, peak", "MB", r.peakMB, none, "")
}

// bestCycle is the shortest live cycle in seconds, 0 if there was none.
func (l *loaded) bestCycle() float64 {
	if len(l.live) == 0 {
		return 0
	}
	return slices.Min(l.live).Seconds()
}

// cycles are the live cycles of one client and those of 25.
func (l *loaded) cycles() (one, many []time.Duration) {
	for i, d := range l.live {
		if i%2 == 0 {
			one = append(one, d)
		} else {
			many = append(many, d)
		}
	}
	if many == nil {
		many = one
	}
	return one, many
}

// perTick is how many measures a cycle has.
func (l *loaded) perTick() int {
	n := 0
	for _, metrics := range l.ids {
		n += len(metrics)
	}
	return n
}

func span(all []time.Duration) string {
	return fmt.Sprintf("%.3f to %.3f s", slices.Min(all).Seconds(), slices.Max(all).Seconds())
}

// Checked is how many values were read back and found equal to the generator's. All timed answers were compared as well.
func (r *Report) Checked() int { return r.checked }
