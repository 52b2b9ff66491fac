package goals

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/report"
	"github.com/telemetrydb/tsdb/bench/results"
	"github.com/telemetrydb/tsdb/bench/served"
)

// ErrNotMet is what Show gives with -strict when a goal is missed.
var ErrNotMet = errors.New("not every goal is met")

// Flags are the flags of every such command.
type Flags struct {
	name     string
	work     string
	source   string
	binary   string
	serve    string
	markdown string
	results  string
	strict   bool
}

// New adds the flags of a command to fs. Its stores are in a folder of its name below -work.
func New(name string, fs *flag.FlagSet) *Flags {
	f := Reporting(fs)
	f.name = name
	fs.StringVar(&f.work, "work", ".work", "scratch directory")
	fs.StringVar(&f.source, "source", "..", "directory of the module that the server is built from")
	fs.StringVar(&f.binary, "tsdb", "", "server binary (default: built from -source)")
	fs.StringVar(&f.serve, "serve", "", "further arguments of tsdb serve, separated by blanks")
	return f
}

// Reporting adds only the flags about what becomes of the figures, for commands that start no server.
func Reporting(fs *flag.FlagSet) *Flags {
	f := new(Flags)
	fs.StringVar(&f.markdown, "o", "", "also write the table as Markdown to this file")
	fs.StringVar(&f.results, "results", "", "also append what was measured, as lines of JSON, to this file")
	fs.BoolVar(&f.strict, "strict", false, "fail when a goal is not met")
	return f
}

// Server tells what to run: the server's binary, which is built unless it was named, the directory of its stores, and its further
// arguments.
func (f *Flags) Server() (binary, dir string, args []string, err error) {
	binary, dir, args = f.binary, filepath.Join(f.work, f.name), strings.Fields(f.serve)
	if binary == "" {
		binary, err = served.Build(f.source, f.work, false)
	}
	return binary, dir, args, err
}

// Show prints goals and a note, writes and appends them to the files that the flags name, the latter with further records, and with -strict fails when
// one is not met.
func (f *Flags) Show(out io.Writer, all []results.Goal, note string, records ...results.Record) error {
	if err := f.ShowTable(out, report.GoalTable(all), note, append(recordsOf(all), records...)); err != nil {
		return err
	}
	missed := slices.ContainsFunc(all, func(g results.Goal) bool {
		met, has := g.Met()
		return has && !met
	})
	if f.strict && missed {
		return ErrNotMet
	}
	return nil
}

// ShowTable does the same with a table of any kind and its records.
func (f *Flags) ShowTable(out io.Writer, t table.Writer, note string, records []results.Record) error {
	t.SetStyle(table.StyleLight)
	fmt.Fprintf(out, "%s\n%s\n", t.Render(), note)
	if f.results != "" {
		if err := results.Append(f.results, records...); err != nil {
			return err
		}
	}
	if f.markdown == "" {
		return nil
	}
	return os.WriteFile(f.markdown, []byte(t.RenderMarkdown()+"\n\n"+note+"\n"), 0o644)
}
