// Package prometheus reads what Prometheus sends to a remote storage: protocol buffers (prometheus.WriteRequest of its remote
// write protocol, version 1, or io.prometheus.write.v2.Request, version 2) compressed with snappy.
//
//	var r prometheus.Request
//	err := r.Decode(body, 64<<20)
//
// A Request has one list of samples for each resource and metric, as Gnocchi maps them: the labels job and instance are the
// resource, __name__ is the metric. What cannot be mapped is left out and counted by its reason.
//
// Decode may be called concurrently on different Requests. Text is copied from the body. Memory is bounded by the decoded length,
// which is looked at before anything is decompressed: ErrLarge. ErrFormat: the body is something else. Exemplars, histograms and
// metadata are skipped.
package prometheus
