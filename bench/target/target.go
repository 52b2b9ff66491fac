package target

import (
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// Selection chooses series: those of the list when Key is empty, else all whose label Key (project, group) is Value.
type Selection struct {
	Series     int // number of the one series; ignored when Key is set
	Key, Value string
}

// Target is what an adapter provides: a store that is linked into the process, or a client of a server. Calls don't overlap except
// Append with different writers, and Append with Scan or Means in the phase mixed.
type Target interface {
	// Open opens or makes the store in dir; a server is started on it, or reached at Options.URI, whose data of an earlier run it
	// then keeps. The adapter may keep the set's catalogue, which a user of the store has too. An error says what is missing or wrong,
	// so that the report can.
	Open(dir string, set *dataset.Set, o Options) error
	// Append stores samples; they are acknowledged when it returns. Calls of one writer don't overlap and come in time order.
	Append(writer int, samples []dataset.Sample) error
	// Settle brings the store to its form at rest: all flushed and compacted.
	Settle() error
	// Scan gives every sample with from <= time <= to (milliseconds) of the selected series, a column at a time and each series
	// in time order. Times are in the engine's own Unit. The slices are valid during the call.
	Scan(s Selection, from, to int64, emit func(times []int64, values []float64)) error
	// Lookup returns how many series have the label, and the bytes of their metrics, resources, projects, hosts and groups, which shows that these
	// were read.
	Lookup(key, value string) (series, nameBytes int, err error)
	// Unit is the unit of the times that Scan gives.
	Unit() time.Duration
	// Close closes the store and ends the server that Open started.
	Close() error
}

// Server is for targets that do their work in processes of their own, whose CPU time and memory count then.
type Server interface {
	// Processes names the running processes, without their children, which count too. None: a server that others run.
	Processes() []int
}

// Sized is for targets that keep data elsewhere than below the store's directory.
type Sized interface {
	// Bytes is what the samples take where they are kept, indexes included. It is asked while the target is open. A server that doesn't tell
	// gives errors.ErrUnsupported; its phase has no such figure then.
	Bytes() (int64, error)
}

// Versioned is for targets that can tell what they are.
type Versioned interface {
	// Version names product and version, such as "prometheus 2.42.0". It is asked while the target is open.
	Version() (string, error)
}

// Lister is for targets that list the newest samples of a series by themselves. Of others, Scan is asked.
type Lister interface {
	// Newest gives the newest n samples of one series, in any order, as Scan does.
	Newest(series, n int, emit func(times []int64, values []float64)) error
}

// Remover is for targets at Options.URI: what a run has left there is removed.
type Remover interface {
	// Remove takes away what earlier calls with the same options stored. It is called before the first phase and after the last one, on a target
	// that is not open.
	Remove(o Options) error
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

// MaxWriters is how many writers a phase has at most; Append's are numbered from 0.
const MaxWriters = 16

// GroupAverager is for targets that aggregate the samples of a group of series by themselves.
type GroupAverager interface {
	// GroupMeans returns the number and the sum of the means, each of all samples of all selected series in a bucket of width that is aligned to
	// the epoch, with from <= time <= to (milliseconds). from is the start of a bucket.
	GroupMeans(key, value string, from, to int64, width time.Duration) (n int, sum float64, err error)
}

// Options is what a phase asks of an engine.
type Options struct {
	Writers int // 1 to MaxWriters
	// Fsync asks that each acknowledged batch is on stable storage. Without it a batch must only survive the end of the process.
	Fsync bool
	// URI is of a server that others run. Empty: the target starts its own.
	URI string
	// Name distinguishes the stores of one run at a server.
	Name string
}

// Result is one line of output.
type Result struct {
	Target, Variant, Set, Phase string
	Round                       int
	Load                        string               // load averages at the end
	Numbers                     map[string]float64   // what was measured; names end in their unit
	Latencies                   map[string][]float64 `json:",omitempty"` // by question: microseconds in rising order, at most LatencyCount, evenly picked of all
	Texts                       map[string]string    `json:",omitempty"`
	Wrong                       []string             `json:",omitempty"` // questions whose answers are not those of the set: their times prove nothing
}
