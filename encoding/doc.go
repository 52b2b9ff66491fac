// Package encoding turns columns of times and values into bytes and back, bit for bit.
//
// A block holds rows of one series: a time column, int64 nanoseconds since the Unix epoch, not decreasing, and any number
// of value columns of float64 over the same rows, such as a metric's samples or the aggregates of its buckets. Each column is
// stored in the codec that is smallest for it: constants, integers under a scale, differences, dictionaries, references to other
// columns. An Encoder makes blocks; a Block reads parts of one. The Example of Encoder shows both.
//
// An Encoder serves one goroutine at a time and keeps scratch space, which is why it is a value to keep. A Block is read only: any
// number of goroutines may use it.
//
// Functions that append return the slice grown, as append does, and keep no reference to what they are given. A Block refers to the
// bytes that it was parsed from, which must stay as they are while it is in use.
//
// Decoding reports ErrCorrupt for bytes that break the format or their checksum and ErrVersion for what a later release wrote;
// it never panics, and allocates only the caller's result: at most MaxRows values. Encoding panics on times out of order and on
// columns that don't match the rows, as these are mistakes of the caller.
//
// The bytes are defined in format.go; Describe prints any block with their meaning.
//
// The package does no I/O, starts no goroutine and knows nothing of keys, series or clocks.
package encoding
