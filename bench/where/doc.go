// Package where tells what the CPU time of an activity goes to: it reads the stacks of a CPU profile and gives each to the part of the work that
// its innermost known function belongs to, so that a flame graph becomes a table of a few lines.
package where
