// Package target drives one time-series store through the phases that engines are compared by.
//
// An adapter is a command that implements Target and calls Main; whatever else its target can do it says by implementing Server, Sized and
// the others. Each phase is a process of its own and prints one JSON line, a Result, or to the standard error why there is none; the exit
// status ExitNotOpened says that the target cannot be had at all. All targets get the same batches in time order and the same questions with
// the same picks. What the answers add up to is in the Result, and Answers reckons from the set what it must be.
//
// CPU and memory of a target that is linked in are those of the process; of a Server, those of its process tree, and of the client besides.
//
// The package and package dataset use nothing from outside of this module but the standard library: the VictoriaMetrics adapter is built
// outside module mode. Package suite builds the adapters and runs them by turns.
package target
