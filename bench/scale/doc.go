// Command scale measures the engine with many metrics: it generates a database of a cloud (by default 1 M metrics of 100 k
// resources), appends simulated cycles of 300 s, and reports cost, memory, opening, searching and write amplification beside
// their goals as a Markdown table.
//
//	go run ./scale -dir .work/scale -metrics 1000000 -resources 100000
//
// Every phase is a process of its own (the command executes itself with -phase), so that peak memory and CPU time are the
// phase's. Stores are made below -dir and removed at the end unless -keep is given. It uses the exported names of the engine only.
package main
