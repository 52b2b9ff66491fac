// Package goals is what the programs that measure goals share: a Sheet that collects figures beside what they should be, and the flags by
// which a command is told what to measure and what becomes of it.
//
// A measuring package fills a Sheet; its command adds Flags, runs the measurement and calls Show.
package goals
