package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
)

func main() {
	if err := command(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "keyorder:", err)
		os.Exit(1)
	}
}

func command(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("keyorder", flag.ContinueOnError)
	name := fs.String("layout", "", "run this one case; empty runs the matrix")
	from := fs.String("from", "", "print the tables of a file of result lines instead of running anything")
	var c config
	fs.StringVar(&c.dir, "dir", ".work/keyorder", "scratch directory, emptied before and removed after each case")
	fs.BoolVar(&c.separate, "separate", false, "with -layout: values in blob files")
	fs.BoolVar(&c.ordered, "ordered", false, "with -layout: metrics sealed in ordinal order within a period")
	fs.IntVar(&c.metrics, "metrics", 100_000, "number of metrics")
	fs.IntVar(&c.periods, "periods", 20, "periods, one block of each metric in each")
	fs.IntVar(&c.periodsAPartition, "partition", 1, "periods a partition")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *from != "" {
		return fromFile(*from, out)
	}
	if *name == "" {
		return matrix(c, out)
	}
	var err error
	if c.layout, err = layoutByName(*name); err != nil {
		return err
	}
	r, err := run(c)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

// matrix runs each case as a process of its own, so that counters and caches start from nothing.
func matrix(c config, out io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var all []result
	for _, ordered := range []bool{false, true} {
		for _, l := range layouts {
			for _, separate := range []bool{false, true} {
				cmd := exec.Command(self, "-layout", l.name, "-dir", c.dir, "-metrics", strconv.Itoa(c.metrics),
					"-periods", strconv.Itoa(c.periods), "-partition", strconv.Itoa(c.periodsAPartition),
					fmt.Sprintf("-separate=%v", separate), fmt.Sprintf("-ordered=%v", ordered))
				cmd.Stderr = os.Stderr
				line, err := cmd.Output()
				if err != nil {
					return fmt.Errorf("%s: %w", l.name, err)
				}
				fmt.Fprintf(out, "%s\n", bytes.TrimSpace(line))
				var r result
				if err := json.Unmarshal(line, &r); err != nil {
					return err
				}
				all = append(all, r)
			}
		}
	}
	printTables(out, all)
	return nil
}

func fromFile(path string, out io.Writer) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var all []result
	for line := range bytes.Lines(data) {
		var r result
		if json.Unmarshal(line, &r) == nil { // a table may follow the lines
			all = append(all, r)
		}
	}
	printTables(out, all)
	return nil
}
