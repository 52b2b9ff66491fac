// Command where prints what the CPU time of ingest, sealing, scans, searches and HTTP goes to.
//
//	cd bench && go run ./cmd/where [-only "HTTP"]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/where"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "where:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("where", flag.ContinueOnError)
	work := fs.String("work", ".work", "scratch directory, with set D2")
	only := fs.String("only", "", "activities whose names hold this")
	markdown := fs.String("o", "", "also write the tables as Markdown to this file")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if _, err := dataset.Prepared(filepath.Join(*work, "D2"), "D2"); err != nil {
		return err
	}
	var md strings.Builder
	for _, a := range where.Activities {
		if !strings.Contains(a.Name, *only) {
			continue
		}
		shares, total, err := a.Take(*work)
		if err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
		slices.SortStableFunc(shares, func(x, y where.Share) int { return int(1e6*y.Part) - int(1e6*x.Part) })
		t := table.NewWriter()
		t.SetStyle(table.StyleLight)
		t.AppendHeader(table.Row{a.Name, fmt.Sprintf("of %.1f CPU s", total.Seconds())})
		for _, s := range shares {
			t.AppendRow(table.Row{s.Name, fmt.Sprintf("%.0f %%", 100*s.Part)})
		}
		fmt.Fprintf(out, "%s\n\n", t.Render())
		fmt.Fprintf(&md, "%s\n\n", t.RenderMarkdown())
	}
	if *markdown == "" {
		return nil
	}
	return os.WriteFile(*markdown, []byte(md.String()), 0o644)
}
