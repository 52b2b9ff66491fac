// Package growth measures how costs grow with the work: samples a metric, metrics, resources, granularities of a policy, and clients of
// the server. Of each dimension only one number changes from one size to the next.
//
// Measure does one size in a process of its own (cmd/growth executes itself), so that CPU time and peak memory are that size's. The
// engine is linked in for all dimensions but clients, for which the server is asked over HTTP. Everything is read back and compared with what was written.
package growth
