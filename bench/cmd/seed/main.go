// Command seed takes the founding measurement: it builds and starts the server on an empty directory, loads workload A over HTTP,
// and prints what it cost beside the goals.
//
//	cd bench && go run ./cmd/seed [-o results.md]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/seed"
	"github.com/telemetrydb/tsdb/bench/served"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("seed", flag.ContinueOnError)
	var o seed.Options
	work := fs.String("work", ".work", "scratch directory")
	source := fs.String("source", "..", "directory of the module that the server is built from")
	fs.StringVar(&o.Binary, "tsdb", "", "server binary (default: built from -source)")
	fs.IntVar(&o.Ticks, "ticks", 0, "seconds of the workload (default all, 19,800)")
	serve := fs.String("serve", "", "further arguments of tsdb serve, separated by blanks")
	markdown := fs.String("o", "", "also write the table as Markdown to this file")
	strict := fs.Bool("strict", false, "fail when a goal is not met")
	if err := fs.Parse(args); err != nil {
		return err
	}
	o.Dir, o.ServeArgs = filepath.Join(*work, "seed"), strings.Fields(*serve)
	if o.Binary == "" {
		var err error
		if o.Binary, err = served.Build(*source, *work, false); err != nil {
			return err
		}
	}
	r, err := seed.Run(o)
	if err != nil {
		return err
	}
	t := r.Table()
	t.SetStyle(table.StyleLight)
	note := fmt.Sprintf("%d values read back over HTTP equal the generator's.", r.Checked())
	fmt.Fprintf(out, "%s\n%s\n", t.Render(), note)
	if *markdown != "" {
		if err := os.WriteFile(*markdown, []byte(t.RenderMarkdown()+"\n\n"+note+"\n"), 0o644); err != nil {
			return err
		}
	}
	if *strict && !r.Met() {
		return fmt.Errorf("not every goal is met")
	}
	return nil
}
