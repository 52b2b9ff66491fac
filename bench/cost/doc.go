// Package cost tells what this process has used so far and what the files below a directory take, and makes the system forget files that it has
// in memory.
package cost
