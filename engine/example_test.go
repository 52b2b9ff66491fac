package engine_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// A policy of one-second and one-minute points, samples kept for an hour as they came.
var examplePolicy = engine.ArchivePolicy{
	Name: "example",
	Definition: []engine.Granularity{
		{Width: time.Second, Points: 3600, Timespan: time.Hour},
		{Width: time.Minute, Points: 1440, Timespan: 24 * time.Hour},
	},
	Methods: []rollup.Method{rollup.Mean, rollup.Count},
	Raw:     time.Hour,
}

var exampleStart = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)

// openExample opens a database in memory with one metric and no samples.
func openExample() (*engine.DB, engine.Ref) {
	db, err := engine.Open("example", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		log.Fatal(err)
	}
	var ref engine.Ref
	err = db.Update(context.Background(), func(tx *engine.Tx) error {
		if err := tx.CreateArchivePolicy(examplePolicy); err != nil {
			return err
		}
		name := "temperature"
		m, err := tx.CreateMetric(engine.Metric{Name: &name, Policy: examplePolicy.Name})
		ref = m.Ref
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	return db, ref
}

// appendExample appends two minutes of samples, one every ten seconds: 20, 21, 22, …
func appendExample(db *engine.DB, ref engine.Ref) {
	var b engine.Batch
	for i := range 12 {
		b.Add(ref, exampleStart.Add(time.Duration(i)*10*time.Second).UnixNano(), float64(20+i))
	}
	if _, err := db.Append(context.Background(), &b); err != nil {
		log.Fatal(err)
	}
}

// A database is a directory, or here a file system in memory. What Update commits stays; closing waits for
// everything the database does in the background.
func ExampleOpen() {
	fs := vfs.NewMem()
	db, err := engine.Open("telemetry", &engine.Options{FS: fs})
	if err != nil {
		log.Fatal(err)
	}
	err = db.Update(context.Background(), func(tx *engine.Tx) error {
		return tx.CreateArchivePolicy(examplePolicy)
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := db.Close(); err != nil {
		log.Fatal(err)
	}

	db, err = engine.Open("telemetry", &engine.Options{FS: fs})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	p, err := db.ArchivePolicy("example")
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range p.Definition {
		fmt.Println(g.Points, "points of", g.Width)
	}
	// Output:
	// 3600 points of 1s
	// 1440 points of 1m0s
}

// Append stores samples of any number of metrics, all or none of them, and returns when they are durable.
// A second sample of one time replaces the first.
func ExampleDB_Append() {
	db, ref := openExample()
	defer db.Close()

	var b engine.Batch
	b.Add(ref, exampleStart.UnixNano(), 20.5)
	b.Add(ref, exampleStart.Add(time.Second).UnixNano(), 21)
	r, err := db.Append(context.Background(), &b)
	fmt.Println(r.Accepted, "accepted", r.Duplicate, "replaced", err)

	b.Reset()
	b.Add(ref, exampleStart.UnixNano(), 20)
	r, err = db.Append(context.Background(), &b)
	fmt.Println(r.Accepted, "accepted", r.Duplicate, "replaced", err)
	// Output:
	// 2 accepted 0 replaced <nil>
	// 1 accepted 1 replaced <nil>
}

// A View reads aggregates that are up to date: there is nothing to wait for after Append.
func ExampleView_Measures() {
	db, ref := openExample()
	defer db.Close()
	appendExample(db, ref)

	v, err := db.View(ref)
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	from, to := exampleStart.UnixNano(), exampleStart.Add(time.Hour).UnixNano()
	points, err := v.Measures(context.Background(), ref, time.Minute, []rollup.Method{rollup.Mean, rollup.Count}, from, to)
	if err != nil {
		log.Fatal(err)
	}
	mean, count := points[0], points[1]
	for i, t := range mean.Times {
		fmt.Printf("%s  mean %g of %g samples\n", time.Unix(0, t).UTC().Format("15:04"), mean.Values[i], count.Values[i])
	}
	// Output:
	// 03:04  mean 22.5 of 6 samples
	// 03:05  mean 28.5 of 6 samples
}

// Raw samples are there as long as the policy keeps them. The slices given are appended to, so a loop over
// metrics can use them again.
func ExampleView_Raw() {
	db, ref := openExample()
	defer db.Close()
	appendExample(db, ref)

	v, err := db.View(ref)
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	from, to := exampleStart.Add(time.Minute), exampleStart.Add(time.Minute+30*time.Second)
	times, values, err := v.Raw(context.Background(), ref, from.UnixNano(), to.UnixNano(), nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	for i, t := range times {
		fmt.Println(time.Unix(0, t).UTC().Format("15:04:05"), values[i])
	}
	// Output:
	// 03:05:00 26
	// 03:05:10 27
	// 03:05:20 28
}

// Raw samples can be aggregated in groups of any width, whatever the policy keeps.
func ExampleView_Resample() {
	db, ref := openExample()
	defer db.Close()
	appendExample(db, ref)

	v, err := db.View(ref)
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	from, to := exampleStart.UnixNano(), exampleStart.Add(time.Hour).UnixNano()
	times, means, err := v.Resample(context.Background(), ref, 30*time.Second, rollup.Mean, from, to, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	for i, t := range times {
		fmt.Println(time.Unix(0, t).UTC().Format("15:04:05"), means[i])
	}
	// Output:
	// 03:04:00 21
	// 03:04:30 24
	// 03:05:00 27
	// 03:05:30 30
}
