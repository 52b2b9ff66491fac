// Command keyorder measures, on bare Pebble, which order of keys suits sealed blocks that arrive over time.
//
// Each metric gets one block of incompressible bytes a period, in random (or ordinal) order within the period. Three
// layouts are compared: time partition before metric, metric before time, and one block for all ten metrics of a
// resource; each with values inside the tables and with Pebble's value separation. Every case runs in a process of its
// own and prints one JSON line; without -layout the whole matrix runs and a Markdown table follows.
//
//	go run ./keyorder -metrics 100000 -dir .work/keyorder
//
// The log is switched off: it costs every layout the same and only the tables are of interest. README.md holds the
// figures and what was decided from them.
package main
