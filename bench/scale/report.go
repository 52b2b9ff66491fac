package main

import (
	"fmt"
	"strings"

	"github.com/telemetrydb/tsdb/bench/goals"
	"github.com/telemetrydb/tsdb/bench/results"
)

// table is the report: a row for each figure, with its goal if there is one.
type table struct {
	rows, searches strings.Builder
	whole          string // what the last row was about, which rows that begin with a dash go on about
	sheet          goals.Sheet
	growth         []results.Record
}

// row adds a figure; limit is the most that meets the goal, 0 if there is none.
func (t *table) row(what, goal, unit string, got, limit float64, notes string, args ...any) {
	if text, part := strings.CutPrefix(what, "- "); part {
		t.sheet.AtMost(t.whole+": "+text, unit, got, goals.Asked{Goal: limit}, fmt.Sprintf(notes, args...))
	} else {
		t.whole = what
		t.sheet.AtMost(what, unit, got, goals.Asked{Goal: limit}, fmt.Sprintf(notes, args...))
	}
	met := "-"
	if limit > 0 {
		met = "NO"
		if got <= limit {
			met = "yes"
		}
	}
	figure := fmt.Sprintf("%.3g", got)
	if got >= 1000 {
		figure = grouped(int(got + 0.5))
	}
	fmt.Fprintf(&t.rows, "| %s | %s | %s | %s | %s | %s |\n", what, goal, figure, unit, met, fmt.Sprintf(notes, args...))
}

func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

func (t *table) markdown() string {
	return "| what | goal | measured | unit | met | notes |\n| --- | --- | --- | --- | --- | --- |\n" + t.rows.String() + t.searches.String() +
		"\nLoad averages at the end: " + loadAverages() + "\n"
}

func (t *table) created(of string, m map[string]float64, metrics int) {
	n := float64(metrics)
	t.row("create "+grouped(metrics)+" metrics"+of, "", "s", m["s"], 0, "%s metrics/s, %.1f us of CPU each; peak %.0f MiB", grouped(int(n/m["s"])), m["CPU s"]/n*1e6, m["peak MiB"])
	t.row("- on disk", "", "B/metric", m["bytes"]/n, 0, "resources included; written by the engine %.0f B/metric", m["written"]/n)
}

func (t *table) ingested(s *settings, many, few map[string]float64) {
	for _, r := range []struct {
		n int
		m map[string]float64
	}{{s.metrics, many}, {s.few, few}} {
		t.row("ingest, "+grouped(r.n)+" metrics, while appending", "", "CPU s/M", r.m["CPU/M appending"], 0,
			"%s samples in %s cycles; %.2f s/M by the clock; %.2f in the first cycle, %.2f in the second half; %s seals",
			grouped(int(r.m["samples"])), grouped(int(r.m["samples"])/r.n), r.m["wall/M"], r.m["CPU/M first"], r.m["CPU/M last half"], grouped(int(r.m["seals"])))
		t.row("- until closed", "", "CPU s/M", r.m["CPU/M"], 0, "Close takes %.1f s; %.1f B/sample in files, catalogue included", r.m["close s"], r.m["bytes"]/r.m["samples"])
	}
	for _, r := range []struct {
		n int
		m map[string]float64
	}{{s.few, few}, {s.metrics, many}} {
		t.growth = append(t.growth, results.Record{Growth: &results.Growth{Dimension: "metrics", Size: float64(r.n), Costs: map[string]float64{
			"append a million samples, CPU s": r.m["CPU/M appending"], "append and close, CPU s": r.m["CPU/M"], "peak memory, MiB": r.m["peak MiB"],
			"disk, B/sample": r.m["bytes"] / r.m["samples"]}}})
	}
	growth := func(name string) float64 { return many[name] / few[name] }
	t.row("growth of the cost of a sample, while appending", "<= 1.5", "x", growth("CPU/M appending"), 1.5, "the first cycle reads every metric and its series")
	t.row("- second half of the cycles", "<= 1.5", "x", growth("CPU/M last half"), 1.5, "")
	t.row("- until closed", "<= 1.5", "x", growth("CPU/M"), 1.5, "")
	t.row("peak memory, "+grouped(s.metrics)+" metrics", "<= 2048", "MiB", many["peak MiB"], 2048,
		"while appending %.0f; MemoryBytes %d MiB, head at most %.0f MiB, log at most %.0f MiB", many["peak MiB appending"], s.memoryMiB, many["head bytes"]/(1<<20), many["log bytes"]/(1<<20))
	t.row("peak memory, "+grouped(s.few)+" metrics", "", "MiB", few["peak MiB"], 0, "head at most %.0f MiB, log at most %.0f MiB", few["head bytes"]/(1<<20), few["log bytes"]/(1<<20))
}

// opened opens the store three times, each time as it was left before: opening does not close.
func (t *table) opened(what, goal string, limit float64, p phase, killed map[string]float64) error {
	times := 3
	if killed != nil {
		times = 1
	}
	var all []string
	var best map[string]float64
	for range times {
		m, err := p.exec(0)
		if err != nil {
			return err
		}
		all = append(all, fmt.Sprintf("%.2f", m["s"]))
		if best == nil || m["s"] < best["s"] {
			best = m
		}
	}
	notes := fmt.Sprintf("%s metrics; took %s, CPU %.2f s, peak %.0f MiB", grouped(int(best["metrics"])), strings.Join(all, ", "), best["CPU s"], best["peak MiB"])
	if killed != nil {
		notes += fmt.Sprintf("; replayed %.0f MiB of log into %s series, killed after %s samples", killed["log bytes"]/(1<<20), grouped(int(best["series"])), grouped(int(killed["acknowledged"])))
	}
	t.row(what, goal, "s", best["s"], limit, "%s", notes)
	return nil
}

// searched adds a table for a store: warm and, in brackets, the first time.
func (t *table) searched(resources int, m map[string]float64) {
	w := &t.searches
	fmt.Fprintf(w, "\nSearches among %s resources, ms warm (first time); peak memory %.0f MiB:\n\n", grouped(resources), m["peak MiB searching"])
	w.WriteString("| filter | found | to the bitmap | first id | first 100 by started_at | by display_name, descending | not met |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	slowest := map[string]float64{}
	for i, s := range searches() {
		get := func(key string) float64 { return m[fmt.Sprintf("%d %s", i, key)] }
		var missed []string
		fmt.Fprintf(w, "| %s | %s |", s.name, grouped(int(get("found"))))
		for _, q := range []struct {
			key   string
			limit float64
		}{{"bitmap", 1}, {"one", 5}, {"by start", 5}, {"by name", 5}} {
			warm, first := get(q.key+" warm"), get(q.key+" first")
			slowest[q.key] = max(slowest[q.key], warm)
			if fmt.Fprintf(w, " %.3f (%.2f) |", warm, first); warm >= q.limit {
				missed = append(missed, q.key)
			} else if first >= q.limit {
				missed = append(missed, q.key+" (first)")
			}
		}
		fmt.Fprintf(w, " %s |\n", strings.Join(missed, ", "))
	}
	of := fmt.Sprintf("search among %s resources, slowest of %d filters: ", grouped(resources), len(searches()))
	t.sheet.AtMost(of+"to the bitmap", "ms", slowest["bitmap"], goals.Asked{Goal: 1}, "warm")
	t.sheet.AtMost(of+"first 100, sorted", "ms", max(slowest["by start"], slowest["by name"]), goals.Asked{Goal: 5}, "warm")
}

func (t *table) weeks(s *settings, m, made map[string]float64) {
	n, rest := m["samples"], m["bytes"]-made["bytes"]
	t.row(fmt.Sprintf("%s metrics for %d days: at rest", grouped(s.weeksMetrics), s.weeksDays), "", "B/sample", rest/n, 0,
		"%s samples, catalogue not counted; MemoryBytes %d MiB; %.2f CPU s/M; peak %.0f MiB", grouped(int(n)), s.weeksMemoryMiB, m["CPU/M"], m["peak MiB"])
	t.row("- written by the engine (log, flushes, compactions) / at rest", "<= 4", "x", m["written"]/rest, 4,
		"%.1f B/sample, of them %.1f before Compact; %.0f blocks", m["written"]/n, m["written appending"]/n, m["blocks"])
	t.row("- written by the engine / 16 B a sample", "<= 4", "x", m["written"]/n/16, 4, "the process gave the file system %.1f B/sample", m["wchar"]/n)
}
