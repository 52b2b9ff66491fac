// Package server puts the dialects of a database behind a listener: Gnocchi's API (package gnocchi) at the root, /healthz for
// load balancers and /metrics for Prometheus beside it.
//
//	s := server.New(db, nil)
//	ln, err := net.Listen("tcp", "127.0.0.1:8041")
//	...
//	err = s.Serve(ctx, ln) // until ctx is done; then requests under way may finish
//
// Before a request reaches the dialect it passes CORS, the limits (package limit: what does not fit is refused at once) and the
// mount prefix; the dialect lets the gate (package auth) say who asks.
//
// A Server may serve several listeners at once. It keeps its own registry of metrics: nothing is global. It does not open or
// close the database.
package server
