// Package ingest stores samples of protocols that name things instead of knowing their ids: resources and metrics are made as they
// are needed.
//
//	w := ingest.Write{Type: "prometheus", Creator: &user, Resources: resources, Samples: samples}
//	result, err := w.Store(ctx, db)
//
// A Write is all or nothing, as far as samples go: either every sample is durable when Store returns, or none is stored. Resources
// and metrics that it made before it failed stay. Writes may run concurrently, also of the same new metrics.
//
// Errors are those of the engine, of the functions in Access, *PolicyError and *TypeError. Refused counts what was not stored, by
// protocol and reason, for Prometheus.
package ingest
