package publish

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/telemetrydb/tsdb/server/samples"
	"google.golang.org/protobuf/encoding/protowire"
)

const (
	protocolOTLP = "otlp"
	maxSamples   = 1 << 18 // of a request in which two bytes can make one
)

// OTLP takes what is exported to /v1/metrics by OTLP over HTTP: protocol buffers or JSON, also the JSON that Ceilometer's
// opentelemetry_http publisher makes, which is not quite that. It answers 200 with how many points were refused, in the encoding of the
// request.
//
// A point becomes a sample. Gauges are gauges; sums are cumulative if they only grow, delta if their points are differences, and else
// gauges. Of histograms and summaries the number of observations and their sum become meters NAME_count and NAME_sum; the rest has no
// place. The resource is named by the first of the attributes resource_id (of the point, then of the resource), host.id,
// service.instance.id, host.name and service.name; user_id and project_id name the owner. All other attributes become metadata, those
// of the point before those of the resource.
func (d *Doors) OTLP() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Pattern = "otlp"
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			writeError(w, &statusError{http.StatusMethodNotAllowed, "The method is not allowed for the requested URL."})
			return
		}
		media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		reply := otlpReply{w: w}
		switch strings.TrimSpace(strings.ToLower(media)) {
		case "application/x-protobuf":
		case "application/json":
			reply.json = true
		default:
			reply.json = true
			reply.fail(&statusError{http.StatusUnsupportedMediaType, "Unknown mimetype: " + media})
			return
		}
		in, err := d.otlp(r, reply.json)
		if err != nil {
			reply.fail(err)
			return
		}
		reply.succeed(in)
	})
}

func (d *Doors) otlp(r *http.Request, json bool) (*intake, error) {
	in := d.intake(protocolOTLP, peerText(r.RemoteAddr), "")
	b, err := d.receive(r)
	if err != nil {
		return in, err
	}
	defer b.Release()
	in.room = b.Body
	walk := otlpWalk{in: in}
	if json {
		v, done, err := d.parseJSON(&b)
		if err != nil {
			in.refuse(refuse(reasonFormat, "%v", err), 1)
			return in, err
		}
		defer done()
		if bad := walk.jsonRequest(v); in.full != nil {
			return in, in.full
		} else if bad != nil {
			in.refuse(bad, 1)
			return in, bad
		}
		return in, in.store(r.Context())
	}
	if err := b.Grow(8 * int64(len(b.bytes))); err != nil {
		return in, err
	}
	if err := walk.request(b.bytes); in.full != nil {
		return in, in.full
	} else if err != nil {
		var bad *Refusal
		if !errors.As(err, &bad) {
			bad = refuse(reasonFormat, "%v", err)
		}
		in.refuse(bad, 1)
		return in, bad
	}
	return in, in.store(r.Context())
}

// otlpReply writes answers in the encoding of the request.
type otlpReply struct {
	w    http.ResponseWriter
	json bool
}

// succeed answers an ExportMetricsServiceResponse.
func (r otlpReply) succeed(in *intake) {
	n, why := 0, ""
	for _, k := range in.refused {
		n += k
	}
	if in.last != nil {
		why = in.last.Error()
	}
	if r.json {
		answer := map[string]any{}
		if n > 0 {
			answer["partialSuccess"] = map[string]any{"rejectedDataPoints": strconv.Itoa(n), "errorMessage": why}
		}
		writeJSON(r.w, http.StatusOK, answer)
		return
	}
	var b []byte
	if n > 0 {
		part := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(n))
		part = protowire.AppendString(protowire.AppendTag(part, 2, protowire.BytesType), why)
		b = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), part)
	}
	r.write(http.StatusOK, b)
}

// fail answers a google.rpc.Status.
func (r otlpReply) fail(err error) {
	status, text, again := answerTo(err)
	if again {
		r.w.Header().Set("Retry-After", "1")
		status = http.StatusServiceUnavailable // of which the protocol says that it may be tried again
	}
	const invalidArgument, unavailable, internal = 3, 14, 13
	code := invalidArgument
	switch {
	case again:
		code = unavailable
	case status >= http.StatusInternalServerError:
		code = internal
	}
	if r.json {
		writeJSON(r.w, status, map[string]any{"code": code, "message": text})
		return
	}
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
	r.write(status, protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), text))
}

func (r otlpReply) write(status int, b []byte) {
	r.w.Header().Set("Content-Type", "application/x-protobuf")
	r.w.WriteHeader(status)
	_, _ = r.w.Write(b)
}

// attribute is a key with its value: as JSON, and, of a text, what it says.
type attribute struct {
	key, text string
	json      []byte
}

// otlpPoint is a point of a metric, from either encoding.
type otlpPoint struct {
	attributes []attribute
	time       int64 // nanoseconds since the Unix epoch; 0: not said
	value      float64
	number     bool // value is one
	absent     bool // the point says that there is no value
	count      float64
	sum        float64
	counted    bool // count is known
	summed     bool // sum is known
}

// otlpMetric is a metric without its points.
type otlpMetric struct {
	name, description, unit string
	kind                    otlpKind
	temporality             int64
	monotonic               bool
}

type otlpKind int

const (
	otlpNone otlpKind = iota
	otlpGauge
	otlpSum
	otlpHistogram // and what else has count and sum
	otlpSummary
)

const (
	temporalityDelta      = 1
	temporalityCumulative = 2
)

// otlpWalk makes samples of points, with what is around them.
type otlpWalk struct {
	in       *intake
	resource []attribute
	scope    string
	metric   otlpMetric
}

// typ gives the type of samples of the metric.
func (m *otlpMetric) typ() string {
	switch {
	case m.kind == otlpGauge:
		return "gauge"
	case m.temporality == temporalityDelta:
		return "delta"
	case m.kind == otlpSum && !m.monotonic:
		return "gauge"
	}
	return "cumulative"
}

// meter gives the name. Ceilometer's own publisher has put the real one into the description.
func (m *otlpMetric) meter(scope string) string {
	if first, rest, ok := strings.Cut(m.description, " "); ok && scope == "ceilometer" && rest == "unit:"+m.unit &&
		strings.ReplaceAll(first, ".", "_") == m.name {
		return first
	}
	return m.name
}

// errTooMany ends a request.
var errTooMany = refuse(reasonLarge, "more than %d samples in a request", maxSamples)

// point takes a point.
func (w *otlpWalk) point(p *otlpPoint) error {
	if len(w.in.samples) >= maxSamples || w.in.full != nil {
		return errTooMany
	}
	m := &w.metric
	name := m.meter(w.scope)
	if m.kind == otlpGauge || m.kind == otlpSum {
		if p.absent || !p.number {
			w.in.refuse(refuse(reasonVolume, "a point without a value, of metric %s", quoted(name)), 1)
			return nil
		}
		w.sample(p, name, m.unit, p.value)
		return nil
	}
	if p.absent || !p.counted {
		w.in.refuse(refuse(reasonHistogram, "a point without a count, of metric %s", quoted(name)), 1)
		return nil
	}
	if w.sample(p, name+"_count", "1", p.count) && p.summed {
		w.sample(p, name+"_sum", m.unit, p.sum)
	}
	return nil
}

// sample takes a value of a point, or refuses the point.
func (w *otlpWalk) sample(p *otlpPoint, name, unit string, value float64) bool {
	s := samples.Sample{Meter: name, Type: w.metric.typ(), Unit: unit, Volume: value, Source: w.in.d.o.Source, Time: p.time, Arrival: w.in.arrival}
	if s.Time == 0 {
		s.Time = w.in.arrival
	}
	bad := labelled(&s, resourceKeys, p.attributes, w.resource)
	if bad == nil {
		bad = checkSample(&s)
	}
	if bad != nil {
		bad = refuse(bad.Reason, "%s, of metric %s", bad.Detail, quoted(name))
	}
	w.in.gather(&s, bad)
	return bad == nil && w.in.full == nil
}
