// Package report turns the result lines of the targets into tables: what was measured, and each goal as a ratio between
// engines that ran by turns in one session.
package report
