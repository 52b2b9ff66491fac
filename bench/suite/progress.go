package suite

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/bench/target"
)

// progress prints a line for each job, with the time used and an estimate of what is left.
type progress struct {
	out         io.Writer
	begun       time.Time
	ended, jobs int
	skipped     int
	spent       time.Duration // by jobs that ran
}

func newProgress(out io.Writer) *progress {
	if out == nil {
		out = io.Discard
	}
	return &progress{out: out, begun: time.Now()}
}

// begin tells how many jobs will follow.
func (p *progress) begin(jobs int) { p.jobs = jobs }

func (p *progress) note(format string, args ...any) {
	fmt.Fprintf(p.out, "%s  %s\n", clock(time.Since(p.begun)), fmt.Sprintf(format, args...))
}

func (p *progress) skip() { p.skipped++ }

func (p *progress) done(j job, begun time.Time, result string) {
	p.ended++
	p.spent += time.Since(begun)
	left := time.Duration(p.jobs-p.ended-p.skipped) * (p.spent / time.Duration(p.ended))
	what := "goals: " + j.phase
	if j.set != nil {
		what = fmt.Sprintf("%d %-8s %-15s %-8s %-5s", j.round, j.set.Name, j.target.Name, j.phase, j.variant)
	}
	p.note("[%d/%d, about %s left] %s %.1f s: %s", p.ended+p.skipped, p.jobs, clock(left), what, time.Since(begun).Seconds(), result)
}

func clock(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// headlines are the numbers that the line of a phase shows, with how to print them.
var headlines = map[string][]struct{ number, format string }{
	"ingest": {{"samples_per_s", "%.0f samples/s"}, {"total_cpu_s_per_million", "%.2f CPU s/M"}, {"at_rest_bytes_per_sample", "%.2f B/sample"},
		{"peak_mib", "%.0f MiB"}},
	"query":       {{"q1_best_us", "q1 %.0f us"}, {"q2_median_us", "q2 %.0f us"}, {"q3_best_us", "q3 %.0f us"}, {"q4_best_us", "q4 %.0f us"}},
	"cold":        {{"q1_cold_median_us", "q1 %.0f us"}, {"q2_cold_median_us", "q2 %.0f us"}, {"q4_cold_median_us", "q4 %.0f us"}},
	"restart":     {{"restart_median_ms", "%.1f ms until the first answer"}},
	"verify":      {{"inexact_series", "%.0f series not exact"}},
	"mixed":       {{"mixed_samples_per_s", "%.0f samples/s"}, {"mixed_q1_median_us", "q1 %.0f us"}, {"mixed_q2_median_us", "q2 %.0f us"}},
	"crash-check": {{"lost", "%.0f acknowledged samples lost"}, {"reopen_ms", "open again in %.0f ms"}},
}

// headline is what the line of a job says.
func headline(r *target.Result) string {
	var parts []string
	for _, h := range headlines[r.Phase] {
		if v, ok := r.Numbers[h.number]; ok {
			parts = append(parts, fmt.Sprintf(h.format, v))
		}
	}
	if len(r.Wrong) > 0 {
		parts = append(parts, "WRONG ANSWERS: "+strings.Join(r.Wrong, ", "))
	}
	return strings.Join(parts, ", ")
}
