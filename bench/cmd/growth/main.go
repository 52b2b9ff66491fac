// Command growth prints how costs grow with the work, each size in a process of its own.
//
//	cd bench && go run ./cmd/growth [-dimensions "metrics,clients"] [-results FILE]
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/growth"
	"github.com/telemetrydb/tsdb/bench/results"
	"github.com/telemetrydb/tsdb/bench/served"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("growth", flag.ContinueOnError)
	work := fs.String("work", ".work", "scratch directory")
	dimensions := fs.String("dimensions", "", "only these, comma separated")
	source := fs.String("source", "..", "directory of the module that the server is built from")
	binary := fs.String("tsdb", "", "server binary (default: built from -source)")
	file := fs.String("results", "", "also append the figures to this file of results")
	markdown := fs.String("o", "", "also write the tables as Markdown to this file")
	part := fs.Int("part", 1, "divide the work by this")
	one := fs.Int("one", -1, "measure only the size of this number, in this process, and print it as JSON")
	profile := fs.String("cpuprofile", "", "with -one: write a CPU profile to this file")
	if err := fs.Parse(args); err != nil {
		return err
	}
	sizes := growth.Sizes(*part)
	dir := filepath.Join(*work, "growth")
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if *one >= 0 {
		g, err := growth.Measure(sizes[*one], dir, *binary)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(g)
	}
	if err := os.RemoveAll(dir); err != nil { // of a run that was killed
		return err
	}
	var all []results.Growth
	for i, s := range sizes {
		if *dimensions != "" && !strings.Contains(","+*dimensions+",", ","+s.Dimension+",") {
			continue
		}
		if s.Clients > 0 && *binary == "" {
			var err error
			if *binary, err = served.Build(*source, *work, false); err != nil {
				return err
			}
		}
		fmt.Fprintln(os.Stderr, s.Name())
		g, err := measured(append(slices.Clip(args), "-one", fmt.Sprint(i), "-tsdb", *binary))
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name(), err)
		}
		all = append(all, g)
		if *file != "" {
			if err := results.Append(*file, results.Record{Growth: &g}); err != nil {
				return err
			}
		}
	}
	return show(all, out, *markdown)
}

// measured runs a size in a process of its own.
func measured(args []string) (g results.Growth, err error) {
	self, err := os.Executable()
	if err != nil {
		return g, err
	}
	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return g, err
	}
	return g, json.NewDecoder(bytes.NewReader(text)).Decode(&g)
}

func show(all []results.Growth, out io.Writer, markdown string) error {
	var md strings.Builder
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].Dimension == all[0].Dimension {
			n++
		}
		t := growth.Table(all[:n])
		t.SetStyle(table.StyleLight)
		fmt.Fprintf(out, "%s\n\n", t.Render())
		fmt.Fprintf(&md, "%s\n\n", t.RenderMarkdown())
		all = all[n:]
	}
	if markdown == "" {
		return nil
	}
	return os.WriteFile(markdown, []byte(md.String()), 0o644)
}
