// Package wire stands between a listener and an http.Server, and serves by itself the connections on which nothing but plain requests come.
//
//	s := wire.New(&http.Server{Handler: h, IdleTimeout: time.Minute})
//	go s.Serve(ln)
//	...
//	err := s.Shutdown(ctx)
//
// The HTTP server of package net/http starts, for each request, a goroutine that waits for the client to go away, and stops it before the next one. What
// takes tens of microseconds to answer takes as long again for waking threads. Here a connection is one goroutine, an answer is one write, and the
// connection is watched only once a request takes long (watch.go).
//
// What is a plain request is decided before anything of it is taken (plain.go): its head came in one piece and has nothing in it that asks for more than
// keeping the connection. A connection on which another one comes is net/http's from then on, with all that was not answered yet; so are connections with
// TLS. Heads are parsed by net/http in either case, and handlers cannot tell the difference: TestSameAnswers compares the two.
//
// A Server may be used by any number of goroutines, and serves one listener. A connection's goroutine ends with the connection; Shutdown and
// Close end connections, and Serve returns when the listener is closed.
package wire
