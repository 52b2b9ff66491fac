package rollup_test

import (
	"fmt"
	"time"

	"github.com/telemetrydb/tsdb/rollup"
)

func ExampleAggregator() {
	ts := []int64{0, 30e9, 70e9, 150e9, 170e9} // nanoseconds
	vs := []float64{1, 3, 7, 2, 4}
	starts, offs := rollup.AppendGroups(nil, nil, ts, int64(time.Minute))

	var agg rollup.Aggregator
	for _, m := range []rollup.Method{rollup.Mean, rollup.Std} {
		points, present := agg.Append(nil, m, offs, vs)
		for i, start := range starts {
			if rollup.Has(present, i) {
				fmt.Printf("%s from %v: %.3g\n", m, time.Duration(start), points[0])
				points = points[1:]
			}
		}
	}
	// Output:
	// mean from 0s: 2
	// mean from 1m0s: 7
	// mean from 2m0s: 3
	// std from 0s: 1.41
	// std from 2m0s: 1.41
}

func ExampleAppendDiffs() {
	ts := []int64{0, 30e9, 70e9, 150e9}
	vs := []float64{1, 3, 7, 2}
	starts, offs := rollup.AppendGroups(nil, nil, ts[1:], int64(time.Minute))

	var agg rollup.Aggregator
	points, _ := agg.Append(nil, rollup.Last.OfRate(), offs, rollup.AppendDiffs(nil, vs))
	fmt.Println(starts, points)
	// Output: [0 60000000000 120000000000] [2 4 -5]
}

func ExampleAppendIncreases() {
	ts := []int64{10e9, 40e9, 70e9, 100e9} // nanoseconds
	vs := []float64{500, 530, 545, 12}     // CPU seconds; the machine was started again before the last
	starts, offs := rollup.AppendGroups(nil, nil, ts, int64(time.Minute))
	increases, nanos := rollup.AppendIncreases(nil, nil, ts, vs, ts[0], 0) // nothing came before the first

	var agg rollup.Aggregator
	points, _ := agg.AppendCounter(nil, rollup.CounterRate, offs, increases, nanos)
	fmt.Println(starts, points)
	// Output: [0 60000000000] [1 0.45]
}
