package query

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// at is a time of 2015-03-06, in nanoseconds.
func at(h, m, s int) int64 { return time.Date(2015, 3, 6, h, m, s, 0, time.UTC).UnixNano() }

func midnight(month time.Month, day int) int64 {
	return time.Date(2015, month, day, 0, 0, 0, 0, time.UTC).UnixNano()
}

// openMetric returns a metric with points of 1 s and 1 min, and its policy.
func openMetric(t *testing.T) (*engine.DB, engine.Metric, engine.ArchivePolicy) {
	t.Helper()
	db, err := engine.Open("db", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	policy := engine.ArchivePolicy{
		Name:       "p",
		Definition: []engine.Granularity{{Width: time.Second}, {Width: time.Minute}},
		Methods:    []rollup.Method{rollup.Mean, rollup.Std, rollup.Mean.OfRate()},
	}
	var m engine.Metric
	err = db.Update(t.Context(), func(tx *engine.Tx) error {
		if err := tx.CreateArchivePolicy(policy); err != nil {
			return err
		}
		m, err = tx.CreateMetric(engine.Metric{Policy: "p"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var b engine.Batch
	for _, p := range []struct {
		t int64
		v float64
	}{{at(14, 33, 57), 43.1}, {at(14, 34, 12), 12}, {at(14, 34, 15), 16}, {at(14, 35, 12), 9}, {at(14, 35, 15), 11}} {
		b.Add(m.Ref, p.t, p.v)
	}
	if _, err := db.Append(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return db, m, policy
}

func TestMeasures(t *testing.T) {
	db, m, policy := openMetric(t)
	rate := rollup.Mean.OfRate()
	ask := func(q MeasuresRequest, want ...Series) {
		t.Helper()
		q.Metric, q.Definition = m.Ref, policy.Definition
		if q.To == 0 {
			q.To = math.MaxInt64
		}
		got, err := Measures(t.Context(), db, q)
		if err != nil {
			t.Error(err)
			return
		}
		same := func(a, b Series) bool {
			return a.Granularity == b.Granularity && a.Letter == b.Letter && slices.Equal(a.Times, b.Times) && slices.Equal(a.Values, b.Values)
		}
		if !slices.EqualFunc(got, want, same) {
			t.Errorf("%+v: got %v, want %v", q, got, want)
		}
	}
	series := func(width time.Duration, letter byte, times []int64, values ...float64) Series {
		return Series{width, letter, engine.Points{Times: times, Values: values}}
	}
	minutes := series(time.Minute, 0, []int64{at(14, 33, 0), at(14, 34, 0), at(14, 35, 0)}, 43.1, 14, 10)
	seconds := series(time.Second, 0, []int64{at(14, 33, 57), at(14, 34, 12), at(14, 34, 15), at(14, 35, 12), at(14, 35, 15)}, 43.1, 12, 16, 9, 11)

	ask(MeasuresRequest{Method: rollup.Mean}, minutes, seconds)
	ask(MeasuresRequest{Method: rollup.Mean, Granularity: time.Minute}, minutes)
	ask(MeasuresRequest{Method: rollup.Mean, From: at(14, 34, 13), To: at(14, 35, 12)},
		series(time.Minute, 0, []int64{at(14, 34, 0), at(14, 35, 0)}, 14, 10), series(time.Second, 0, []int64{at(14, 34, 15)}, 16))

	mean := minutes.Values[0] + minutes.Values[1] // at run time: the compiler would round once
	mean = (mean + minutes.Values[2]) / 3

	// Resampled: the points of all times first, cut then.
	ask(MeasuresRequest{Method: rollup.Mean, Granularity: time.Second, Resample: time.Minute}, minutes)
	ask(MeasuresRequest{Method: rollup.Mean, Granularity: time.Second, Resample: time.Minute, From: at(14, 34, 59), To: at(14, 35, 0)},
		series(time.Minute, 0, []int64{at(14, 34, 0)}, 14))
	ask(MeasuresRequest{Method: rollup.Mean, Granularity: time.Second, Resample: time.Minute, From: at(15, 0, 0), To: at(14, 0, 0)},
		series(time.Minute, 0, nil))
	ask(MeasuresRequest{Method: rollup.Std, Granularity: time.Minute, Resample: time.Hour},
		series(time.Hour, 0, []int64{at(14, 0, 0)}, 1)) // of 2.83 and 1.41
	ask(MeasuresRequest{Method: rate, Granularity: time.Minute, Resample: 2 * time.Minute}, series(2*time.Minute, 0, []int64{at(14, 34, 0)}, 11.05)) // -2.5 less -13.55
	ask(MeasuresRequest{Method: rollup.Mean, Granularity: time.Minute, Letter: 'M'}, series(0, 'M', []int64{midnight(3, 1)}, mean))
	ask(MeasuresRequest{Method: rollup.Mean, Granularity: time.Minute, Letter: 'Q', From: at(1, 0, 0)}, series(0, 'Q', []int64{midnight(1, 1)}, mean))
	ask(MeasuresRequest{Method: rollup.Mean, Granularity: time.Minute, Letter: 'M', To: midnight(3, 1)}, series(0, 'M', nil))
}

func TestMeasuresErrors(t *testing.T) {
	db, m, policy := openMetric(t)
	for _, q := range []MeasuresRequest{
		{Metric: m.Ref + 7, Method: rollup.Mean},
		{Metric: m.Ref, Method: rollup.Max},
		{Metric: m.Ref, Method: rollup.Mean, Granularity: time.Hour},
		{Metric: m.Ref, Method: rollup.Mean, Granularity: time.Hour, Resample: 2 * time.Hour},
	} {
		q.Definition, q.To = policy.Definition, math.MaxInt64
		if got, err := Measures(t.Context(), db, q); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%+v: got %v %v", q, got, err)
		}
	}
}
