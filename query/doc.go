// Package query answers questions about metrics from an engine.DB: which points a metric has, resampled if need be.
//
// A request is a struct, an answer columns of times and values. Each question is answered from one consistent state of
// the database. The functions may be called concurrently; what they return is the caller's to read and, except for the columns
// that came straight from the engine, to change.
//
// Errors are those of package engine. The package knows no HTTP and no stored bytes.
package query
