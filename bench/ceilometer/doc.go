// Package ceilometer takes the founding measurement as Ceilometer's users would: workload A as samples with nova's metadata, published
// over HTTP, listed and summed up through the v2 API, beside what MongoDB took for the same samples.
//
// Run starts the server on three empty directories: for one client that publishes the whole workload and waits for each batch to be on
// disk, for several such clients that have a cloud of their own each, and for one with --sync interval. The first directory is weighed
// after a stop, its pages are dropped from memory, and it is asked, cold and warm. Every sample is compared with the generator: time,
// value and metadata; so are the statistics of every meter.
//
// The package knows the server as a user does: a binary, a directory, an address, HTTP.
package ceilometer
