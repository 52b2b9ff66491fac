package ceilometer

import (
	"fmt"
	"math"
	"time"

	"github.com/telemetrydb/tsdb/bench/goals"
	"github.com/telemetrydb/tsdb/bench/results"
	"github.com/telemetrydb/tsdb/bench/workload"
)

// What mongod 3.0.10 took for the same workload in Ceilometer's layout on the same kind of machine, asked without Ceilometer's API in
// front, its journal off the path of acknowledgement: minima, warm. WiredTiger's figures, the better ones on the whole, are compared with;
// what MMAPv1 took is in the notes.
const (
	mongoBytes    = 415 // a sample
	mongoNewestMS = 735
	mongoColdMS   = 4300
	mongoShortMS  = 75
	mongoStatsMS  = 1245
	mongoListMS   = 0.2
	mongoMetersMS = 0.14
	mongoBatch    = 6625 // samples a second
	mongoOne      = 1425
	mongoBatchCPU = 50 // s a million samples
	mongoMemoryMB = 2300
)

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

// Goals sets the figures beside the goals. Those that are a ratio to MongoDB are reckoned from its recorded figures.
func (r *Report) Goals() []results.Goal {
	s := &goals.Sheet{Section: "1 through Ceilometer's API", Peer: "MongoDB 3.0.10, WiredTiger", Recorded: true,
		Partial: r.o.Ticks < workload.A(0).Ticks}
	n := float64(r.one.samples)
	s.AtMost("disk after a stop", "B/sample", float64(r.rest.Allocated)/n, goals.Asked{Peer: mongoBytes, Goal: 4},
		fmt.Sprintf("%.2f MB allocated, %.2f MB in files; %.2f MB in files while running; MMAPv1 2,644", float64(r.rest.Allocated)/1e6,
			float64(r.rest.Files)/1e6, float64(r.running.Files)/1e6))
	s.AtMost("disk, the same samples arrived as in life", "B/sample", float64(r.lifelike.Allocated)/n, goals.Asked{Peer: mongoBytes, Goal: 4},
		"imported with their times of arrival")
	r.reads(s)
	r.writes(s)
	s.AtMost("memory, peak", "MB", math.Max(r.loadMB, r.askMB), goals.Asked{Peer: mongoMemoryMB, Goal: 100},
		fmt.Sprintf("publishing %.0f, questions %.0f; MMAPv1 6,300, mapped", r.loadMB, r.askMB))
	s.AtMost("start on the loaded directory until healthy, cold", "ms", r.openMillis, goals.Asked{}, "")
	return s.Goals
}

func (r *Report) reads(s *goals.Sheet) {
	add := func(what string, t timing, a goals.Asked, more string) {
		s.AtMost(what+", best", "ms", ms(t.best), a, fmt.Sprintf("median %.2f, %d bytes%s", ms(t.median), t.bytes, more))
	}
	add("newest 9,127 samples of a meter and resource", r.warm.long, goals.Asked{Peer: mongoNewestMS, Goal: 50}, "; MMAPv1 1,447")
	s.AtMost("the same cold, median", "ms", ms(r.cold.median), goals.Asked{Peer: mongoColdMS, Goal: 100},
		fmt.Sprintf("first request of %d servers, files not in memory: best %.2f; MMAPv1 5,000", coldStarts, ms(r.cold.best)))
	add("newest 1,000", r.warm.short, goals.Asked{Peer: mongoShortMS, Goal: 6}, "; MMAPv1 53")
	add("statistics of all, period 60", r.warm.statistics, goals.Asked{Peer: mongoStatsMS, Goal: 6}, "; MMAPv1 1,372")
	add("resource list", r.warm.resources, goals.Asked{Peer: mongoListMS, Goal: mongoListMS}, "")
	add("meter list", r.warm.meters, goals.Asked{Peer: mongoMetersMS, Goal: mongoMetersMS}, "")
}

func (r *Report) writes(s *goals.Sheet) {
	add := func(what string, p posted, a goals.Asked, more string) {
		s.AtLeast(what, "samples/s", p.perSecond(), a, fmt.Sprintf("%d requests, median %.2f ms, p99 %.2f ms, server %.1f CPU s per million%s",
			len(p.took), ms(p.quantile(50)), ms(p.quantile(99)), p.cpuPerMillion(), more))
	}
	clients := fmt.Sprintf("%d clients", r.o.Clients)
	asked := goals.Asked{Peer: mongoBatch, Goal: 20 * mongoBatch}
	add("batches of 1 s (70), one client, fsynced", r.one, asked, "; MMAPv1 5,347")
	add("batches of 1 s (70), "+clients, r.many, asked, "")
	add("batches of 1 s (70), one client, --sync interval", r.interval, goals.Asked{Peer: mongoBatch}, "")
	s.AtMost("CPU of batches of 1 s, whole life", "CPU s/million", r.lifeCPUPerMillion, goals.Asked{Peer: mongoBatchCPU, Goal: 5},
		fmt.Sprintf("%.2f until the last answer, the rest in starting and stopping; MMAPv1 41", r.one.cpuPerMillion()))
	asked = goals.Asked{Peer: mongoOne, Goal: 5 * mongoOne}
	add("one sample a request, one client, fsynced", r.ones, asked, "; MMAPv1 1,155")
	add("one sample a request, "+clients, r.onesMany, asked, "")
	add("one sample a request, one client, --sync interval", r.onesLoose, goals.Asked{Peer: mongoOne}, "")
}

// Checked is how many samples were read back and found equal to the generator's.
func (r *Report) Checked() int { return r.checked }
