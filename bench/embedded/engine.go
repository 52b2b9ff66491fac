package embedded

import (
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// Selection chooses series: those of the list when Key is empty, else all whose label Key (project, group) is Value.
type Selection struct {
	Series     int // number of the one series; ignored when Key is set
	Key, Value string
}

// Engine is what an adapter provides. Calls don't overlap except Append with different writers.
type Engine interface {
	// Open opens or makes the store in dir. The adapter may keep the set's catalogue, which a user of the engine has too.
	Open(dir string, set *dataset.Set, o Options) error
	// Append stores samples; they are acknowledged when it returns. Calls of one writer don't overlap and come in time order.
	Append(writer int, samples []dataset.Sample) error
	// Settle brings the store to its form at rest: all flushed and compacted.
	Settle() error
	// Scan gives every sample with from <= time <= to (milliseconds) of the selected series, a column at a time and each series
	// in time order. Times are in the engine's own Unit. The slices are valid during the call.
	Scan(s Selection, from, to int64, emit func(times []int64, values []float64)) error
	// Lookup returns how many series have the label, and a sum over their names that shows these were read.
	Lookup(key, value string) (series, nameBytes int, err error)
	// Unit is the unit of the times that Scan gives.
	Unit() time.Duration
	// Close closes the store.
	Close() error
}

// Rebuilder is for engines that keep files in their directory which are not part of the data at rest (logs that a checkpoint
// removes, caches).
type Rebuilder interface {
	// NotAtRest names sub-directories of the store.
	NotAtRest() []string
}

// Downsampler is for engines that keep the mean of five minutes by themselves. It is asked about sets sampled faster.
type Downsampler interface {
	// StoredMeans returns the number and the sum of the stored five-minute means of one series with from <= time <= to.
	StoredMeans(series int, from, to int64) (n int, sum float64, err error)
}

// Averager is for engines that aggregate raw samples by themselves. The others' samples the harness aggregates as Scan gives them.
type Averager interface {
	// Means returns the number and the sum of the means, in buckets of width that are aligned to the epoch, of one series' samples with
	// from <= time <= to (milliseconds).
	Means(series int, from, to int64, width time.Duration) (n int, sum float64, err error)
}

// Options is what a phase asks of an engine.
type Options struct {
	Writers int
	// Fsync asks that each acknowledged batch is on stable storage. Without it a batch must only survive the end of the process.
	Fsync bool
}

// Result is one line of output.
type Result struct {
	Engine, Variant, Set, Phase string
	Round                       int
	Load                        string             // load averages at the end
	Numbers                     map[string]float64 // what was measured; names end in their unit
	Texts                       map[string]string  `json:",omitempty"`
}
