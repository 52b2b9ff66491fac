// Command cloud measures a small cloud: it builds and starts the server on an empty directory, gives it workload B over HTTP, asks
// what dashboards ask, and prints what it cost beside the goals.
//
//	cd bench && go run ./cmd/cloud [-o results.md] [-results FILE] [-gnocchi URL] [-scale]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/telemetrydb/tsdb/bench/cloud"
	"github.com/telemetrydb/tsdb/bench/goals"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cloud:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) (err error) {
	fs := flag.NewFlagSet("cloud", flag.ContinueOnError)
	flags := goals.New("cloud", fs)
	var o cloud.Options
	fs.IntVar(&o.Instances, "instances", 1000, "instances of the workload")
	fs.IntVar(&o.Ticks, "ticks", 288, "periods of 300 s")
	fs.IntVar(&o.Live, "live", 6, "of these, cycles that are posted as in life")
	fs.StringVar(&o.Gnocchi, "gnocchi", "", "URL of a running Gnocchi in basic mode that gets the same work, for the ratios")
	fs.BoolVar(&o.Keep, "keep", false, "leave the directory")
	scale := fs.Bool("scale", false, "in place of all that: what the same result costs from 10,000 and from 100,000 resources")
	size := fs.Int("size", 0, "with -scale: resources of the larger store (default 100,000)")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if o.Binary, o.Dir, o.ServeArgs, err = flags.Server(); err != nil {
		return err
	}
	if *scale {
		r, err := cloud.Scale(o, *size)
		if err != nil {
			return err
		}
		return flags.ShowTable(out, r.Table(), "Every answer was compared with the generator.", r.Growth())
	}
	r, err := cloud.Run(o)
	if err != nil {
		return err
	}
	return flags.Show(out, r.Goals(), fmt.Sprintf("%d values read back over HTTP and every timed answer equal the generator's.", r.Checked()))
}
