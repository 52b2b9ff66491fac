// Package load puts a server under load and looks for what must not happen: an error that is not back-pressure, an answer that mixes
// two states, a series that shrinks, an acknowledged sample that cannot be read, memory without bound, a bad end.
//
// Run starts the server, usually one that was built with the race detector, and gives it 64 clients: writers that post batches
// across the metrics of a resource, readers of series, aggregates over several metrics and over groups, searches, and changes of
// resources, some of which come and go. Everything that is written follows a rule, so that each answer can be judged by itself:
//
//   - sample number i of every metric of a resource lies at second i and has the value i, and a batch brings the same samples to
//     all four metrics: an answer in which they differ has seen half of a batch;
//   - a resource's two attributes always change together: a resource whose attributes differ is a mixture of two states;
//   - what a client has seen, or somebody was told is stored, is there for all who ask later.
//
// The package knows the server as a user does: a binary, a directory, an address, HTTP.
package load
