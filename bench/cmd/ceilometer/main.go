// Command ceilometer takes the founding measurement as Ceilometer's users would: it builds and starts the server, publishes workload A
// as samples, asks the v2 API, and prints what it cost beside MongoDB's figures and the goals.
//
//	cd bench && go run ./cmd/ceilometer [-ticks 600] [-o results.md]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/ceilometer"
	"github.com/telemetrydb/tsdb/bench/served"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ceilometer:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("ceilometer", flag.ContinueOnError)
	var o ceilometer.Options
	work := fs.String("work", ".work", "scratch directory")
	source := fs.String("source", "..", "directory of the module that the server is built from")
	fs.StringVar(&o.Binary, "tsdb", "", "server binary (default: built from -source)")
	fs.IntVar(&o.Ticks, "ticks", 0, "seconds of the workload (default all, 19,800)")
	fs.IntVar(&o.Clients, "clients", 8, "how many publish at a time, after one alone did")
	serve := fs.String("serve", "", "further arguments of tsdb serve, separated by blanks")
	markdown := fs.String("o", "", "also write the table as Markdown to this file")
	strict := fs.Bool("strict", false, "fail when a goal is not met")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if o.Clients < 1 {
		return fmt.Errorf("-clients %d: want at least 1", o.Clients)
	}
	o.Dir, o.ServeArgs = filepath.Join(*work, "ceilometer"), strings.Fields(*serve)
	if o.Binary == "" {
		var err error
		if o.Binary, err = served.Build(*source, *work, false); err != nil {
			return err
		}
	}
	r, err := ceilometer.Run(o)
	if err != nil {
		return err
	}
	t := r.Table()
	t.SetStyle(table.StyleLight)
	note := fmt.Sprintf("%d samples read back over HTTP, and the statistics of every meter, equal the generator's.", r.Checked())
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
