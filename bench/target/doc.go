// Package target drives one time-series store through the phases that engines are compared by.
//
// An adapter is a command that implements Target and calls Main. Each phase (ingest, query, verify, crash-write, crash-check) is
// a process of its own and prints one JSON line, a Result. All engines get the same batches of 1,000 samples in time order and
// the same queries with the same picks; what the queries add up to is in the Result, and must agree between engines.
//
// The package and package dataset use the standard library alone: the VictoriaMetrics adapter is built outside module mode.
// The command bench/cmd/bench builds the adapters, runs them by turns and prints the table of ratios.
package target
