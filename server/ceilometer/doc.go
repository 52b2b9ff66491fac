// Package ceilometer is Ceilometer's v2 API over a database: meters, samples, resources, statistics, complex queries.
//
//	http.Handle("/", ceilometer.New(db, store, &ceilometer.Options{Gate: gate}))
//
// A handler parses a request into a filter, turns that into metrics and sets of contexts (plan.go), reads the samples that these let
// through (scan.go), and appends them to the answer as text (row.go). What is the same for all samples of a metric and a context is
// written once and copied. A resource of Ceilometer's is a resource of the database, its meters are the resource's metrics.
//
// A sample that came without a context, through Gnocchi's API, has the one that the store says samples of its metric have by default.
//
// The handler may be used concurrently. Its errors go to clients as that API's bodies (errors.go). It keeps nothing between requests.
package ceilometer
