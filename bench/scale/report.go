package scale

import (
	"fmt"
	"os"
	"strings"

	"github.com/telemetrydb/tsdb/bench/goals"
	"github.com/telemetrydb/tsdb/bench/results"
)

// What is asked for.
const (
	mostMemoryMiB   = 2048
	mostOpenSeconds = 1
	mostKillSeconds = 5
	mostGrowth      = 1.5
	mostRangeMillis = 5
	mostBitmap      = 1 // ms
	mostPage        = 5 // ms
	mostWritten     = 4
	mostMonthGB     = 8
	sampleBytes     = 16 // a time and a value, as they come
)

// Report is what a run has measured.
type Report struct {
	sheet    goals.Sheet
	growth   []results.Record
	searches strings.Builder
}

func newReport() *Report { return &Report{sheet: goals.Sheet{Section: "5 scale"}} }

// Goals sets the figures beside the goals.
func (r *Report) Goals() []results.Goal { return r.sheet.Goals }

// Growth gives what few and many metrics cost, for tables of cost by size.
func (r *Report) Growth() []results.Record { return r.growth }

// Note has the searches one by one, and how busy the machine was.
func (r *Report) Note() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return r.searches.String()
	}
	return r.searches.String() + "\nLoad averages at the end: " + strings.Join(strings.Fields(string(text))[:3], " ") + "\n"
}

func (r *Report) add(what, unit string, got, most float64, note string, args ...any) {
	r.sheet.AtMost(what, unit, got, goals.Asked{Goal: most}, fmt.Sprintf(note, args...))
}

// grouped writes a number with commas.
func grouped[T int | float64](v T) string {
	n := int(v)
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

func (r *Report) created(metrics int, m figures) {
	n := float64(metrics)
	r.add(fmt.Sprintf("create %s metrics of %s resources", grouped(metrics), grouped(metrics/kinds)), "s", m["s"], 0,
		"%s metrics/s, %.1f us of CPU each; peak %.0f MiB", grouped(n/m["s"]), m["CPU s"]/n*1e6, m["peak MiB"])
	r.add(fmt.Sprintf("catalogue of %s metrics on disk", grouped(metrics)), "B/metric", m["bytes"]/n, 0, "resources of ten attributes included; written by the engine %.0f B/metric",
		m["written"]/n)
}

// cost compares what a sample of many metrics costs with what one of few does.
func (r *Report) cost(o *Options, many, few figures) {
	of := fmt.Sprintf("cost of a sample of %s metrics", grouped(o.Metrics))
	r.sheet.Peer = fmt.Sprintf("ours, %s metrics", grouped(o.Few))
	beside := func(what, name, note string) {
		r.sheet.AtMost(what, "CPU s/million", many[name], goals.Asked{Peer: few[name], Goal: mostGrowth * few[name]}, note)
	}
	beside(of+", until closed", "CPU/M", fmt.Sprintf("%.2f times; %s samples each, Close takes %.1f and %.1f s; %s and %s seals", many["CPU/M"]/few["CPU/M"],
		grouped(many["samples"]), many["close s"], few["close s"], grouped(many["seals"]), grouped(few["seals"])))
	const half = "CPU/M last half"
	beside(of+", second half of the cycles", half, fmt.Sprintf("%.2f times; the first cycle alone %.2f and %.2f", many[half]/few[half], many["CPU/M first"],
		few["CPU/M first"]))
	r.add(fmt.Sprintf("memory, %s metrics, %s M samples an hour", grouped(o.Metrics), hourly(o.Metrics)), "MiB", many["peak MiB"], mostMemoryMiB,
		"peak; MemoryBytes %d MiB, head at most %.0f, log at most %.0f MiB; %s metrics: peak %.0f MiB", o.MemoryMiB, many["head bytes"]/(1<<20),
		many["log bytes"]/(1<<20), grouped(o.Few), few["peak MiB"])
	for _, one := range []struct {
		n int
		m figures
	}{{o.Few, few}, {o.Metrics, many}} {
		r.growth = append(r.growth, results.Record{Growth: &results.Growth{Dimension: "metrics held open", Size: float64(one.n), Costs: map[string]float64{
			"CPU of a sample while appending, us": one.m["CPU/M appending"], "CPU of a sample until closed, us": one.m["CPU/M"],
			"peak memory, MiB": one.m["peak MiB"], "disk a sample with the catalogue, B": one.m["bytes"] / one.m["samples"]}}})
	}
}

// hourly is the millions of samples that so many metrics have in an hour.
func hourly(metrics int) string { return fmt.Sprint(float64(metrics*3600/pollSeconds) / 1e6) }

// memory is that of metrics which get samples among more that are registered.
func (r *Report) memory(o *Options, m figures) {
	r.add(fmt.Sprintf("memory, %s metrics of %s registered, %s M samples an hour", grouped(o.Metrics), grouped(o.Registered), hourly(o.Metrics)), "MiB", m["peak MiB"],
		mostMemoryMiB, "peak; MemoryBytes %d MiB, head at most %.0f, log at most %.0f MiB; %.0f MiB when it had been opened; %s samples at %.2f CPU s a million",
		o.MemoryMiB, m["head bytes"]/(1<<20), m["log bytes"]/(1<<20), m["peak MiB before"], grouped(m["samples"]), m["CPU/M"])
}

// openedClean is judged for as many metrics as the goal is about.
func (r *Report) openedClean(metrics int, judged bool, all []figures) {
	best, took, most := all[0], []string{}, 0.0
	for _, m := range all {
		took = append(took, fmt.Sprintf("%.3f", m["s"]))
		if m["s"] < best["s"] {
			best = m
		}
	}
	if judged {
		most = mostOpenSeconds
	}
	r.add(fmt.Sprintf("open after a clean close, %s metrics", grouped(metrics)), "s", best["s"], most, "took %s; CPU %.2f s, peak %.0f MiB", strings.Join(took, ", "),
		best["CPU s"], best["peak MiB"])
}

func (r *Report) openedKilled(metrics int, m, killed figures) {
	r.add(fmt.Sprintf("open after kill -9, %s metrics", grouped(metrics)), "s", m["s"], mostKillSeconds,
		"CPU %.2f s, peak %.0f MiB; replayed %.0f MiB of log into %s series, killed after %s samples; %s metrics looked at, nothing lost", m["CPU s"], m["peak MiB"],
		killed["log bytes"]/(1<<20), grouped(m["series"]), grouped(killed["acknowledged"]), grouped(looked/2))
}

func (r *Report) held(read figures) {
	r.ranges("range of a metric, all its points", "all", read)
}

// ranges adds the first time of a range, which includes reading files; its worst counts, as any metric is asked for.
func (r *Report) ranges(what, name string, m figures) {
	r.add(what+", first time, p99", "ms", m[name+" first p99"], mostRangeMillis, "%s points; median %.3f ms, again %.3f; of %d metrics, files dropped from the page cache",
		grouped(m[name+" points"]), m[name+" first"], m[name+" again"], queried)
}

func (r *Report) weeks(o *Options, m, made figures) {
	n, rest := m["samples"], m["bytes"]-made["bytes"]
	of := fmt.Sprintf("%d days of %s metrics at 300 s: ", o.WeeksDays, grouped(o.WeeksMetrics))
	r.add(of+"at rest", "B/sample", rest/n, 0, "%s samples, catalogue not counted; MemoryBytes %d MiB; %.2f CPU s a million; peak %.0f MiB", grouped(n), o.WeeksMemoryMiB,
		m["CPU/M"], m["peak MiB"])
	r.add(of+"written, for a byte of samples as they come", "x", m["written"]/n/sampleBytes, mostWritten,
		"%.1f B/sample by log, flushes and compactions, of them %.1f before the last compaction; %d B as they come", m["written"]/n, m["written appending"]/n, sampleBytes)
	r.add(of+"written, for a byte at rest", "x", m["written"]/rest, mostWritten, "the same bytes; the process gave the file system %.1f B/sample", m["wchar"]/n)
}

// month reckons from a part of the metrics, or of the days, to all.
func (r *Report) month(p phase, values string, m, read figures) {
	const samples = monthMetrics * float64(30*daySeconds/monthSeconds)
	n := m["samples"]
	r.add(fmt.Sprintf("a month of %s metrics at 60 s (%.2f G samples), %s", grouped(monthMetrics), samples/1e9, values), "GB", m["bytes"]/n*samples/1e9, mostMonthGB,
		"reckoned: %.0f times the %.3f GB of %s metrics in %d days, %.3f B/sample, catalogue included; MemoryBytes %d MiB, in proportion; %.2f CPU s a million",
		samples/n, m["bytes"]/1e9, grouped(p.Metrics), p.Cycles*monthSeconds/daySeconds, m["bytes"]/n, p.MemoryMiB, m["CPU/M"])
	r.ranges("range of a metric, a day of that month, "+values, "day", read)
	r.ranges("range of a metric, all of that month, "+values, "all", read)
}
