// Command codec prints what a sample costs in the project's blocks and in Prometheus' XOR chunks.
//
//	go run ./cmd/codec -sets D1,D2 [-rows 1024] [-md FILE]
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

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/codec"
	"github.com/telemetrydb/tsdb/bench/dataset"
)

// goals are the most bytes a sample: at ingest, and in blocks re-encoded in the background.
var goals = map[string][2]float64{"D1": {1.43, 1.43}, "D2": {2.65, 2.65}, "D3": {1.05, 0.95}}

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
	sets := fs.String("sets", "D1,D2", "prepared sets, comma separated")
	work := fs.String("work", ".work", "directory that holds them")
	rows := fs.Int("rows", 1024, "samples a block")
	markdown := fs.String("md", "", "also write the table as Markdown to this file")
	if err := fs.Parse(args); err != nil {
		return err
	}
	t := table.NewWriter()
	t.AppendHeader(table.Row{"set", "codec", "bytes/sample", "goal", "met", "encode ns", "/ XOR", "met", "decode ns", "XOR /", "met"})
	for _, name := range strings.Split(*sets, ",") {
		set, err := dataset.Prepared(filepath.Join(*work, name), name)
		if err != nil {
			return err
		}
		if err := addSet(t, set, *rows); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	t.SetStyle(table.StyleLight)
	fmt.Fprintln(out, t.Render())
	if *markdown == "" {
		return nil
	}
	return os.WriteFile(*markdown, []byte(t.RenderMarkdown()+"\n"), 0o644)
}

func addSet(t table.Writer, set *dataset.Set, rows int) error {
	columns, err := codec.Cut(set, rows)
	if err != nil {
		return err
	}
	figures, err := columns.Compare()
	if err != nil {
		return err
	}
	xor := figures[0]
	t.AppendRow(table.Row{set.Name, "Prometheus XOR", f2(xor.Bytes), "", "", f1(xor.EncodeNanos), "", "", f1(xor.DecodeNanos), "", ""})
	for i, f := range figures[1:] {
		label, encodeMet := "tsdb", met(f.EncodeNanos <= xor.EncodeNanos)
		if i == 1 {
			label, encodeMet = "tsdb, cold", "-" // done in the background: no goal
		}
		goal, sizeMet := "-", "-"
		if g, ok := goals[set.Name]; ok {
			goal, sizeMet = fmt.Sprintf("<= %g", g[i]), met(f.Bytes <= g[i])
		}
		t.AppendRow(table.Row{set.Name, label, f2(f.Bytes), goal, sizeMet, f1(f.EncodeNanos), f2(f.EncodeNanos / xor.EncodeNanos), encodeMet,
			f1(f.DecodeNanos), f2(xor.DecodeNanos / f.DecodeNanos), met(xor.DecodeNanos >= fasterDecode*f.DecodeNanos)})
	}
	return nil
}

func met(ok bool) string {
	if ok {
		return "yes"
	}
	return "NO"
}

func f1(v float64) string { return fmt.Sprintf("%.1f", v) }
func f2(v float64) string { return fmt.Sprintf("%.2f", v) }
