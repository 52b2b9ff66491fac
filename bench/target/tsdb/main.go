// Command tsdb measures this project's engine, as a collector that embeds it would use it: series are made when their first sample
// comes, each as a metric of its resource, under a policy that keeps raw samples for ever.
package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/rollup"
)

const (
	policyName    = "bench"
	nanosAMilli   = int64(time.Millisecond)
	meanWidth     = 5 * time.Minute // of the means that a set sampled faster keeps besides the raw samples
	countWidth    = time.Hour       // of the counts that go with samples which are five minutes apart themselves: a policy wants a width
	resourceSpace = "resources of the data sets"
)

type series struct {
	resource engine.UUID
	ref      engine.Ref
	known    bool // ref is set; touched by the one writer of the series
}

type tsdb struct {
	ctx    context.Context
	set    *dataset.Set
	db     *engine.DB
	series []series
	batch  [target.MaxWriters]engine.Batch // by writer

	making sync.Mutex // held while series are made, because writers share resources
	made   map[engine.UUID]bool

	reopened bool // metrics may be there already

	times  []int64 // Scan's of one series
	values []float64
}

func (e *tsdb) Open(dir string, set *dataset.Set, o target.Options) (err error) {
	options := &engine.Options{Sync: engine.SyncInterval}
	if o.Fsync {
		options.Sync = engine.SyncAlways
	}
	e.ctx, e.set, e.made = context.Background(), set, map[engine.UUID]bool{}
	if e.db, err = engine.Open(dir, options); err != nil {
		return err
	}
	e.series = make([]series, len(set.Series))
	for i, s := range set.Series {
		e.series[i].resource = resourceID(s.Resource)
	}
	if _, err := e.db.ArchivePolicy(policyName); err == nil {
		e.reopened = true
		return nil
	}
	return e.db.Update(e.ctx, func(tx *engine.Tx) error { return tx.CreateArchivePolicy(policy(set)) })
}

func resourceID(name string) engine.UUID {
	if id, err := engine.ParseUUID(name); err == nil {
		return id
	}
	return engine.UUIDv5(engine.UUIDv5(engine.UUID{}, resourceSpace), name)
}

func policy(set *dataset.Set) engine.ArchivePolicy {
	width, method := meanWidth, rollup.Mean
	if set.StepMillis >= meanWidth.Milliseconds() {
		width, method = countWidth, rollup.Count
	}
	return engine.ArchivePolicy{
		Name: policyName, Raw: engine.RawForever,
		Definition: []engine.Granularity{{Width: width}},
		Methods:    []rollup.Method{method},
	}
}

func (e *tsdb) Append(writer int, samples []dataset.Sample) error {
	if err := e.makeSeries(samples); err != nil {
		return err
	}
	b := &e.batch[writer]
	b.Reset()
	for _, s := range samples {
		b.Add(e.series[s.Series].ref, s.Millis*nanosAMilli, s.Value)
	}
	_, err := e.db.Append(e.ctx, b)
	return err
}

// makeSeries looks up or creates the metrics of series that come for the first time, all of a batch in one step.
func (e *tsdb) makeSeries(samples []dataset.Sample) error {
	var unknown []uint32
	for _, s := range samples {
		if !e.series[s.Series].known {
			unknown = append(unknown, s.Series)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	e.making.Lock()
	defer e.making.Unlock()
	if unknown = e.stillUnknown(unknown); len(unknown) == 0 {
		return nil
	}
	return e.db.Update(e.ctx, func(tx *engine.Tx) error {
		for _, i := range unknown {
			if err := e.makeOne(tx, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// stillUnknown finds the metrics that an earlier process has made.
func (e *tsdb) stillUnknown(unknown []uint32) (rest []uint32) {
	if !e.reopened {
		return unknown
	}
	for _, i := range unknown {
		known := &e.series[i]
		if m, err := e.db.ResourceMetric(known.resource, e.set.Series[i].Metric); err == nil {
			known.ref, known.known = m.Ref, true
		} else {
			rest = append(rest, i)
		}
	}
	return rest
}

func (e *tsdb) makeOne(tx *engine.Tx, i uint32) error {
	s, known := e.set.Series[i], &e.series[i]
	if known.known { // twice in the batch
		return nil
	}
	if !e.made[known.resource] {
		err := tx.CreateResource(&engine.Resource{
			ID: known.resource, OriginalID: s.Resource, Type: "generic", ProjectID: &s.Project,
			Attributes: map[string]index.Value{"host": text(s.Host)},
		})
		if err != nil && !errors.Is(err, engine.ErrExists) {
			return err
		}
		e.made[known.resource] = true
	}
	// A metric has no labels but its fields; the group takes the place of the unit, which a filter can name too.
	m, err := tx.CreateMetric(engine.Metric{Name: &s.Metric, Unit: &s.Group, Policy: policyName, Resource: &known.resource})
	if err != nil {
		return err
	}
	known.ref, known.known = m.Ref, true
	return nil
}

func text(s string) index.Value { return index.Value{Kind: index.Bytes, Str: s} }

func equal(field, value string) *index.Filter {
	return &index.Filter{Op: index.Eq, Field: field, Value: text(value)}
}

func (e *tsdb) Settle() error { return e.db.Compact(e.ctx) }

func (e *tsdb) Scan(s target.Selection, from, to int64, emit func([]int64, []float64)) error {
	from, to = from*nanosAMilli, to*nanosAMilli+1
	if s.Key != "" {
		return e.scanGroup(s.Value, from, to, emit)
	}
	err := e.view(s.Series, func(v *engine.View, m engine.Ref) (err error) {
		e.times, e.values, err = v.Raw(e.ctx, m, from, to, e.times[:0], e.values[:0])
		return err
	})
	if errors.Is(err, engine.ErrNotFound) {
		return nil // no sample of it has come yet
	}
	if err != nil {
		return err
	}
	emit(e.times, e.values)
	return nil
}

// view finds the metric of a series and calls read with a view of it.
func (e *tsdb) view(i int, read func(*engine.View, engine.Ref) error) error {
	m, err := e.db.ResourceMetric(e.series[i].resource, e.set.Series[i].Metric)
	if err != nil {
		return err
	}
	v, err := e.db.View(m.Ref)
	if err != nil {
		return err
	}
	defer v.Close()
	return read(v, m.Ref)
}

// Means has the engine aggregate raw samples.
func (e *tsdb) Means(i int, from, to int64, width time.Duration) (n int, sum float64, err error) {
	err = e.view(i, func(v *engine.View, m engine.Ref) (err error) {
		e.times, e.values, err = v.Resample(e.ctx, m, width, rollup.Mean, from*nanosAMilli, to*nanosAMilli+1, e.times[:0], e.values[:0])
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	n, sum = added(e.values)
	return n, sum, nil
}

func added(values []float64) (n int, sum float64) {
	for _, v := range values {
		sum += v
	}
	return len(values), sum
}

func (e *tsdb) scanGroup(group string, from, to int64, emit func([]int64, []float64)) error {
	metrics, err := e.db.Metrics(e.ctx, engine.Query{Filter: equal("unit", group)})
	if err != nil {
		return err
	}
	refs := make([]engine.Ref, len(metrics))
	for i, m := range metrics {
		refs[i] = m.Ref
	}
	view, err := e.db.View(refs...)
	if err != nil {
		return err
	}
	defer view.Close()
	return view.EachRaw(e.ctx, from, to, func(_ engine.Ref, times []int64, values []float64) error {
		emit(times, values)
		return nil
	})
}

// StoredMeans reads the means that the policy keeps.
func (e *tsdb) StoredMeans(i int, from, to int64) (n int, sum float64, err error) {
	width := policy(e.set).Definition[0].Width
	err = e.view(i, func(v *engine.View, m engine.Ref) error {
		points, err := v.Measures(e.ctx, m, width, []rollup.Method{rollup.Mean}, from*nanosAMilli, to*nanosAMilli+1)
		if err == nil {
			n, sum = added(points[0].Values)
		}
		return err
	})
	return n, sum, err
}

func (e *tsdb) Lookup(_, project string) (seriesFound, nameBytes int, err error) {
	const groupBytes = 1 // the group is the metric's; every one is a letter
	err = e.db.EachResource(e.ctx, engine.Query{Filter: equal("project_id", project)}, func(row engine.ResourceRow) error {
		r := row.Resource()
		for name := range row.Metrics() {
			seriesFound++
			nameBytes += len(name) + len(r.OriginalID) + len(*r.ProjectID) + len(r.Attributes["host"].Str) + groupBytes
		}
		return nil
	})
	return seriesFound, nameBytes, err
}

func (e *tsdb) Unit() time.Duration { return time.Nanosecond }

func (e *tsdb) Close() error { return e.db.Close() }

func main() { target.Main("tsdb", &tsdb{}) }
