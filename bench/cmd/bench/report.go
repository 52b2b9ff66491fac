package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/report"
	"github.com/telemetrydb/tsdb/bench/results"
	"github.com/telemetrydb/tsdb/bench/suite"
)

func reportRun(o suite.Options, out io.Writer) error { return show([]string{o.Out}, out) }

// show prints the tables of files of results.
func show(paths []string, out io.Writer) error {
	if len(paths) == 0 {
		return errors.New("report: name a file of results")
	}
	var rs report.Results
	for _, path := range paths {
		records, err := results.Read(path)
		for _, r := range records {
			if r.Result != nil {
				rs = append(rs, *r.Result)
			}
			if m := r.Missing; m != nil {
				fmt.Fprintf(out, "%s %s %s: not run: %s\n", m.Target, m.Set, m.Phase, m.Why)
			}
		}
		if err != nil {
			return err
		}
	}
	for _, set := range rs.Sets() {
		for _, t := range []table.Writer{rs.Goals(set), rs.Plain(set)} {
			t.SetStyle(table.StyleLight)
			fmt.Fprintf(out, "%s\n\n", t.Render())
		}
	}
	for _, note := range rs.Disagreements() {
		fmt.Fprintln(out, note)
	}
	return nil
}

func compare([]string, io.Writer) error {
	return errors.New("compare: package report has no comparison yet")
}
