package ceilometer

import (
	"fmt"
	"math"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

// What mongod 3.0.10 took for the same workload in Ceilometer's layout on the same kind of machine, asked without Ceilometer's API in
// front, its journal off the path of acknowledgement: minima, warm.
const (
	mongoBatch = 6625 // samples a second with WiredTiger, the faster
	mongoOne   = 1425
)

// line is a row: at most (or at least) goal.
type line struct {
	what       string
	tiger, mem string // WiredTiger's and MMAPv1's figures
	goal       float64
	atLeast    bool
	got        float64
	unit, note string
}

func (l line) met() bool {
	return l.goal == 0 || l.atLeast && l.got >= l.goal || !l.atLeast && l.got <= l.goal
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

// noteOf tells of requests.
func noteOf(p posted) string {
	return fmt.Sprintf("%d requests, median %.2f ms, p99 %.2f ms, server %.1f CPU s per million", len(p.took), ms(p.quantile(50)), ms(p.quantile(99)),
		p.cpuPerMillion())
}

func (r *Report) lines() []line {
	asked := func(t timing) string { return fmt.Sprintf("median %.2f, %d bytes", ms(t.median), t.bytes) }
	n := float64(r.one.samples)
	clients := fmt.Sprintf("%d clients", r.o.Clients)
	return []line{
		{"disk after a stop", "415", "2,644", 4, false, float64(r.rest.Allocated) / n, "B/sample",
			fmt.Sprintf("%.2f MB allocated, %.2f MB in files; %.2f MB in files while running", float64(r.rest.Allocated)/1e6, float64(r.rest.Files)/1e6,
				float64(r.running.Files)/1e6)},
		{"the same samples, arrived as in life", "", "", 4, false, float64(r.lifelike.Allocated) / n, "B/sample", "imported with their times of arrival"},
		{"newest 9,127 samples of a meter and resource, best", "735", "1,447", 50, false, ms(r.warm.long.best), "ms", asked(r.warm.long)},
		{"the same cold, median", "4,300", "5,000", 100, false, ms(r.cold.median), "ms",
			fmt.Sprintf("first request of %d servers, files not in memory: best %.2f", coldStarts, ms(r.cold.best))},
		{"newest 1,000, best", "75", "53", 6, false, ms(r.warm.short.best), "ms", asked(r.warm.short)},
		{"statistics of all, period 60, best", "1,245", "1,372", 6, false, ms(r.warm.statistics.best), "ms", asked(r.warm.statistics)},
		{"resource list, best", "0.2", "0.2", 0.2, false, ms(r.warm.resources.best), "ms", asked(r.warm.resources)},
		{"meter list, best", "0.14", "0.14", 0.14, false, ms(r.warm.meters.best), "ms", asked(r.warm.meters)},
		{"batches of 1 s (70), one client, fsynced", "6,625", "5,347", 20 * mongoBatch, true, r.one.perSecond(), "samples/s", noteOf(r.one)},
		{"the same, " + clients, "", "", 20 * mongoBatch, true, r.many.perSecond(), "samples/s", noteOf(r.many)},
		{"the same, one client, --sync interval", "", "", 20 * mongoBatch, true, r.interval.perSecond(), "samples/s", noteOf(r.interval)},
		{"CPU of batches of 1 s, whole life", "50", "41", 5, false, r.lifeCPUPerMillion, "s/million",
			fmt.Sprintf("%.2f until the last answer, the rest in starting and stopping", r.one.cpuPerMillion())},
		{"one sample a request, one client, fsynced", "1,425", "1,155", 5 * mongoOne, true, r.ones.perSecond(), "samples/s", noteOf(r.ones)},
		{"the same, " + clients, "", "", 5 * mongoOne, true, r.onesMany.perSecond(), "samples/s", noteOf(r.onesMany)},
		{"the same, one client, --sync interval", "", "", 5 * mongoOne, true, r.onesLoose.perSecond(), "samples/s", noteOf(r.onesLoose)},
		{"memory, peak", "2,300", "6,300", 100, false, math.Max(r.loadMB, r.askMB), "MB",
			fmt.Sprintf("publishing %.0f, questions %.0f", r.loadMB, r.askMB)},
		{"start on the loaded directory until healthy, cold", "", "", 0, false, r.openMillis, "ms", ""},
	}
}

// Checked is how many samples were read back and found equal to the generator's.
func (r *Report) Checked() int { return r.checked }

// Table sets the figures beside the goals. Goals that are a ratio to MongoDB are reckoned from its recorded figures.
func (r *Report) Table() table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"what", "MongoDB, WiredTiger", "MongoDB, MMAPv1", "goal", "measured", "unit", "met", "notes"})
	for _, l := range r.lines() {
		goal, met := "-", "-"
		if l.goal > 0 {
			sign := "<= "
			if l.atLeast {
				sign = ">= "
			}
			goal, met = sign+number(l.goal), "NO"
			if l.met() {
				met = "yes"
			}
		}
		t.AppendRow(table.Row{l.what, l.tiger, l.mem, goal, number(l.got), l.unit, met, l.note})
	}
	return t
}

// Met is whether every goal is.
func (r *Report) Met() bool {
	for _, l := range r.lines() {
		if !l.met() {
			return false
		}
	}
	return true
}

func number(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
