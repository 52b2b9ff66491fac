package seed

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

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
)

// line is a row: at most (or at least) goal.
type line struct {
	what    string
	gnocchi string
	goal    float64
	atLeast bool
	got     float64
	unit    string
	note    string
}

func (r *Report) lines() []line {
	measures := float64(r.minute.measures)
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	timed := func(t timing) string {
		return fmt.Sprintf("median %.2f, %.2f ms CPU, %d bytes", ms(t.median), t.cpuMillis, t.bytes)
	}
	posted := func(l loaded) string {
		return fmt.Sprintf("%d requests, fsynced, median %.2f ms, p99 %.2f ms", l.batches, ms(l.postMedian), ms(l.p99))
	}
	life := func(l loaded) string {
		return fmt.Sprintf("%.2f until the last answer, the rest in stopping", l.cpuPerMillion)
	}
	at := func(w served.Weight) float64 { return float64(w.Allocated) / measures }
	peak := math.Max(r.readBack.peakMB, math.Max(r.minute.peakMB, r.second.peakMB))
	return []line{
		{"disk after a stop, five methods and raw", "30.4", 2.6, false, at(r.minute.rest), "B/measure",
			fmt.Sprintf("%.2f MB allocated, %.2f MB in files", float64(r.minute.rest.Allocated)/1e6, float64(r.minute.rest.Files)/1e6)},
		{"disk while running, 60 s batches", "", 0, false, at(r.minute.running), "B/measure",
			fmt.Sprintf("%.2f MB in files", float64(r.minute.running.Files)/1e6)},
		{"disk after a stop, 1 s batches", "30.4", 2.6, false, at(r.second.rest), "B/measure",
			fmt.Sprintf("%.2f MB in files", float64(r.second.rest.Files)/1e6)},
		{"GET measures, 9,100 points, best", "69", gnocchiLongMS / 30.0, false, ms(r.readBack.long.best), "ms", timed(r.readBack.long)},
		{"GET measures, 60 points, best", "6.5", gnocchiShortMS / 25, false, ms(r.readBack.short.best), "ms", timed(r.readBack.short)},
		{"five GETs of 9,100 points, best (in place of POST aggregates)", "330", gnocchiFiveMS / 30.0, false,
			ms(r.readBack.allFive.best), "ms", timed(r.readBack.allFive)},
		{"batch POST of 60 s, one client", "79,900", 10 * gnocchiMinuteAll, true, r.minute.perSecond, "measures/s", posted(r.minute)},
		{"batch POST of 1 s, one client", "1,887", 40 * gnocchiSecondAll, true, r.second.perSecond, "measures/s", posted(r.second)},
		{"whole life of a measure, 60 s batches", "18", 3, false, r.minute.lifeCPUPerMillion, "CPU s/million", life(r.minute)},
		{"whole life of a measure, 1 s batches", "980", 15, false, r.second.lifeCPUPerMillion, "CPU s/million", life(r.second)},
		{"idle CPU", "3-5", 0.1, false, r.readBack.idlePercent, "% of a core", fmt.Sprintf("over %d s", idleSeconds)},
		{"memory, peak", "1,400", 100, false, peak, "MB",
			fmt.Sprintf("60 s %.0f, 1 s %.0f, queries %.0f", r.minute.peakMB, r.second.peakMB, r.readBack.peakMB)},
		{"start on the loaded directory until healthy", "", 0, false, r.readBack.openMillis, "ms", ""},
	}
}

// Checked is how many values were read back and found equal to the generator's.
func (r *Report) Checked() int { return r.readBack.checked }

// Table sets the figures beside the goals. Goals that are a ratio to Gnocchi are reckoned from its recorded figures.
func (r *Report) Table() table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"what", "Gnocchi", "goal", "measured", "unit", "met", "notes"})
	for _, l := range r.lines() {
		goal, met := "-", "-"
		if l.goal > 0 {
			sign, ok := "<= ", l.got <= l.goal
			if l.atLeast {
				sign, ok = ">= ", l.got >= l.goal
			}
			goal, met = sign+number(l.goal), "NO"
			if ok {
				met = "yes"
			}
		}
		t.AppendRow(table.Row{l.what, l.gnocchi, goal, number(l.got), l.unit, met, l.note})
	}
	return t
}

// Met is whether every goal is.
func (r *Report) Met() bool {
	for _, l := range r.lines() {
		if l.goal > 0 && (l.atLeast && l.got < l.goal || !l.atLeast && l.got > l.goal) {
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
