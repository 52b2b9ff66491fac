// Package child runs server processes for the benchmark: each in a process group of its own, on the loopback interface, with its output in a
// log, healthy when Start returns, and never longer than the process that started it, however that one ends.
//
// A Process may be stopped and asked from any goroutine.
package child
