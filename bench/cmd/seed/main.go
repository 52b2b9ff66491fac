// Command seed takes the founding measurement: it builds and starts the server on an empty directory, loads workload A over HTTP,
// and prints what it cost beside the goals.
//
//	cd bench && go run ./cmd/seed [-o results.md] [-results FILE]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/telemetrydb/tsdb/bench/goals"
	"github.com/telemetrydb/tsdb/bench/seed"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) (err error) {
	fs := flag.NewFlagSet("seed", flag.ContinueOnError)
	flags := goals.New("seed", fs)
	var o seed.Options
	fs.IntVar(&o.Ticks, "ticks", 0, "seconds of the workload (default all, 19,800)")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if o.Binary, o.Dir, o.ServeArgs, err = flags.Server(); err != nil {
		return err
	}
	r, err := seed.Run(o)
	if err != nil {
		return err
	}
	return flags.Show(out, r.Goals(), fmt.Sprintf("%d values read back over HTTP equal the generator's.", r.Checked()))
}
