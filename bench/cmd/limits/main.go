// Command limits prints what the machine itself can do, to read other figures beside it.
//
//	cd bench && go run ./cmd/limits [-sets D1,D2] [-work .work] [-results FILE]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/goals"
	"github.com/telemetrydb/tsdb/bench/limits"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("limits", flag.ContinueOnError)
	work := fs.String("work", ".work", "scratch directory, on the disk that is measured")
	sets := fs.String("sets", "D1", "prepared sets whose entropy is estimated, comma separated; may be empty")
	flags := goals.Reporting(fs)
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := os.MkdirAll(*work, 0o755); err != nil {
		return err
	}
	all, err := limits.Machine(*work)
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(*sets, ",") {
		if name == "" {
			continue
		}
		set, err := dataset.Prepared(filepath.Join(*work, name), name)
		if err != nil {
			return err
		}
		some, err := limits.Entropy(set)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, some...)
	}
	t := table.NewWriter()
	t.AppendHeader(table.Row{"limit of the machine", "measured", "unit", "notes"})
	sheet := goals.Sheet{Section: "limits of the machine"}
	for _, l := range all {
		t.AppendRow(table.Row{l.What, fmt.Sprintf("%.3g", l.Value), l.Unit, l.Note})
		sheet.AtMost(l.What, l.Unit, l.Value, goals.Asked{}, l.Note)
	}
	return flags.ShowTable(out, t, "", sheet.Records())
}
