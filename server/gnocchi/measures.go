package gnocchi

import (
	"math"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/rollup"
	"github.com/telemetrydb/tsdb/server/auth"
)

// batches are reused: a batch keeps its memory.
var batches = sync.Pool{New: func() any { return new(engine.Batch) }}

// maxPooledSamples is the longest batch that is kept for the next request.
const maxPooledSamples = 1 << 16

func getBatch() *engine.Batch { return batches.Get().(*engine.Batch) }

func putBatch(b *engine.Batch) {
	if b.Len() > maxPooledSamples {
		return
	}
	b.Reset()
	batches.Put(b)
}

// whileMetricsGo runs fn, which finds metrics and stores measures, again if one was deleted in between: then fn no longer finds
// it, and answers as for any metric that does not exist.
func whileMetricsGo(fn func() error) error {
	const tries = 5
	for range tries {
		if err := fn(); !isKind(err, engine.ErrNotFound, engine.KindMetric) {
			return err
		}
	}
	return fail(http.StatusServiceUnavailable, "metrics are being deleted while measures are stored: try again")
}

// append stores a batch and answers.
func (c *call) append(b *engine.Batch) error {
	if b.Len() > 0 {
		if _, err := c.db.Append(c.r.Context(), b); err != nil {
			return err
		}
	}
	return c.empty(http.StatusAccepted)
}

func (c *call) postMeasures() error {
	m, err := c.metricOfPath()
	if err != nil {
		return err
	}
	if err := c.mayMetric(auth.PostMeasures, m); err != nil {
		return err
	}
	v, err := c.decodeMeasures()
	if err != nil {
		return err
	}
	b := getBatch()
	defer putBatch(b)
	if err := newMeasureReader(c).read(v, m.Ref, b); err != nil {
		return invalid(err.Error(), nil)
	}
	if err = c.append(b); isKind(err, engine.ErrNotFound, engine.KindMetric) {
		if _, gone := c.metricOfPath(); gone != nil { // deleted meanwhile: the error by the name that the client knows
			return gone
		}
	}
	return err
}

func (c *call) getMeasures() error {
	m, err := c.metricOfPath()
	if err != nil {
		return err
	}
	if err := c.mayMetric(auth.GetMeasures, m); err != nil {
		return err
	}
	policy, err := c.db.ArchivePolicy(m.Policy)
	if err != nil {
		return err
	}
	q, err := c.parseMeasuresQuery(m, policy)
	if err != nil {
		return err
	}
	series, err := query.Measures(c.r.Context(), c.db, q)
	if err != nil {
		return err
	}
	c.sendSeries(series)
	return nil
}

// parseMeasuresQuery reads the query string of a request for measures.
func (c *call) parseMeasuresQuery(m engine.Metric, policy engine.ArchivePolicy) (query.MeasuresRequest, error) {
	args := c.args()
	q := query.MeasuresRequest{Metric: m.Ref, Definition: policy.Definition}
	if err := parseResample(args, &q); err != nil {
		return q, err
	}
	var err error
	if q.From, err = c.timeArg(args, "start", 0); err != nil {
		return q, err
	}
	if q.To, err = c.timeArg(args, "stop", math.MaxInt64); err != nil {
		return q, err
	}
	if v, ok := args["granularity"]; ok {
		nanos, err := positiveTimespan(v[len(v)-1])
		if err != nil {
			return q, argumentError("granularity", err.Error())
		}
		q.Granularity = time.Duration(nanos)
	}
	if _, err := c.boolArg("refresh", false); err != nil {
		return q, err
	}
	name := "mean"
	if v, ok := args["aggregation"]; ok {
		name = v[len(v)-1]
	}
	method, ok := rollup.ParseMethod(name)
	if !ok || !hasMethod(policy, method) {
		return q, noMethod(&m, name)
	}
	q.Method = method
	if q.Granularity != 0 && !hasWidth(policy, q.Granularity) {
		return q, notFound("Aggregation method '%s' at granularity '%s' for metric %s does not exist",
			name, spanSecondsText(q.Granularity), m.ID)
	}
	if q.Letter != 0 && method.Rate() {
		return q, noCalendar(name)
	}
	if q.Resample != 0 && method.Rate() {
		c.warnRateOfRate()
	}
	return q, nil
}

// parseResample reads the parameter resample: a letter of the calendar or a timespan. An empty one is none.
func parseResample(args url.Values, q *query.MeasuresRequest) error {
	v := args["resample"]
	if len(v) == 0 || v[len(v)-1] == "" {
		return nil
	}
	if !args.Has("granularity") {
		return badRequest("A granularity must be specified to resample")
	}
	switch s := v[len(v)-1]; s {
	case "Y", "H", "Q", "M", "W":
		q.Letter = s[0]
	default:
		nanos, err := positiveTimespan(s)
		if err != nil {
			return badRequest(err.Error())
		}
		q.Resample = time.Duration(nanos)
	}
	return nil
}

func hasMethod(p engine.ArchivePolicy, m rollup.Method) bool {
	for _, have := range p.Methods {
		if have == m {
			return true
		}
	}
	return false
}

func hasWidth(p engine.ArchivePolicy, w time.Duration) bool {
	for _, g := range p.Definition {
		if g.Width == w {
			return true
		}
	}
	return false
}

// sendSeries sends points as a list of [time, granularity, value].
func (c *call) sendSeries(series []query.Series) {
	out := c.stream()
	defer out.release()
	var w pointWriter
	w.list(out, series)
	out.end(http.StatusOK)
}
