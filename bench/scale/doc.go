// Package scale measures the engine, linked in, with many metrics: a million that get samples, ten million of which a million get samples, weeks
// of samples and the writing that they cause, and a part of a month of a hundred thousand metrics. It gives goals, which say by themselves where
// less was measured than they are about.
//
// Every phase is a process of its own (the command executes itself with -phase), so that peak memory and CPU time are the phase's. Stores
// are made below a directory and removed at the end. A Session is one goroutine's. It uses the exported names of the engine only.
package scale
