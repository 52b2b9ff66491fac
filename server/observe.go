package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/telemetrydb/tsdb/engine"
)

// metrics is what the server tells about itself.
type metrics struct {
	registry *prometheus.Registry
	seconds  *prometheus.HistogramVec
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tsdb_http_request_seconds",
			Help:    "Time to answer requests, by route, method and status.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method", "status"}),
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	m.registry.MustRegister(
		gauge("tsdb_http_requests", "Requests under way.", func() float64 { return float64(s.busy.Inside()) }),
		gauge("tsdb_http_clients", "Projects and addresses with requests under way.", func() float64 { return float64(s.shares.Clients()) }),
		gauge("tsdb_http_body_bytes", "Memory that bodies of requests under way take.", func() float64 { return float64(s.budget.Used()) }))
	m.registry.MustRegister(m.seconds, &engineCollector{s.db}, s.o.Refused,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// engineCollector reads the engine's counters when it is asked.
type engineCollector struct{ db *engine.DB }

type engineMetric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*engine.Stats) float64
}

func engineGauge(name, help string, read func(*engine.Stats) float64) engineMetric {
	return engineMetric{prometheus.NewDesc("tsdb_"+name, help, nil, nil), prometheus.GaugeValue, read}
}

func engineCounter(name, help string, read func(*engine.Stats) float64) engineMetric {
	return engineMetric{prometheus.NewDesc("tsdb_"+name+"_total", help, nil, nil), prometheus.CounterValue, read}
}

var engineMetrics = []engineMetric{
	engineGauge("metrics", "Metrics in the database.", func(s *engine.Stats) float64 { return float64(s.Metrics) }),
	engineGauge("resources", "Resources in the database.", func(s *engine.Stats) float64 { return float64(s.Resources) }),
	engineGauge("events", "Events in the database.", func(s *engine.Stats) float64 { return float64(s.Events) }),
	engineCounter("added_events", "Events accepted.", func(s *engine.Stats) float64 { return float64(s.EventsAdded) }),
	engineCounter("duplicate_events", "Events left out because their message ids were known.", func(s *engine.Stats) float64 { return float64(s.DuplicateEvents) }),
	engineCounter("samples", "Samples accepted.", func(s *engine.Stats) float64 { return float64(s.Samples) }),
	engineCounter("late_samples", "Samples dropped as older than the back window.", func(s *engine.Stats) float64 { return float64(s.Late) }),
	engineCounter("duplicate_samples", "Samples that replaced one of the same time.", func(s *engine.Stats) float64 { return float64(s.Duplicates) }),
	engineCounter("seals", "Tails sealed.", func(s *engine.Stats) float64 { return float64(s.Seals) }),
	engineCounter("blocks", "Blocks written.", func(s *engine.Stats) float64 { return float64(s.Blocks) }),
	engineGauge("head_series", "Series with state in memory.", func(s *engine.Stats) float64 { return float64(s.HeadSeries) }),
	engineGauge("head_bytes", "Memory of unsealed samples.", func(s *engine.Stats) float64 { return float64(s.HeadBytes) }),
	engineGauge("log_bytes", "Log that recovery would replay.", func(s *engine.Stats) float64 { return float64(s.LogBytes) }),
	engineGauge("disk_bytes", "Size of all files.", func(s *engine.Stats) float64 { return float64(s.DiskBytes) }),
	engineCounter("written_bytes", "Bytes written to disk.", func(s *engine.Stats) float64 { return float64(s.WrittenBytes) }),
	engineCounter("background_errors", "Errors of background work.", func(s *engine.Stats) float64 { return float64(s.BackgroundErrors) }),
	engineGauge("read_only", "1 if a failure made the database read-only.", func(s *engine.Stats) float64 {
		if s.Fault != "" {
			return 1
		}
		return 0
	}),
}

// Describe implements prometheus.Collector.
func (c *engineCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range engineMetrics {
		ch <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c *engineCollector) Collect(ch chan<- prometheus.Metric) {
	stats := c.db.Stats()
	for _, m := range engineMetrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.read(&stats))
	}
}

// observed counts and logs what next answers.
func (s *Server) observed(m *metrics, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		rec := &recorder{ResponseWriter: w}
		defer func() {
			took := time.Since(begin)
			route := r.Pattern // the handlers set it; paths themselves would be labels without end
			if route == "" {
				route = "none"
			}
			status := rec.status
			if status == 0 {
				status = http.StatusOK
			}
			m.seconds.WithLabelValues(route, methodLabel(r.Method), statusLabel(status)).Observe(took.Seconds())
			s.o.Logger.Debug("request", "method", r.Method, "path", r.URL.Path, "status", status, "bytes", rec.bytes,
				"took", took, "peer", s.origin.peer(r))
		}()
		next.ServeHTTP(rec, r)
	})
}

// methodLabel keeps methods that clients make up from becoming labels.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

func statusLabel(status int) string {
	switch status { // without an allocation for the usual ones
	case http.StatusOK:
		return "200"
	case http.StatusAccepted:
		return "202"
	}
	return strconv.Itoa(status)
}

// recorder remembers status and size of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
