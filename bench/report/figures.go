package report

import (
	"slices"
	"strings"
)

// kind is what is known of a number by its name.
type kind struct {
	name   string
	title  string
	unit   string
	more   bool // is better
	fault  bool // counts what went wrong
	detail bool // is shown only among all figures
}

// kinds are the numbers that are not of a question, in the order of rows.
var kinds = []kind{
	{name: "samples_per_s", title: "samples a second", unit: "samples/s", more: true},
	{name: "total_cpu_s_per_million", title: "CPU a million samples, sealed and compacted", unit: "s"},
	{name: "ingest_cpu_s_per_million", title: "CPU a million samples, while appending", unit: "s"},
	{name: "at_rest_bytes_per_sample", title: "bytes a sample at rest, all in", unit: "B"},
	{name: "peak_mib", title: "peak memory", unit: "MiB"},
	{name: "settle_s", title: "until settled", unit: "s"},
	{name: "mixed_samples_per_s", title: "samples a second", unit: "samples/s", more: true},
	{name: "mixed_answers_per_s", title: "answers a second", unit: "answers/s", more: true},
	{name: "mixed_cpu_cores", title: "processors in use", unit: "cores", detail: true},
	{name: "restart_best_ms", title: "until the first answer, best", unit: "ms"},
	{name: "restart_median_ms", title: "until the first answer, median", unit: "ms", detail: true},
	{name: "restart_cpu_ms", title: "CPU until the first answer", unit: "ms", detail: true},
	{name: "lost", title: "acknowledged samples lost at kill -9", fault: true},
	{name: "wrong_series", title: "series that are wrong after kill -9", fault: true},
	{name: "inexact_series", title: "series not exact to the bit", fault: true},
	{name: "reopen_ms", title: "until open again", unit: "ms"},
	{name: "reopen_ms_per_million", title: "until open again, a million samples", unit: "ms"},
	{name: "reopen_cpu_ms", title: "CPU until open again", unit: "ms", detail: true},
	{name: "reopen_cpu_ms_per_million", title: "CPU until open again, a million samples", unit: "ms", detail: true},
	{name: "all_bytes_per_sample", title: "bytes a sample, logs and caches too", unit: "B", detail: true},
	{name: "server_ingest_cpu_s_per_million", title: "CPU of the server alone, while appending", unit: "s", detail: true},
	{name: "server_cpu_s_per_million", title: "CPU of the server alone", unit: "s", detail: true},
	{name: "client_cpu_s_per_million", title: "CPU of the client alone", unit: "s", detail: true},
	{name: "client_peak_mib", title: "peak memory of the client", unit: "MiB", detail: true},
	{name: "ingest_s", title: "time of appending", unit: "s", detail: true},
}

// units by the ends of names that no kind has.
var units = []struct{ suffix, unit string }{
	{"_per_s", "/s"}, {"_us", "us"}, {"_ms", "ms"}, {"_ns", "ns"}, {"_mib", "MiB"}, {"_bytes", "B"}, {"_percent", "%"}, {"_s", "s"},
}

// questions are what is asked, in the order of rows.
var questions = []struct{ name, title string }{
	{"q1", "all samples of a series"},
	{"q2", "one hour of a series"},
	{"q3", "mean per 5 min of a series, all time"},
	{"q3stored", "the same from the policy's points"},
	{"q4", "mean per 5 min, a group, last hour"},
	{"q5", "series of a project, names read"},
	{"qn1000", "newest 1,000 samples of a series"},
	{"qn9127", "newest 9,127 samples of a series"},
}

// aspects are the numbers of a question, in the order of rows.
var aspects = []struct {
	suffix, title string
	detail        bool
}{
	{"_best_us", "best", false}, {"_median_us", "median", false}, {"_p90_us", "p90", true}, {"_p99_us", "p99", false}, {"_max_us", "longest", true},
	{"_cpu_us", "CPU", true},
}

// phaseTitles are in the order of rows; the title begins every row of the phase.
var phaseTitles = []struct{ phase, title string }{
	{"ingest", "ingest"}, {"query", "warm"}, {"cold", "cold"}, {"mixed", "while writing"}, {"restart", "after a clean close"},
	{"crash-check", "after kill -9"}, {"verify", "read back"},
}

func kindOf(name string) (at int, k kind) {
	at = slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if at >= 0 {
		return at, kinds[at]
	}
	k = kind{name: name, title: strings.ReplaceAll(name, "_", " "), detail: true, more: strings.HasSuffix(name, "_per_s")}
	for _, u := range units {
		if strings.HasSuffix(name, u.suffix) {
			k.unit = u.unit
			break
		}
	}
	return len(kinds), k
}

// questionOf splits the name of a question's number, in whatever phase it was asked.
func questionOf(name string) (question string, aspect int, ok bool) {
	for i, a := range aspects {
		if q, found := strings.CutSuffix(name, a.suffix); found {
			return strings.TrimSuffix(strings.TrimPrefix(q, "mixed_"), "_cold"), i, true
		}
	}
	return "", 0, false
}

func questionTitle(q string) string {
	for _, known := range questions {
		if known.name == q {
			return known.title
		}
	}
	return strings.ReplaceAll(q, "_", " ")
}

// directionOf tells whether more of a number is better, or, of some, that neither is.
func directionOf(name string) (more, any bool) {
	if _, _, ok := questionOf(name); ok {
		return false, true
	}
	at, k := kindOf(name)
	return k.more, at < len(kinds) || k.unit != ""
}

func isFault(name string) bool {
	_, k := kindOf(name)
	return k.fault
}

// row is a figure as a table shows it.
type row struct {
	figure
	title, unit string
	detail      bool
	question    string // "" if it is not of one
	order       [4]int // of rows
}

// rowOf makes the row of a figure.
func rowOf(f figure) row {
	r := row{figure: f, order: [4]int{len(phaseTitles), variantOrder(f.variant), len(kinds), 0}}
	title := f.phase
	for i, p := range phaseTitles {
		if p.phase == f.phase {
			r.order[0], title = i, p.title
		}
	}
	title += variantTitle(f.phase, f.variant)
	if q, aspect, ok := questionOf(f.name); ok {
		r.question, r.unit, r.detail = q, "us", aspects[aspect].detail || f.phase != "query" && aspects[aspect].suffix == "_best_us"
		at := slices.IndexFunc(questions, func(k struct{ name, title string }) bool { return k.name == q })
		if at < 0 {
			at = len(questions)
		}
		r.order[2], r.order[3] = len(kinds)+1+at, aspect
		r.title = title + ": " + questionTitle(q) + ", " + aspects[aspect].title
		return r
	}
	at, k := kindOf(f.name)
	r.unit, r.detail, r.order[2] = k.unit, k.detail, at
	r.title = title + ": " + k.title
	if f.phase == "ingest" && f.variant != "1" && f.name != "samples_per_s" && f.name != "total_cpu_s_per_million" {
		r.detail = true
	}
	if f.name == "peak_mib" && f.phase != "ingest" && f.phase != "query" {
		r.detail = true
	}
	return r
}

// variantOrder puts one writer first, then more of them, then the rest.
func variantOrder(v string) int {
	n := 0
	for _, c := range v {
		if c < '0' || c > '9' || n > 1000 {
			return 2000
		}
		n = 10*n + int(c-'0')
	}
	return n
}

func variantTitle(phase, v string) string {
	switch {
	case v == "":
		return ""
	case phase == "ingest" && v == "1":
		return ", 1 writer"
	case phase == "ingest" && variantOrder(v) < 2000:
		return ", " + v + " writers"
	case v == "1s":
		return ", batches of 1 s"
	case v == "fsync":
		return ", each batch synced"
	}
	return ", " + v
}

func compareRows(a, b row) int {
	if d := slices.Compare(a.order[:], b.order[:]); d != 0 {
		return d
	}
	return strings.Compare(a.variant+" "+a.name, b.variant+" "+b.name)
}
