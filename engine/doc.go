// Package engine is a time-series database to embed: it stores the samples of many metrics in a directory, keeps aggregates of them
// as their archive policies say, and finds metrics by the resources they belong to.
//
// A metric has samples (a time and a float64) and an archive policy, which names granularities, how many points of each are kept, and
// the aggregation methods. It may belong to a resource: something of a project, with attributes as
// its type says, that a Query selects by. What a resource was before a change stays as a revision, which a Query with History finds. A rule gives
// new metrics a policy by their names. Update changes these, all or nothing. A metric is known by a UUID and, for appends and
// reads, by a short Ref. Append stores a Batch of samples of any number of metrics; a View pins the present state of some metrics
// and reads their points and raw samples. Options, Stats, Check and Dump are for who runs the database.
//
// The Examples of Open, DB.Append, View.Measures and View.Raw are the shortest programs that do something.
//
// A sample may carry a Context (owner, source, metadata as JSON) and the time of its arrival, and a policy may keep every sample, late and
// simultaneous ones too: View.Samples and View.MergeSamples read them, FindContexts and MetricsOfContexts say where to look.
//
// An Event is something that happened, with traits; it belongs to no metric. AppendEvents stores events, Events, EventTypes and EventTraits find them.
//
// All methods of DB may be called concurrently; Batch, Tx and View each serve one goroutine at a time. Several databases may be
// open in one process, and one directory in one process. Close waits for running calls and for the database's own goroutines, which
// seal, expire and checkpoint: work that no answer depends on.
//
// What a method returns is the caller's to keep, and to change unless its comment says otherwise; a Batch may be used again as soon
// as Append returns. A View holds memory until it is closed.
//
// Errors wrap one of the Err values of this package, or come from the file system or the context. An I/O error makes the database
// read-only, a full disk refuses writes until there is room, a damaged record is a CorruptError of its own: reads of everything
// else go on, and nothing panics or ends the process.
//
// The database is one key space of Pebble's, and samples in Pebble's log. Its keys are in keys.go and blockkey.go, log records in
// logrec.go and their files in logfile.go and logstate.go, series records in series.go, catalogue records in catalogue_record.go, events in event_record.go; blocks are those of package encoding, index entries those of package index.
//
// The package knows no network, no query language and no configuration files, prints nothing, and keeps nothing outside the
// file system of its Options.
package engine
