// Command bench compares time-series stores on the same samples and queries, by turns, and prints the goals as ratios.
//
//	go run ./cmd/bench -sets D1,D2 -engines tsdb,prometheus,victoriametrics -rounds 3 -md results.md
//	go run ./cmd/bench -sets D3 -series FILE.series.tsv -pts FILE.pts.zst
//	go run ./cmd/bench -report .work/bench.jsonl
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/report"
	"github.com/telemetrydb/tsdb/bench/target"
)

func main() {
	if err := command(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func command(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	s := session{out: out}
	sets := fs.String("sets", "D1,D2", "data sets, comma separated; others than D1 and D2 need -series and -pts")
	engines := fs.String("engines", "tsdb,prometheus,victoriametrics", "engines, comma separated: also naive, null")
	phases := fs.String("phases", "ingest,query,verify,ingest2,fsync,crash", "phases, comma separated")
	fs.IntVar(&s.rounds, "rounds", 3, "rounds; the engines take turns in each")
	fs.StringVar(&s.work, "work", ".work", "scratch directory for binaries, sets and stores")
	fs.StringVar(&s.seriesPath, "series", "", "series.tsv of the real set")
	fs.StringVar(&s.ptsPath, "pts", "", "PTS1 file of the real set")
	fs.BoolVar(&s.install, "install", false, "install the Debian packages that VictoriaMetrics' adapter needs (root)")
	fs.Float64Var(&s.killAt, "kill-at", 0.6, "part of the samples acknowledged when the process is killed")
	lines := fs.String("out", "", "file that result lines are appended to (default WORK/bench.jsonl)")
	old := fs.String("report", "", "print the tables of a file of result lines instead of running anything")
	markdown := fs.String("md", "", "also write the tables as Markdown to this file")
	if err := fs.Parse(args); err != nil {
		return err
	}
	s.sets, s.engines, s.phases = strings.Split(*sets, ","), strings.Split(*engines, ","), strings.Split(*phases, ",")
	var results report.Results
	var missing []string
	var err error
	if *old != "" {
		results, err = readLines(*old)
	} else {
		if *lines == "" {
			*lines = filepath.Join(s.work, "bench.jsonl")
		}
		results, missing, err = s.run(*lines)
	}
	if len(results) > 0 {
		err = errors.Join(err, show(results, missing, out, *markdown))
	}
	return err
}

func readLines(path string) (results report.Results, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for d := json.NewDecoder(f); ; {
		var r target.Result
		if err := d.Decode(&r); err == io.EOF {
			return results, nil
		} else if err != nil {
			return results, fmt.Errorf("%s: %w", path, err)
		}
		results = append(results, r)
	}
}

// show prints the tables to the terminal and, when asked, as Markdown to a file.
func show(rs report.Results, missing []string, out io.Writer, markdownPath string) error {
	var md strings.Builder
	for _, set := range rs.Sets() {
		for _, t := range []table.Writer{rs.Goals(set), rs.Plain(set)} {
			t.SetStyle(table.StyleLight)
			fmt.Fprintf(out, "%s\n\n", t.Render())
			fmt.Fprintf(&md, "%s\n\n", t.RenderMarkdown())
		}
	}
	notes := append(missing, rs.Disagreements()...)
	for _, note := range notes {
		fmt.Fprintln(out, note)
		fmt.Fprintf(&md, "* %s\n", note)
	}
	if markdownPath == "" {
		return nil
	}
	return os.WriteFile(markdownPath, []byte(md.String()), 0o644)
}
