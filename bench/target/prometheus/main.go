// Command prometheus measures Prometheus' TSDB as a library, with its defaults: the log is written but not synced at each commit
// and not compressed. Blocks may grow to 31 days, as in a server with a long retention.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
)

const (
	retention = 20 * 365 * 24 * time.Hour
	longBlock = 31 * 24 * time.Hour
)

type engine struct {
	set    *dataset.Set
	db     *tsdb.DB
	labels []labels.Labels
	refs   [target.MaxWriters][]storage.SeriesRef // by writer
	times  [1024]int64                            // Scan gathers a column here
	values [1024]float64
}

func (e *engine) Open(dir string, set *dataset.Set, o target.Options) error {
	if o.Fsync {
		return fmt.Errorf("has no fsync for each commit")
	}
	options := tsdb.DefaultOptions()
	options.RetentionDuration = retention.Milliseconds()
	options.MaxBlockDuration = longBlock.Milliseconds()
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	db, err := tsdb.Open(dir, quiet, nil, options, nil)
	if err != nil {
		return err
	}
	e.set, e.db, e.labels = set, db, make([]labels.Labels, len(set.Series))
	for i, s := range set.Series {
		e.labels[i] = labels.FromStrings("__name__", s.Metric, "resource", s.Resource, "project", s.Project,
			"host", s.Host, "group", s.Group)
	}
	for i := range o.Writers {
		e.refs[i] = make([]storage.SeriesRef, len(set.Series))
	}
	return nil
}

func (e *engine) Append(writer int, samples []dataset.Sample) error {
	a, refs := e.db.Appender(context.Background()), e.refs[writer]
	for _, s := range samples {
		ref, err := a.Append(refs[s.Series], e.labels[s.Series], s.Millis, s.Value)
		if err != nil {
			return fmt.Errorf("series %d: %w (%v)", s.Series, err, a.Rollback())
		}
		refs[s.Series] = ref
	}
	return a.Commit()
}

// Settle writes the whole head as a block and merges blocks until there is nothing to merge.
func (e *engine) Settle() error {
	head := e.db.Head()
	if head.NumSeries() > 0 && head.MinTime() <= head.MaxTime() {
		e.db.DisableCompactions()
		err := e.db.CompactHead(tsdb.NewRangeHead(head, head.MinTime(), head.MaxTime()))
		e.db.EnableCompactions()
		if err != nil {
			return err
		}
	}
	return e.db.Compact(context.Background())
}

func (e *engine) matchers(s target.Selection) []*labels.Matcher {
	if s.Key != "" {
		return []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, s.Key, s.Value)}
	}
	one := e.set.Series[s.Series]
	return []*labels.Matcher{
		labels.MustNewMatcher(labels.MatchEqual, "__name__", one.Metric),
		labels.MustNewMatcher(labels.MatchEqual, "resource", one.Resource),
	}
}

func (e *engine) Scan(s target.Selection, from, to int64, emit func([]int64, []float64)) error {
	q, err := e.db.Querier(from, to)
	if err != nil {
		return err
	}
	defer q.Close()
	found := q.Select(context.Background(), false, &storage.SelectHints{Start: from, End: to}, e.matchers(s)...)
	var it chunkenc.Iterator
	for found.Next() {
		it = found.At().Iterator(it)
		if err := e.emitSeries(it, from, to, emit); err != nil {
			return err
		}
	}
	return found.Err()
}

func (e *engine) emitSeries(it chunkenc.Iterator, from, to int64, emit func([]int64, []float64)) error {
	n := 0
	for it.Next() == chunkenc.ValFloat {
		t, v := it.At()
		if t < from {
			continue
		}
		if t > to {
			break
		}
		if n == len(e.times) {
			emit(e.times[:], e.values[:])
			n = 0
		}
		e.times[n], e.values[n] = t, v
		n++
	}
	if n > 0 {
		emit(e.times[:n], e.values[:n])
	}
	return it.Err()
}

func (e *engine) Lookup(key, value string) (series, nameBytes int, err error) {
	q, err := e.db.Querier(e.set.MinMillis, e.set.MaxMillis)
	if err != nil {
		return 0, 0, err
	}
	defer q.Close()
	hints := &storage.SelectHints{Start: e.set.MinMillis, End: e.set.MaxMillis, Func: "series"} // no samples wanted
	found := q.Select(context.Background(), false, hints, labels.MustNewMatcher(labels.MatchEqual, key, value))
	for found.Next() {
		series++
		found.At().Labels().Range(func(l labels.Label) { nameBytes += len(l.Value) })
	}
	return series, nameBytes, found.Err()
}

// NotAtRest leaves out the log, which stays until the next checkpoint.
func (e *engine) NotAtRest() []string { return []string{"wal", "chunks_head"} }

func (e *engine) Unit() time.Duration { return time.Millisecond }

// Version implements target.Versioned.
func (e *engine) Version() (string, error) {
	v, err := target.ModuleVersion("github.com/prometheus/prometheus")
	return "tsdb of prometheus " + v, err
}

func (e *engine) Close() error { return e.db.Close() }

func main() { target.Main("prometheus", &engine{}) }
