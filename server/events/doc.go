// Package events answers the events part of Ceilometer's v2 API, as Panko did: /v2/events, /v2/event_types and what is below them.
//
//	h := events.New(db, &events.Options{Caller: whoIs})
//	mux.Handle("/v2/events", h) // and /v2/events/, /v2/event_types, /v2/event_types/
//
// A handler finds out by the Caller of its Options who asks, reads filters with package simplequery, and asks the engine; answers are
// written as the engine gives events, not collected. It may be used concurrently. Events come in elsewhere.
//
// Administrators without a project, and those who say all_tenants, see all events; with a project theirs and those of none. Others see
// the events that have both their project and their user as traits. Types and traits are for administrators.
package events
