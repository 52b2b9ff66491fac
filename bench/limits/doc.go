// Package limits measures what the machine itself can do: the bounds next to which the figures of a store are read. Memory is read and
// copied, a file is synced, JSON is scanned and written, an empty answer goes over HTTP, columns go through a general compressor.
package limits
