// Command load puts the server under load: it builds it with the race detector, gives it 64 clients that write, read, search and
// change things, and looks for errors, answers that mix two states, and memory beyond its bound.
//
//	cd bench && go run ./cmd/load [-for 5m]
package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/load"
	"github.com/telemetrydb/tsdb/bench/served"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// defaultServe bounds what the server may take for its data and for bodies. The most that it may take in all has room for the program itself,
// and for what the race detector adds to all of it, which grows for as long as new memory is touched.
const (
	defaultServe = "--memory 64MiB --max-bodies 64MiB"
	memoryMB     = 192
	raceMemoryMB = 768
)

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	var o load.Options
	work := fs.String("work", ".work", "scratch directory")
	source := fs.String("source", "..", "directory of the module that the server is built from")
	race := fs.Bool("race", true, "build with the race detector")
	fs.StringVar(&o.Binary, "tsdb", "", "server binary (default: built from -source)")
	fs.DurationVar(&o.For, "for", 5*time.Minute, "how long")
	fs.IntVar(&o.Clients, "clients", 64, "clients at once")
	fs.Float64Var(&o.MemoryMB, "limit", 0, "the most resident memory, MB (default 768 with the race detector, 192 without)")
	fs.Uint64Var(&o.Seed, "seed", rand.Uint64(), "of the clients' choices")
	serve := fs.String("serve", defaultServe, "further arguments of tsdb serve, separated by blanks")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if o.MemoryMB == 0 {
		if o.MemoryMB = memoryMB; *race {
			o.MemoryMB = raceMemoryMB
		}
	}
	o.Dir, o.ServeArgs = filepath.Join(*work, "load"), strings.Fields(*serve)
	if o.Binary == "" {
		var err error
		if o.Binary, err = served.Build(*source, *work, *race); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "load: %v with seed %d\n", o.For, o.Seed)
	r, err := load.Run(o)
	if r != nil {
		t := r.Table()
		t.SetStyle(table.StyleLight)
		fmt.Fprintf(out, "%s\n%s\n", t.Render(), r.Summary())
	}
	return err
}
