// Package results is the file of a benchmark run: lines of JSON, each a Record of one kind, appended as the run goes, so that an
// interrupted run keeps what it has measured. Programs that measure append to it; package report reads it.
package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/telemetrydb/tsdb/bench/target"
)

// Record is a line: exactly one field is set.
type Record struct {
	Run     *Run           `json:"run,omitempty"`
	Result  *target.Result `json:"result,omitempty"`
	Missing *Missing       `json:"missing,omitempty"`
	Goal    *Goal          `json:"goal,omitempty"`
	Growth  *Growth        `json:"growth,omitempty"`
}

// Run tells where and how a run was made; the first line.
type Run struct {
	Started time.Time
	Command string            // to repeat it
	Machine map[string]string // processor, cores, memory, disk, system, Go, commit
}

// Missing is something that was not measured, or not wholly, and why.
type Missing struct {
	Target string // or the part of the run
	Set    string // empty: all
	Phase  string // empty: all
	Why    string
}

// Goal is a figure beside what it should be. Figures that don't exist are nil.
type Goal struct {
	Section  string // "founding measurement", "small cloud", ...
	What     string
	Unit     string
	Peer     string   // whose figure PeerValue is, and whether it was measured in this run or is a recorded one
	Recorded bool     // PeerValue is not of this run
	Value    float64  // ours
	PeerIs   *float64 `json:",omitempty"`
	Limit    *float64 `json:",omitempty"` // the goal, in Unit
	AtLeast  bool     // Value should be at least Limit, not at most
	Stretch  *float64 `json:",omitempty"` // a further limit
	Note     string
}

// Met tells whether the goal is reached; a figure without a limit has no goal.
func (g *Goal) Met() (met, hasGoal bool) {
	if g.Limit == nil {
		return false, false
	}
	if g.AtLeast {
		return g.Value >= *g.Limit, true
	}
	return g.Value <= *g.Limit, true
}

// Growth is a cost at one size of the work: rows of one Dimension make a table.
type Growth struct {
	Dimension string  // "samples a metric", "metrics", "resources", "granularities", "clients"
	Size      float64 // of the dimension
	Costs     map[string]float64
}

// Append adds records to the file at path, which is made if it is missing. Each is written whole, so that several processes may append.
func Append(path string, records ...Record) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := f.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// Read reads a file. Records of kinds it does not know are left out; what is no JSON is an error that names its number, beside the records before it.
func Read(path string) (records []Record, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	for line := 1; ; line++ {
		var r Record
		if err := d.Decode(&r); err == io.EOF {
			return records, nil
		} else if err != nil {
			return records, fmt.Errorf("%s, record %d: %w", path, line, err)
		}
		if r != (Record{}) {
			records = append(records, r)
		}
	}
}
