// Command codec prints what a sample costs in the project's blocks and in Prometheus' XOR chunks.
//
//	go run ./cmd/codec -sets D1,D2 [-rows 1024] [-o FILE] [-results FILE]
//
// D1 and D2 are made when they are missing; others must have been prepared: see cmd/prep.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/telemetrydb/tsdb/bench/codec"
	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/goals"
)

// most are the most bytes a sample: at ingest, and in blocks re-encoded in the background.
var most = map[string][2]float64{"D1": {1.43, 1.43}, "D2": {2.65, 2.65}, "D3": {1.05, 0.95}}

// fasterDecode is how many times as fast as XOR decoding must be.
const fasterDecode = 4

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "codec:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("codec", flag.ContinueOnError)
	flags := goals.Reporting(fs)
	sets := fs.String("sets", "D1,D2", "prepared sets, comma separated")
	work := fs.String("work", ".work", "directory that holds them")
	rows := fs.Int("rows", 1024, "samples a block")
	if err := fs.Parse(args); err != nil {
		return err
	}
	sheet := &goals.Sheet{Section: "4 codecs", Peer: "Prometheus XOR"}
	for _, name := range strings.Split(*sets, ",") {
		set, err := dataset.Prepared(filepath.Join(*work, name), name)
		if err != nil {
			return err
		}
		if err := addSet(sheet, set, *rows); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return flags.Show(out, sheet.Goals, fmt.Sprintf("Blocks of %d samples, times and values; CPU time, the best of several passes by turns; every bit compared.", *rows))
}

// addSet measures a set. Blocks for cold data are written in the background: how long that takes has no goal.
func addSet(sheet *goals.Sheet, set *dataset.Set, rows int) error {
	columns, err := codec.Cut(set, rows)
	if err != nil {
		return err
	}
	figures, err := columns.Compare()
	if err != nil {
		return err
	}
	xor := figures[0]
	for i, f := range figures[1:] {
		what, encode := set.Name+": ", goals.Asked{Peer: xor.EncodeNanos, Goal: xor.EncodeNanos}
		if i == 1 {
			what, encode.Goal = set.Name+", cold: ", 0
		}
		sheet.AtMost(what+"bytes a sample", "B/sample", f.Bytes, goals.Asked{Peer: xor.Bytes, Goal: most[set.Name][i]}, "")
		sheet.AtMost(what+"encode a sample", "ns", f.EncodeNanos, encode, "")
		sheet.AtMost(what+"decode a sample", "ns", f.DecodeNanos, goals.Asked{Peer: xor.DecodeNanos, Goal: xor.DecodeNanos / fasterDecode}, "")
	}
	return nil
}
