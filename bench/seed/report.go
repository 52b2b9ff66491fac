package seed

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/telemetrydb/tsdb/bench/goals"
	"github.com/telemetrydb/tsdb/bench/results"
	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
)

// Options say what to run.
type Options struct {
	Binary    string   // of the server
	ServeArgs []string // further arguments of `serve`
	Dir       string   // scratch directory, emptied before and removed after
	Ticks     int      // seconds of the workload, at most 19,800
}

// Report is what one run showed.
type Report struct {
	ticks    int
	minute   loaded // batches of 60 s
	second   loaded // batches of 1 s
	readBack readBack
}

// Run takes the whole measurement: some minutes of a machine that should do nothing else.
func Run(o Options) (r *Report, err error) {
	if o.Ticks <= 0 || o.Ticks > workload.A(0).Ticks {
		o.Ticks = workload.A(0).Ticks
	}
	r = &Report{ticks: o.Ticks}
	if err := os.RemoveAll(o.Dir); err != nil {
		return nil, err
	}
	defer os.RemoveAll(o.Dir)
	byMinute, bySecond := filepath.Join(o.Dir, "minute"), filepath.Join(o.Dir, "second")
	for _, dir := range []string{byMinute, bySecond} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if r.minute, err = o.load(byMinute, 60); err != nil {
		return nil, fmt.Errorf("batches of 60 s: %w", err)
	}
	if r.readBack, err = o.readBack(byMinute); err != nil {
		return nil, fmt.Errorf("reading back: %w", err)
	}
	if r.second, err = o.load(bySecond, 1); err != nil {
		return nil, fmt.Errorf("batches of 1 s: %w", err)
	}
	return r, nil
}

// What Gnocchi 4.4.2 reached on the same workload on the same kind of machine: the best of several runs.
const (
	gnocchiBytes     = 30.4 // a measure
	gnocchiLongMS    = 69
	gnocchiShortMS   = 6.5
	gnocchiFiveMS    = 330
	gnocchiMinuteAll = 79_900 // measures a second, Redis
	gnocchiSecondAll = 1_887
	gnocchiMinuteCPU = 18 // s a million measures, of one backlog pass
	gnocchiSecondCPU = 980
	gnocchiIdle      = 3 // % of a core, up to 5
	gnocchiMemoryMB  = 1400
)

// Goals sets the figures beside the goals. Those that are a ratio to Gnocchi are reckoned from its recorded figures.
func (r *Report) Goals() []results.Goal {
	s := &goals.Sheet{Section: "1 founding measurement", Peer: "Gnocchi 4.4.2", Recorded: true, Partial: r.ticks < workload.A(0).Ticks}
	r.size(s)
	r.reads(s)
	r.writes(s)
	q := r.readBack
	s.AtMost("idle CPU", "% of a core", q.idlePercent, goals.Asked{Peer: gnocchiIdle, Goal: 0.1}, fmt.Sprintf("over %d s", idleSeconds))
	peak := math.Max(q.peakMB, math.Max(r.minute.peakMB, r.second.peakMB))
	s.AtMost("memory, peak", "MB", peak, goals.Asked{Peer: gnocchiMemoryMB, Goal: 100, Stretch: 60},
		fmt.Sprintf("60 s %.0f, 1 s %.0f, queries %.0f", r.minute.peakMB, r.second.peakMB, q.peakMB))
	s.AtMost("start on the loaded directory until healthy", "ms", q.openMillis, goals.Asked{}, "")
	return s.Goals
}

func (r *Report) size(s *goals.Sheet) {
	asked := goals.Asked{Peer: gnocchiBytes, Goal: 2.6, Stretch: 2.4}
	add := func(what string, w served.Weight, a goals.Asked) {
		s.AtMost(what, "B/measure", float64(w.Allocated)/float64(r.minute.measures), a,
			fmt.Sprintf("%.2f MB allocated, %.2f MB in files", float64(w.Allocated)/1e6, float64(w.Files)/1e6))
	}
	add("disk after a stop, five methods and raw", r.minute.rest, asked)
	add("disk while running, 60 s batches", r.minute.running, goals.Asked{})
	add("disk after a stop, 1 s batches", r.second.rest, asked)
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

func (r *Report) reads(s *goals.Sheet) {
	add := func(what string, t timing, a goals.Asked) {
		s.AtMost(what+", best", "ms", ms(t.best), a, fmt.Sprintf("median %.2f, %.2f ms CPU, %d bytes", ms(t.median), t.cpuMillis, t.bytes))
	}
	q := r.readBack
	add("GET measures, 9,100 points", q.long, goals.Asked{Peer: gnocchiLongMS, Goal: gnocchiLongMS / 30.0, Stretch: gnocchiLongMS / 60.0})
	add("GET measures, 60 points", q.short, goals.Asked{Peer: gnocchiShortMS, Goal: gnocchiShortMS / 25, Stretch: gnocchiShortMS / 40})
	add("five GETs of 9,100 points (in place of POST aggregates)", q.allFive,
		goals.Asked{Peer: gnocchiFiveMS, Goal: gnocchiFiveMS / 30.0, Stretch: gnocchiFiveMS / 60.0})
}

func (r *Report) writes(s *goals.Sheet) {
	rate := func(what string, l loaded, a goals.Asked) {
		s.AtLeast(what, "measures/s", l.perSecond, a,
			fmt.Sprintf("%d requests, fsynced, median %.2f ms, p99 %.2f ms", l.batches, ms(l.postMedian), ms(l.p99)))
	}
	life := func(what string, l loaded, a goals.Asked) {
		s.AtMost("whole life of a measure, "+what, "CPU s/million", l.lifeCPUPerMillion, a,
			fmt.Sprintf("%.2f until the last answer, the rest in stopping", l.cpuPerMillion))
	}
	rate("batch POST of 60 s, one client", r.minute, goals.Asked{Peer: gnocchiMinuteAll, Goal: 10 * gnocchiMinuteAll, Stretch: 20 * gnocchiMinuteAll})
	rate("batch POST of 1 s, one client", r.second, goals.Asked{Peer: gnocchiSecondAll, Goal: 40 * gnocchiSecondAll, Stretch: 100 * gnocchiSecondAll})
	life("60 s batches", r.minute, goals.Asked{Peer: gnocchiMinuteCPU, Goal: 3, Stretch: 1.5})
	life("1 s batches", r.second, goals.Asked{Peer: gnocchiSecondCPU, Goal: 15, Stretch: 8})
}

// Checked is how many values were read back and found equal to the generator's.
func (r *Report) Checked() int { return r.readBack.checked }
