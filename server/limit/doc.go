// Package limit bounds what requests take of the machine: a Budget of memory for bodies that are being read, a Gate for how many
// are served at once, Shares for what of both one client may have, and deadlines that follow the pace of a client.
//
// What does not fit is refused at once, never queued: the client is told when to come again. Everything here may be used by
// any number of goroutines, but for a Reader and a Guest, which serve one.
package limit
