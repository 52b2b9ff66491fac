// Package mongodb is what the targets that keep samples in a MongoDB share: the server, given by a URI or started from the mongod that PATH has,
// a database of the run's own at it, and how its errors are told.
//
// A Server may be used from several goroutines. Every call has a limit of time. No database is touched but the one that Open names, which
// begins with "tsdb_bench".
package mongodb
