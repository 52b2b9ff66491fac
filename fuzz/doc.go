// Package fuzz holds tests across rooms: random operations on the engine, with reopening and crashes between them, against the
// naive model of fuzz/model; and in fuzz/crash a writing process that is killed. Each test prints its seed, and takes one with -seed.
//
// It has no code of its own, and nobody imports it.
package fuzz
