// Command prep writes a prepared data set into a directory.
//
//	go run ./cmd/prep -set D1 -dir .work/D1
//	go run ./cmd/prep -set D3 -dir .work/D3 -series FILE.series.tsv -pts FILE.pts.zst
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/dataset/realdata"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "prep:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	fs := flag.NewFlagSet("prep", flag.ContinueOnError)
	set := fs.String("set", "D1", "D1, D2, A, B, devops, each also as NAME:TICKS, or the name of a set made from -pts")
	dir := fs.String("dir", "", "directory to write (default .work/SET)")
	series := fs.String("series", "", "series.tsv of the PTS1 file")
	pts := fs.String("pts", "", "PTS1 file, plain or in zstd")
	step := fs.Int64("step", 300_000, "nominal milliseconds between samples of the PTS1 file")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		*dir = ".work/" + dataset.DirName(*set)
	}
	if *pts != "" {
		return realdata.Prepare(*dir, *set, *step, *series, *pts)
	}
	_, err := dataset.Prepared(*dir, *set)
	return err
}
