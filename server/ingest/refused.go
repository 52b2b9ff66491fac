package ingest

import "github.com/prometheus/client_golang/prometheus"

// Refused counts samples that were not stored, by protocol and reason. It is a prometheus.Collector. A nil *Refused counts
// nothing. Its methods may be called concurrently.
type Refused struct{ counts *prometheus.CounterVec }

// NewRefused returns counters that are registered nowhere yet.
func NewRefused() *Refused {
	return &Refused{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tsdb_refused_samples_total",
		Help: "Samples that were not stored, by protocol and reason.",
	}, []string{"protocol", "reason"})}
}

// Add counts n samples. Reasons are few and fixed: they are never what a client sent.
func (r *Refused) Add(protocol, reason string, n int) {
	if r != nil && n > 0 {
		r.counts.WithLabelValues(protocol, reason).Add(float64(n))
	}
}

// Describe implements prometheus.Collector.
func (r *Refused) Describe(ch chan<- *prometheus.Desc) { r.counts.Describe(ch) }

// Collect implements prometheus.Collector.
func (r *Refused) Collect(ch chan<- prometheus.Metric) { r.counts.Collect(ch) }
