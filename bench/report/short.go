package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// short are the goals of the short table: of each section those whose texts begin so.
var short = []struct{ section, title, what string }{
	{"1 through Ceilometer's API", "founding measurement, Ceilometer's API: disk", "disk, the same samples arrived as in life"},
	{"1 through Ceilometer's API", "newest 9,127 samples of a meter", "newest 9,127"},
	{"1 through Ceilometer's API", "statistics of 5.5 h by the minute", "statistics of all"},
	{"1 through Ceilometer's API", "publishing, batches of 70, synced", "batches of 1 s (70), one client, fsynced"},
	{"1 founding measurement", "founding measurement, Gnocchi's API: disk", "disk after a stop, five methods"},
	{"1 founding measurement", "9,100 points of a metric", "GET measures, 9,100"},
	{"1 founding measurement", "posting 60 s a batch, synced", "batch POST of 60 s"},
	{"1 founding measurement", "CPU of a measure, batches of 1 s", "whole life of a measure, 1 s"},
	{"1 founding measurement", "memory, all processes", "memory, peak"},
	{"2 small cloud", "small cloud: 1,000 resources with 10 metrics made", "create 1000"},
	{"2 small cloud", "10,000 measures posted and readable", "live cycle"},
	{"2 small cloud", "disk", "bytes on disk"},
	{"2 small cloud", "search all 1,000 resources", "search all"},
	{engineSection, "linked in, D1: CPU of ingest", "D1: CPU a million"},
	{engineSection, "bytes a sample at rest", "D1: bytes"},
	{engineSection, "all samples of a series", "D1: q1"},
	{engineSection, "mean per 5 min over 70 series", "D1: q4"},
}

// Headline writes a short table as Markdown: of the founding measurement, the small cloud and the linked-in stores what was measured of it.
func (r *Report) Headline(w io.Writer) error {
	var b strings.Builder
	goals := r.allGoals()
	t := table{Head: []string{"", "peer", "theirs", "tsdb", "better by"}}
	for _, s := range short {
		for _, j := range goals {
			if j.Section == s.section && strings.HasPrefix(j.What, s.what) && j.PeerIs != nil && j.why == "" {
				t.Rows = append(t.Rows, cells(s.title, peerOf(&j.Goal), optional(j.PeerIs, j.Unit), Number(j.Value, j.Unit), advantage(&j)))
			}
		}
	}
	fmt.Fprintf(&b, "%s\n\n", t.pretty(markdownMarks).RenderMarkdown())
	var met []string
	for _, s := range standings(goals) {
		if s.asked > 0 {
			met = append(met, escapeMarkdown(s.title()))
		}
	}
	if len(met) > 0 {
		fmt.Fprintf(&b, "Goals: %s.\n", strings.Join(met, "; "))
	}
	if machine := r.machineLine(); machine != "" {
		fmt.Fprintf(&b, "%s\n", escapeMarkdown(machine))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// machineLine is the last run's machine in a sentence.
func (r *Report) machineLine() string {
	if len(r.runs) == 0 {
		return ""
	}
	run := r.runs[len(r.runs)-1]
	var said []string
	for _, name := range facts {
		if v := run.Machine[name]; v != "" {
			said = append(said, name+" "+v)
		}
	}
	if len(said) == 0 {
		return ""
	}
	slices.Sort(said)
	return "Measured on " + strings.Join(said, ", ") + "."
}
