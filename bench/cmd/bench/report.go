package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/telemetrydb/tsdb/bench/report"
	"github.com/telemetrydb/tsdb/bench/suite"
)

// reportRun prints the tables of a run, and leaves it as Markdown and as a page: report.md and report.html of the usual file of results, and of
// another one beside it, of its name.
func reportRun(o suite.Options, out io.Writer) error {
	name := strings.TrimSuffix(o.Out, filepath.Ext(o.Out))
	if usual := filepath.Join(o.Work, "results"); name == usual {
		name = filepath.Join(o.Work, "report")
	}
	page, markdown := name+".html", name+".md"
	if err := report.Command([]string{"-html", page, "-md", markdown, o.Out}, out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "The same as a page: %s, and as Markdown: %s\n", page, markdown)
	return err
}

// show prints the tables of files of results, or writes them in other forms.
func show(args []string, out io.Writer) error { return report.Command(args, out) }

// compare fails when the new of two files has become worse.
func compare(args []string, out io.Writer) error { return report.CompareCommand(args, out) }
