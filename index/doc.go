// Package index keeps sets of ordinals by (field, value) and answers filter trees with one bitmap.
//
// An ordinal is a number from 1 that stands for an object of a space: a resource, a metric. A posting is the set of
// ordinals whose field has a value; a field's postings in the order of their values are its dictionary. Both live in
// Pebble, under keys of which the first byte is the index's own, and change in the batches of what they describe; a
// bounded cache holds postings that were asked for.
//
// An Index is opened over a store with Open, which reads one key. A Change collects what a commit does: Insert, Delete,
// Set, then Write into the batch, then Publish. A View looks at one state, that of a snapshot: Eval turns a Filter into the
// set of ordinals it selects, and Page puts such a set into an order, a part at a time. TestModel shows all of them.
//
// Index may be used concurrently; changes are written and published one at a time, in the order of their commits. Change and
// View serve one goroutine each. Sets returned are shared with the cache: read only, valid for ever.
//
// Errors of the store are passed on; bytes that break the format give ErrCorrupt. The bytes are described in format.go.
//
// The package does not open stores, does not commit, and does not know what the objects are.
package index
