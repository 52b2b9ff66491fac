package cloud

import (
	"fmt"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/workload"
)

// What Gnocchi 4.4.2 reached on the same workload on the same kind of machine: the best of several runs.
const (
	gnocchiCreateSeconds = 26
	gnocchiCycleSeconds  = 13
	gnocchiBytes         = 274 // a measure
	gnocchiPointsMS      = 7.6
)

// line is a row of the report: a cost, and what it should be at most.
type line struct {
	what    string
	gnocchi float64 // as recorded
	goal    float64 // 0: none
	times   float64 // the goal as a ratio to Gnocchi; 0: it is absolute
	got     float64
	theirs  float64 // of the running Gnocchi; 0: not measured
	unit    string
	note    string
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

func (r *Report) lines() []line {
	one, many := r.ours.cycles()
	timed := func(t timing) string {
		return fmt.Sprintf("median %.2f, %.2f ms CPU, %d bytes", ms(t.median), t.cpuMillis, t.bytes)
	}
	measures := float64(r.ours.measures)
	lines := []line{
		{what: fmt.Sprintf("create %d resources with 10 metrics each", len(r.ours.ids)), gnocchi: gnocchiCreateSeconds, times: 25,
			got: r.ours.create.Seconds(), unit: "s", note: "one client, each synced"},
		{what: fmt.Sprintf("live cycle, %d measures from 25 hosts: posted and readable, best", r.ours.perTick()), gnocchi: gnocchiCycleSeconds,
			goal: 0.25, got: min(slices.Min(one), slices.Min(many)).Seconds(), unit: "s",
			note: fmt.Sprintf("one client %s, 25 clients %s", span(one), span(many))},
		{what: "bytes on disk, all in, after a stop", gnocchi: gnocchiBytes, goal: 4, got: float64(r.rest.Allocated) / measures, unit: "B/measure",
			note: fmt.Sprintf("%.2f MB allocated, %.2f MB in files", float64(r.rest.Allocated)/1e6, float64(r.rest.Files)/1e6)},
		{what: fmt.Sprintf("GET measures, %d points, best", r.o.Ticks), gnocchi: gnocchiPointsMS, times: 20, got: ms(r.ours.points.best), unit: "ms",
			note: timed(r.ours.points)},
	}
	for i, q := range questions(workload.B(0, 0)) {
		t := r.ours.answers[i]
		lines = append(lines, line{what: q.what + ", best", gnocchi: q.gnocchi, times: q.times, got: ms(t.best), unit: "ms", note: timed(t)})
	}
	lines = append(lines,
		line{what: "history, one client, two hours of a host in a POST", got: float64(r.ours.history) / float64(r.ours.historical) / 1e3,
			unit: "us/measure", note: fmt.Sprintf("%.0f measures/s", float64(r.ours.historical)/r.ours.history.Seconds())},
		line{what: "whole life of a measure until the server has stopped", got: r.cpu / measures * 1e6, unit: "CPU s/million",
			note: "resources and live cycles included"},
		line{what: "start on the loaded directory until healthy", got: r.openedMS, unit: "ms"},
		line{what: "memory, peak", got: r.peakMB, unit: "MB"})
	r.addTheirs(lines)
	for i := range lines {
		if l := &lines[i]; l.times > 0 {
			l.goal = l.reference() / l.times
		}
	}
	return lines
}

// reference is what a ratio refers to: a Gnocchi of the same run, else the recorded one.
func (l *line) reference() float64 {
	if l.theirs > 0 {
		return l.theirs
	}
	return l.gnocchi
}

// addTheirs fills in what the running Gnocchi took.
func (r *Report) addTheirs(lines []line) {
	if r.theirs == nil {
		return
	}
	one, many := r.theirs.cycles()
	lines[0].theirs, lines[1].theirs = r.theirs.create.Seconds(), min(slices.Min(one), slices.Min(many)).Seconds()
	lines[3].theirs = ms(r.theirs.points.best)
	for i, t := range r.theirs.answers {
		lines[4+i].theirs = ms(t.best)
	}
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

// Table sets the figures beside the goals. Goals that are a ratio to Gnocchi are reckoned from the one of the same run, if there
// was one, or else from its recorded figures.
func (r *Report) Table() table.Writer {
	t := table.NewWriter()
	header := table.Row{"what", "Gnocchi, recorded", "goal", "measured", "unit", "met", "notes"}
	if r.theirs != nil {
		header = slices.Insert(header, 2, any("Gnocchi, this run"))
	}
	t.AppendHeader(header)
	for _, l := range r.lines() {
		goal, met := "-", "-"
		if l.goal > 0 {
			if goal, met = "<= "+number(l.goal), "NO"; l.got <= l.goal {
				met = "yes"
			}
		}
		row := table.Row{l.what, some(l.gnocchi), goal, number(l.got), l.unit, met, l.note}
		if r.theirs != nil {
			row = slices.Insert(row, 2, any(some(l.theirs)))
		}
		t.AppendRow(row)
	}
	return t
}

// Met is whether every goal is.
func (r *Report) Met() bool {
	return !slices.ContainsFunc(r.lines(), func(l line) bool { return l.goal > 0 && l.got > l.goal })
}

func some(v float64) string {
	if v == 0 {
		return "-"
	}
	return number(v)
}

func number(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
