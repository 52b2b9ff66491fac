// Package query answers questions about metrics from an engine.DB: which points a metric has, resampled if need be, what an
// operation makes of the points of many, and which resources a filter means.
//
// A request is a struct, an answer columns of times and values. Measures asks for one metric, Several for many as they are. An
// Operation is a calculation over series, read by ParseOperations; Aggregate works it out over sets of series, which Groups finds by the
// resources they belong to, and History does so for the states that resources were in. A Predicate is a condition on values, and what
// ParseFilter and ParseFilterText read is one on resources.
//
// Each question is answered from one consistent state of the samples. Metrics are decoded once each, on all processors, and sets are
// worked on in parallel; a Limits bounds what one request reads, holds and takes, and a context that ends stops it. The arithmetic is
// Gnocchi's to the last digit (testdata/golden), except for angles and powers, which depend on the machine there.
//
// The functions may be called concurrently; what they return is the caller's to read. Columns may be shared between series.
//
// Errors are those of package engine, OperationError, PredicateError, FilterError and FilterShapeError for what a client wrote,
// AggregateError for series that do not go together, and LimitError, which names the limit. The package knows no HTTP and no stored bytes.
package query
