package report

import (
	"errors"
	"slices"
	"strings"

	"github.com/telemetrydb/tsdb/bench/results"
)

// Report is what the files of one or several runs hold.
type Report struct {
	runs    []results.Run
	lines   lines
	missing []results.Missing
	goals   []results.Goal
	growth  []results.Growth
	damaged []string // files that could not be read to their end
}

// Load reads files. What a damaged file holds before its damage counts, and the report says that it is damaged; a file that cannot be
// read at all is an error.
func Load(paths ...string) (*Report, error) {
	r := new(Report)
	var errs []error
	for _, path := range paths {
		records, err := results.Read(path)
		if err != nil && len(records) == 0 {
			errs = append(errs, err)
		} else if err != nil {
			r.damaged = append(r.damaged, err.Error())
		}
		r.add(records)
	}
	return r, errors.Join(errs...)
}

// New makes a report of records.
func New(records []results.Record) *Report {
	r := new(Report)
	r.add(records)
	return r
}

func (r *Report) add(records []results.Record) {
	for _, one := range records {
		switch {
		case one.Run != nil:
			r.runs = append(r.runs, *one.Run)
		case one.Result != nil:
			r.lines = append(r.lines, lineOf(one.Result))
		case one.Missing != nil:
			r.missing = append(r.missing, *one.Missing)
		case one.Goal != nil:
			r.addGoal(*one.Goal)
		case one.Growth != nil:
			r.growth = append(r.growth, *one.Growth)
		}
	}
}

// addGoal keeps the newest figure of a goal that was measured more than once.
func (r *Report) addGoal(g results.Goal) {
	at := slices.IndexFunc(r.goals, func(o results.Goal) bool { return o.Section == g.Section && o.What == g.What && o.Peer == g.Peer })
	if at >= 0 {
		r.goals[at] = g
		return
	}
	r.goals = append(r.goals, g)
}

// versions lists what each target said it is.
func (r *Report) versions() (out [][2]string) {
	for _, target := range r.lines.targets("") {
		var said []string
		for _, l := range r.lines {
			if v := l.texts["version"]; l.target == target && v != "" && !slices.Contains(said, v) {
				said = append(said, v)
			}
		}
		if len(said) > 0 {
			out = append(out, [2]string{r.lines.name(target), strings.Join(said, "; ")})
		}
	}
	return out
}
