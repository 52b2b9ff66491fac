//go:build victoriametrics

// Command vm measures VictoriaMetrics' lib/storage as a library, in the version that Debian packages
// (golang-github-victoriametrics-victoriametrics-dev). It is built outside module mode: see build.sh.
package main

import (
	"errors"
	"flag"
	"math"
	"os"
	"os/exec"
	"time"

	"github.com/VictoriaMetrics/VictoriaMetrics/lib/logger"
	"github.com/VictoriaMetrics/VictoriaMetrics/lib/prompb"
	"github.com/VictoriaMetrics/VictoriaMetrics/lib/storage"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	retentionMillis = 100 * 365 * 24 * 3600 * 1000
	maxSeries       = 1_000_000
	noDeadline      = math.MaxInt64
	precisionBits   = 64 // all of the value
)

type engine struct {
	set   *dataset.Set
	store *storage.Storage
	names [][]byte // as the library wants them with each row
	rows  [target.MaxWriters][]storage.MetricRow

	search storage.Search // Scan's, which serves one goroutine
	block  storage.Block
	times  []int64
	values []float64
}

func (e *engine) Open(dir string, set *dataset.Set, o target.Options) error {
	if o.Fsync {
		return errors.New("has no fsync for each batch")
	}
	logger.Init()
	store, err := storage.OpenStorage(dir, retentionMillis, 0, 0)
	if err != nil {
		return err
	}
	e.set, e.store, e.names = set, store, make([][]byte, len(set.Series))
	for i, s := range set.Series {
		label := func(name, value string) prompb.Label { return prompb.Label{Name: []byte(name), Value: []byte(value)} }
		e.names[i] = storage.MarshalMetricNameRaw(nil, []prompb.Label{
			label("__name__", s.Metric), label("resource", s.Resource), label("project", s.Project),
			label("host", s.Host), label("group", s.Group),
		})
	}
	return nil
}

func (e *engine) Append(writer int, samples []dataset.Sample) error {
	rows := e.rows[writer][:0]
	for _, s := range samples {
		rows = append(rows, storage.MetricRow{MetricNameRaw: e.names[s.Series], Timestamp: s.Millis, Value: s.Value})
	}
	e.rows[writer] = rows
	return e.store.AddRows(rows, precisionBits)
}

func (e *engine) Settle() error {
	e.store.DebugFlush()
	return e.store.ForceMergePartitions("")
}

func (e *engine) filters(s target.Selection) ([]*storage.TagFilters, error) {
	f := storage.NewTagFilters()
	all := []*storage.TagFilters{f}
	if s.Key != "" {
		return all, f.Add([]byte(s.Key), []byte(s.Value), false, false)
	}
	one := e.set.Series[s.Series]
	if err := f.Add(nil, []byte(one.Metric), false, false); err != nil {
		return nil, err
	}
	return all, f.Add([]byte("resource"), []byte(one.Resource), false, false)
}

func (e *engine) Scan(s target.Selection, from, to int64, emit func([]int64, []float64)) error {
	f, err := e.filters(s)
	if err != nil {
		return err
	}
	span := storage.TimeRange{MinTimestamp: from, MaxTimestamp: to}
	e.search.Init(nil, e.store, f, span, maxSeries, noDeadline)
	defer e.search.MustClose()
	for e.search.NextMetricBlock() {
		e.search.MetricBlockRef.BlockRef.MustReadBlock(&e.block)
		if err := e.block.UnmarshalData(); err != nil {
			return err
		}
		e.times, e.values = e.block.AppendRowsWithTimeRangeFilter(e.times[:0], e.values[:0], span)
		if len(e.times) > 0 {
			emit(e.times, e.values)
		}
	}
	return e.search.Error()
}

func (e *engine) Lookup(key, value string) (series, nameBytes int, err error) {
	f, err := e.filters(target.Selection{Key: key, Value: value})
	if err != nil {
		return 0, 0, err
	}
	span := storage.TimeRange{MinTimestamp: e.set.MinMillis, MaxTimestamp: e.set.MaxMillis}
	found, err := e.store.SearchMetricNames(nil, f, span, maxSeries, noDeadline)
	if err != nil {
		return 0, 0, err
	}
	var name storage.MetricName
	for _, text := range found {
		if err := name.UnmarshalString(text); err != nil {
			return 0, 0, err
		}
		nameBytes += len(name.MetricGroup)
		for _, tag := range name.Tags {
			nameBytes += len(tag.Value)
		}
	}
	return len(found), nameBytes, nil
}

// NotAtRest leaves out caches, which are made anew when lost.
func (e *engine) NotAtRest() []string { return []string{"cache"} }

func (e *engine) Unit() time.Duration { return time.Millisecond }

// libraryPackage is where Debian's sources of the library come from.
const libraryPackage = "golang-github-victoriametrics-victoriametrics-dev"

// Version implements target.Versioned.
func (e *engine) Version() (string, error) {
	text, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", libraryPackage).Output()
	return "lib/storage of victoria-metrics " + string(text), err
}

func (e *engine) Close() error {
	e.store.MustClose()
	return nil
}

func main() {
	flag.CommandLine.Init(os.Args[0], flag.ExitOnError)
	if err := flag.Set("loggerLevel", "ERROR"); err != nil {
		panic(err) // the library's flag is gone: another version
	}
	target.Main("victoriametrics", &engine{})
}
