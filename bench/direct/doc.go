// Package direct sends HTTP requests from the goroutine that asks, one at a time over one kept connection.
//
// The transport of net/http hands each request to a goroutine that writes and each answer to one that reads. Waking these up, next to a server on two
// processors, takes half as long as the fastest answers themselves, and would be measured as the server's time.
//
// A Transport serves one goroutine at a time.
package direct
