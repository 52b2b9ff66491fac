// Command ceilometer takes the founding measurement as Ceilometer's users would: it builds and starts the server, publishes workload A
// as samples, asks the v2 API, and prints what it cost beside MongoDB's figures and the goals.
//
//	cd bench && go run ./cmd/ceilometer [-ticks 600] [-o results.md] [-results FILE]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/telemetrydb/tsdb/bench/ceilometer"
	"github.com/telemetrydb/tsdb/bench/goals"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ceilometer:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) (err error) {
	fs := flag.NewFlagSet("ceilometer", flag.ContinueOnError)
	flags := goals.New("ceilometer", fs)
	var o ceilometer.Options
	fs.IntVar(&o.Ticks, "ticks", 0, "seconds of the workload (default all, 19,800)")
	fs.IntVar(&o.Clients, "clients", 8, "how many publish at a time, after one alone did")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if o.Clients < 1 {
		return fmt.Errorf("-clients %d: want at least 1", o.Clients)
	}
	if o.Binary, o.Dir, o.ServeArgs, err = flags.Server(); err != nil {
		return err
	}
	r, err := ceilometer.Run(o)
	if err != nil {
		return err
	}
	return flags.Show(out, r.Goals(),
		fmt.Sprintf("%d samples read back over HTTP, and the statistics of every meter, equal the generator's.", r.Checked()))
}
