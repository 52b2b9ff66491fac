// Package served runs a server as a user does: a binary, a directory, an address, HTTP. It tells what the process takes.
//
// A Server is a process that the caller stops; a Client is one connection and serves one goroutine at a time.
package served
