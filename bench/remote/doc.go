// Package remote is how adapters talk to servers: a server that is started with the target and ends with it, clients with time limits whose
// errors say what the server said, and a quick reader of the JSON that long answers are.
//
// A Client and a Reader serve one goroutine at a time; a Server gives each writer a client of its own.
package remote
