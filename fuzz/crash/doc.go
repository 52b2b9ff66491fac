// Package crash kills a process that writes to a database and looks for what it had acknowledged.
//
// The test runs its own binary as a child, which opens a database in a real directory and writes to it from several
// goroutines: batches in and out of order, metrics and resources that come and go, changed policies, compactions. Before each
// operation a goroutine writes the intention to a journal, after it the result. The parent kills the child at a random
// moment, opens the database, and compares samples, aggregates, catalogue and index with what the journal says: what was
// acknowledged is there, and of what was under way at the end all or nothing. Many rounds go over one directory.
//
//	go test ./fuzz/crash                             the rounds of every change
//	go test ./fuzz/crash -run Soak -soak=10m         as many as fit
//	go test ./fuzz/crash -seed=1 -rounds=5           again what was printed
package crash
