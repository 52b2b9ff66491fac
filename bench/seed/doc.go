// Package seed takes the founding measurement: workload A, posted to a server over HTTP as Ceilometer does, then what it costs on
// disk, in memory and in CPU, and how fast it is read back.
//
// Run starts the server twice on empty directories, once for batches of 60 s and once for batches of 1 s. After the first load
// it stops the server gracefully, weighs the directory, starts the server again on it, times the queries, watches it idle and
// compares every stored value of every aggregation method with the generator. A Report sets the figures beside the goals.
//
// The package knows the server as a user does: a binary, a directory, an address, HTTP.
package seed
