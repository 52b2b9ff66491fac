// Package cloud measures a small cloud: workload B, 1,000 instances of ten metrics at 300 s for a day, sent to a server over HTTP as
// Ceilometer does, and the questions that dashboards and billing ask of it.
//
// Run starts the server on an empty directory, makes the resources one POST each, posts the day up to its last cycles in large
// batches, posts those as they would come in life, stops the server and weighs the directory, starts it again on it, times the
// queries, and compares every stored value and every answer with the generator. The same work can be given to a running Gnocchi, for
// the ratios. Scale asks stores of 10,000 and 100,000 resources for results of the same sizes.
//
// The package knows the server as a user does: a binary, a directory, an address, HTTP.
package cloud
