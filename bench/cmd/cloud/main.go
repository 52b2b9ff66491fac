// Command cloud measures a small cloud: it builds and starts the server on an empty directory, gives it workload B over HTTP, asks
// what dashboards ask, and prints what it cost beside the goals.
//
//	cd bench && go run ./cmd/cloud [-o results.md] [-gnocchi URL] [-scale]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/cloud"
	"github.com/telemetrydb/tsdb/bench/served"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cloud:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("cloud", flag.ContinueOnError)
	var o cloud.Options
	work := fs.String("work", ".work", "scratch directory")
	source := fs.String("source", "..", "directory of the module that the server is built from")
	fs.StringVar(&o.Binary, "tsdb", "", "server binary (default: built from -source)")
	fs.IntVar(&o.Instances, "instances", 1000, "instances of the workload")
	fs.IntVar(&o.Ticks, "ticks", 288, "periods of 300 s")
	fs.IntVar(&o.Live, "live", 6, "of these, cycles that are posted as in life")
	fs.StringVar(&o.Gnocchi, "gnocchi", "", "URL of a running Gnocchi in basic mode that gets the same work, for the ratios")
	fs.BoolVar(&o.Keep, "keep", false, "leave the directory")
	scale := fs.Bool("scale", false, "in place of all that: what the same result costs from 10,000 and from 100,000 resources")
	size := fs.Int("size", 0, "with -scale: resources of the larger store (default 100,000)")
	serve := fs.String("serve", "", "further arguments of tsdb serve, separated by blanks")
	markdown := fs.String("o", "", "also write the table as Markdown to this file")
	strict := fs.Bool("strict", false, "fail when a goal is not met")
	if err := fs.Parse(args); err != nil {
		return err
	}
	o.Dir, o.ServeArgs = filepath.Join(*work, "cloud"), strings.Fields(*serve)
	if o.Binary == "" {
		var err error
		if o.Binary, err = served.Build(*source, *work, false); err != nil {
			return err
		}
	}
	if *scale {
		r, err := cloud.Scale(o, *size)
		if err != nil {
			return err
		}
		return show(out, *markdown, r.Table(), "Every answer was compared with the generator.")
	}
	r, err := cloud.Run(o)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%d values read back over HTTP and every timed answer equal the generator's.", r.Checked())
	if err := show(out, *markdown, r.Table(), note); err != nil {
		return err
	}
	if *strict && !r.Met() {
		return fmt.Errorf("not every goal is met")
	}
	return nil
}

// show prints a table, and writes it to a file if one is named.
func show(out io.Writer, file string, t table.Writer, note string) error {
	t.SetStyle(table.StyleLight)
	fmt.Fprintf(out, "%s\n%s\n", t.Render(), note)
	if file == "" {
		return nil
	}
	return os.WriteFile(file, []byte(t.RenderMarkdown()+"\n\n"+note+"\n"), 0o644)
}
