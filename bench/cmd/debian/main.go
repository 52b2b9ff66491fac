// Command debian unpacks the servers that targets need out of Debian's packages into the work directory. It needs no root and starts nothing.
//
//	go run ./cmd/debian [-work .work] promserver vmserver influxdb
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/telemetrydb/tsdb/bench/debian"
)

func main() {
	work := flag.String("work", ".work", "directory to unpack into")
	flag.Parse()
	if err := debian.Install(context.Background(), *work, os.Stderr, flag.Args()...); err != nil {
		fmt.Fprintln(os.Stderr, "debian:", err)
		os.Exit(1)
	}
}
