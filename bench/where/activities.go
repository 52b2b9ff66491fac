package where

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// Activity is something that a profile is taken of, in a program of its own.
type Activity struct {
	Name    string
	build   []string // arguments of go, run in the nested module; -o PROGRAM is put after the first
	dir     string   // where the program runs, from the nested module
	prepare []string // arguments of a run before, without a profile; "STORE" and "SET" stand for directories
	run     []string // of the run, "PROFILE" stands for the file
	set     string   // that "SET" is
	ignored *regexp.Regexp
	parts   []Part
}

var (
	collector = part("memory: allocation's and collector's", `^runtime\.(gc|mallocgc|bgsweep|scanobject|growslice|wbBuf|\(\*(mheap|mcentral|mcache|gcWork|sweep))|^gcWriteBarrier`)
	harness   = regexp.MustCompile(`dataset\.|target\.\(\*phase\)\.expected|target\.\(\*imprint\)|gnocchi\.appendBatch$|httptest\.|^net/http\.\(\*Request\)\.SetBasicAuth`)
	toLog     = part("log: writing", `wal\.|record\.\(\*LogWriter\)|engine\.\(\*logFile|engine\.\(\*DB\)\.commit$`)
	tables    = part("Pebble: writing tables, compactions", `pebble/v2\.\(\*DB\)\.(flush|compact|runCompaction|runPickedCompaction|compactAndWrite)|sstable\.\(\*Raw|compact\.\(\*Runner\)`)
	finding   = part("Pebble: finding keys", `pebble/v2\.\(\*(Iterator|DB|Snapshot)\)\.(Seek|Next|First|Get|NewIter|getInternal|Close)|pebble/v2\.\(\*levelIter|sstable\.\(\*`)
	columns   = part("decoding columns", `tsdb/encoding\.`)
	parsing   = part("JSON: parsing", `fastjson\.`)
)

// Activities are those that DESIGN.md has a table of.
var Activities = []Activity{
	{
		Name:  "ingest and sealing, D2, linked in",
		build: []string{"build", "./target/tsdb"}, dir: ".", set: "D2", ignored: harness,
		run: []string{"-phase", "ingest", "-data", "SET", "-store", "STORE", "-cpuprofile", "PROFILE"},
		parts: []Part{
			part("making metrics", `tsdb/engine\.\(\*DB\)\.Update$|^main\.\(\*tsdb\)\.makeSeries$`),
			part("sealing: encoding values", `encoding\.\(\*Encoder\)\.(encodeValues|plan|size|offer|appendColumns)`),
			part("sealing: encoding times", `encoding\.\(\*Encoder\)\.(appendTimes|encodeTimes)`),
			part("sealing: aggregates", `engine\.\(\*blockWriter\)\.aggregates`),
			part("sealing: tails and keys", `engine\.\(\*DB\)\.seal|engine\.\(\*DB\)\.writeBlocks|engine\.\(\*DB\)\.checkpoint$`),
			part("log: encoding records", `engine\.(append|\(\*appender\)\.)?[lL]ogRecord|engine\.appendRecord|engine\.encodeRows`),
			toLog, tables,
			part("appending to tails", `engine\.\(\*(tail|series)\)\.append|engine\.\(\*DB\)\.(apply|merge)$`),
			part("finding series", `engine\.\(\*DB\)\.resolve`),
			part("the batch", `engine\.\(\*Batch\)|engine\.\(\*DB\)\.(Append|store)$`),
			collector,
		},
	},
	{
		Name:  "scan of everything, D2, linked in",
		build: []string{"build", "./target/tsdb"}, dir: ".", set: "D2", ignored: harness,
		prepare: []string{"-phase", "ingest", "-data", "SET", "-store", "STORE"},
		run:     []string{"-phase", "verify", "-data", "SET", "-store", "STORE", "-cpuprofile", "PROFILE"},
		parts: []Part{columns, part("Pebble: decompressing blocks", `zstd|snappy|minlz|compression\.`), finding,
			part("views", `engine\.\(\*DB\)\.View$|engine\.\(\*View\)\.(Close|place)|engine\.\(\*DB\)\.(peek|readSeries)`),
			part("engine: collecting columns", `engine\.`), collector},
	},
	{
		Name:  "search: bitmaps and first pages, 100,000 resources",
		build: []string{"test", "-c", "../engine"}, dir: "../engine",
		run:     []string{"-test.run", "^$", "-test.bench", "Catalogue/resources=100000$/./(eval|page)", "-test.benchtime", "100ms", "-test.cpuprofile", "PROFILE"},
		ignored: regexp.MustCompile(`engine\.benchFill|engine\.(Open|\(\*DB\)\.Close)$|engine\.benchChanges|\(\*DB\)\.(flush|compact|runPicked|runHousekeeping|runSealer|updateReadState)|LogWriter|^runtime\.(gcBg|bgsweep)`),
		parts: []Part{part("bitmaps: and, or, not", `roaring`), part("index: reading postings and dictionaries", `tsdb/index\.`),
			part("resources: decoding records", `engine\.\(\*?[a-zA-Z]*[rR]esource|engine\.decode`), finding, collector},
	},
	{
		Name:  "HTTP: batch POST of 4,200 measures",
		build: []string{"test", "-c", "../server/gnocchi"}, dir: "../server/gnocchi", ignored: harness,
		run: []string{"-test.run", "^$", "-test.bench", "PostBatch/seconds=60", "-test.benchtime", "2000x", "-test.cpuprofile", "PROFILE"},
		parts: []Part{parsing, part("numbers and timestamps", `gnocchi\.(parseJSONNumber|\(\*measureReader\))`),
			part("reading the body", `gnocchi\.readBody|gnocchi\.\(\*body\)`),
			part("finding metrics", `gnocchi\.\(\*resourceBatch\)|engine\.\(\*DB\)\.ResourceMetric`),
			part("sealing", `engine\.\(\*DB\)\.seal|engine\.\(\*DB\)\.writeBlocks`), toLog, tables,
			part("appending", `engine\.\(\*DB\)\.(Append|store|apply)$`), collector,
			part("routing, authentication, answering", `gnocchi\.|net/http`)},
	},
	{
		Name:  "HTTP: GET of 9,100 points, full doubles",
		build: []string{"test", "-c", "../server/gnocchi"}, dir: "../server/gnocchi", ignored: harness,
		run: []string{"-test.run", "^$", "-test.bench", "GetMeasures/shape=noise", "-test.benchtime", "2000x", "-test.cpuprofile", "PROFILE"},
		parts: []Part{part("JSON: text of numbers", `gnocchi\.appendPyFloat`), part("JSON: text of times", `gnocchi\.\(\*dayWriter\)`),
			part("JSON: the rest of writing", `gnocchi\.\(\*pointWriter\)`), columns, finding,
			part("engine: collecting columns", `engine\.`), collector, part("routing, authentication, answering", `gnocchi\.|net/http`)},
	},
}

// Take runs an activity below work, where D2 may lie prepared, and splits its profile.
func (a *Activity) Take(work string) (shares []Share, total time.Duration, err error) {
	if work, err = filepath.Abs(work); err != nil {
		return nil, 0, err
	}
	dir, err := os.MkdirTemp(work, "where-")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(dir)
	program, profile := filepath.Join(dir, "program"), filepath.Join(dir, "profile")
	if err := execute(".", "go", append([]string{a.build[0], "-o", program}, a.build[1:]...)); err != nil {
		return nil, 0, err
	}
	fill := func(args []string) (out []string) {
		for _, arg := range args {
			switch arg {
			case "STORE":
				arg = filepath.Join(dir, "store")
			case "SET":
				arg = filepath.Join(work, a.set)
			case "PROFILE":
				arg = profile
			}
			out = append(out, arg)
		}
		return out
	}
	if a.prepare != nil {
		if err := execute(a.dir, program, fill(a.prepare)); err != nil {
			return nil, 0, err
		}
	}
	if err := execute(a.dir, program, fill(a.run)); err != nil {
		return nil, 0, err
	}
	all, err := stacks(program, profile)
	if err != nil {
		return nil, 0, err
	}
	shares, total = split(all, a.parts, a.ignored)
	return shares, total, nil
}

func execute(dir, program string, args []string) error {
	var out bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(program), err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}
