package engine

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/telemetrydb/tsdb/index"
)

// NoSample is the time that NewestTimes gives of a metric without samples.
const NoSample = int64(math.MinInt64)

// NewestTimes appends to times, for each metric, the time of the newest sample that it ever had, in nanoseconds since the Unix epoch; NoSample
// if there is none or the metric is gone. It looks at one metric after the other, not at a state of all: for choosing, among very many, those
// that a View is worth. It reads no samples. ErrClosed.
func (db *DB) NewestTimes(ctx context.Context, refs []Ref, times []int64) ([]int64, error) {
	if err := db.begin(); err != nil {
		return times, err
	}
	defer db.end()
	from := len(times)
	var absent []int // of refs
	for i, ref := range refs {
		if t, ok := db.newestInHead(ref); ok {
			times = append(times, t)
			continue
		}
		times, absent = append(times, NoSample), append(absent, i)
	}
	if len(absent) == 0 {
		return times, ctx.Err()
	}
	slices.SortFunc(absent, func(a, b int) int { return cmp.Compare(refs[a], refs[b]) })
	return times, db.newestOfRecords(ctx, refs, absent, times[from:])
}

// newestInHead gives the newest time of a series that is in memory.
func (db *DB) newestInHead(ref Ref) (t int64, ok bool) {
	db.head.lockOne(ref)
	defer db.head.unlockOne(ref)
	s := db.head.look(ref)
	if s == nil {
		return 0, false
	}
	if s.gone {
		return NoSample, true
	}
	return s.maxT, true
}

// newestOfRecords sets the times of those refs, in ascending order, whose series are not in memory, and so are whole in their records.
func (db *DB) newestOfRecords(ctx context.Context, refs []Ref, absent []int, times []int64) error {
	var records forwardIter
	if err := records.open(db.p, keySeries); err != nil {
		return fmt.Errorf("tsdb: reading: %w", err)
	}
	defer records.it.Close() // errors are seen by find
	var s series
	for n, i := range absent {
		if n > 0 && refs[i] == refs[absent[n-1]] {
			times[i] = times[absent[n-1]]
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := records.find(refs[i])
		if err != nil {
			return locate(fmt.Errorf("tsdb: reading: %w", err), UUID{})
		}
		if rec == nil {
			continue
		}
		if err := s.decodeRecord(rec); err != nil {
			return &CorruptError{Key: seriesKey(nil, refs[i]), Err: err}
		}
		times[i] = s.maxT
	}
	return nil
}

// MetricRefs returns the metrics that a filter selects, in ascending order: fields as Metrics has them. It reads no more than the index.
func (db *DB) MetricRefs(ctx context.Context, f *index.Filter) ([]Ref, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.end()
	if err := checkFields(Query{Filter: f}, metricFields); err != nil {
		return nil, err
	}
	s, err := db.cat.search(ctx, spaceMetrics)
	if err != nil {
		return nil, err
	}
	defer s.close()
	set, err := s.view.Eval(ctx, spaceMetrics, f)
	if err != nil {
		return nil, indexError(err)
	}
	out := make([]Ref, 0, set.GetCardinality())
	for it := set.Iterator(); it.HasNext(); {
		out = append(out, Ref(it.Next()))
	}
	return out, nil
}
