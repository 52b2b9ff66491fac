// Command null is an engine that stores nothing: what it costs is the harness itself.
package main

import (
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
)

type engine struct{ seen [target.MaxWriters]int }

func (*engine) Open(string, *dataset.Set, target.Options) error { return nil }

func (e *engine) Append(writer int, samples []dataset.Sample) error {
	e.seen[writer] += len(samples)
	return nil
}

func (*engine) Settle() error { return nil }

func (*engine) Scan(target.Selection, int64, int64, func([]int64, []float64)) error { return nil }

func (*engine) Lookup(string, string) (series, nameBytes int, err error) { return 0, 0, nil }

func (*engine) Unit() time.Duration { return time.Millisecond }

func (*engine) Close() error { return nil }

func main() { target.Main("null", &engine{}) }
