package publish

import (
	"bytes"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/telemetrydb/tsdb/server/samples"
)

const protocolPush = "pushgateway"

// Pushgateway takes what is pushed to /metrics/job/JOB{/LABEL/VALUE}, as to Prometheus' Pushgateway, in the text format: what
// Ceilometer's prometheus publisher does. It answers 200, or 400 if the text cannot be read. Nothing is kept to be replaced by later
// pushes: each value is a sample, at the time of its arrival unless it has its own. Names stay as they come.
//
// The resource is named by the first of the labels resource_id, instance and job; those of the path count where the line has none.
// user_id and project_id name the owner, and all other labels become metadata. Counters are cumulative, gauges gauges; what has no type
// is delta in what Ceilometer sends, and otherwise a gauge. Of histograms and summaries the count and the sum are kept.
func (d *Doors) Pushgateway() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Pattern = "pushgateway"
		if r.Method != http.MethodPost && r.Method != http.MethodPut {
			w.Header().Set("Allow", "POST, PUT")
			writeError(w, &statusError{http.StatusMethodNotAllowed, "The method is not allowed for the requested URL."})
			return
		}
		in, err := d.push(r)
		switch {
		case err != nil:
			writeError(w, err)
		case in.stored == 0 && in.last != nil:
			writeError(w, in.last)
		default:
			w.WriteHeader(http.StatusOK)
		}
	})
}

func (d *Doors) push(r *http.Request) (*intake, error) {
	in := d.intake(protocolPush, peerText(r.RemoteAddr), "")
	grouping, err := groupingOf(r.URL.EscapedPath())
	if err != nil {
		return in, err
	}
	b, err := d.receive(r)
	if err != nil {
		return in, err
	}
	defer b.Release()
	if err := b.Grow(16 * int64(len(b.bytes))); err != nil {
		return in, err
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(bytes.NewReader(b.bytes))
	if err != nil {
		in.refuse(refuse(reasonFormat, "%v", err), 1)
		return in, &statusError{http.StatusBadRequest, err.Error()}
	}
	in.room = b.Body
	g := pushed{in: in, grouping: grouping, untyped: "gauge"}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "plain/text") { // sic: Ceilometer
		g.untyped = "delta"
	}
	for _, name := range slices.Sorted(maps.Keys(families)) {
		g.family(name, families[name])
	}
	if in.full != nil {
		return in, in.full
	}
	return in, in.store(r.Context())
}

// groupingOf reads the labels of a path: /metrics/job/JOB{/LABEL/VALUE}. A name that ends in @base64 has a value in that.
func groupingOf(path string) ([]attribute, error) {
	bad := &statusError{http.StatusBadRequest, "The path is not /metrics/job/JOB{/LABEL/VALUE}"}
	_, path, ok := strings.Cut(path, "/metrics/")
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	if !ok || len(parts)%2 != 0 {
		return nil, bad
	}
	var out []attribute
	for i := 0; i < len(parts); i += 2 {
		name, err := url.PathUnescape(parts[i])
		if err != nil {
			return nil, bad
		}
		value, err := url.PathUnescape(parts[i+1])
		if err != nil {
			return nil, bad
		}
		if plain, ok := strings.CutSuffix(name, "@base64"); ok {
			b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
			if err != nil {
				return nil, bad
			}
			name, value = plain, string(b)
		}
		out = append(out, textAttribute(name, value))
	}
	if out[0].key != "job" || out[0].text == "" {
		return nil, bad
	}
	slices.Reverse(out) // job last: it is the least telling
	return out, nil
}

func textAttribute(key, text string) attribute {
	return attribute{key: key, text: text, json: appendString(nil, text)}
}

// pushed is what comes with all metrics of a push.
type pushed struct {
	in       *intake
	grouping []attribute
	untyped  string // type of samples whose type is not said
}

// pushKeys are the labels that name the resource.
var pushKeys = []string{"resource_id", "instance", "job"}

func (g *pushed) family(name string, f *dto.MetricFamily) {
	for _, m := range f.GetMetric() {
		switch f.GetType() {
		case dto.MetricType_COUNTER:
			g.sample(m, name, "cumulative", m.GetCounter().GetValue())
		case dto.MetricType_GAUGE:
			g.sample(m, name, "gauge", m.GetGauge().GetValue())
		case dto.MetricType_SUMMARY:
			g.sample(m, name+"_count", "cumulative", float64(m.GetSummary().GetSampleCount()))
			g.sample(m, name+"_sum", "cumulative", m.GetSummary().GetSampleSum())
		case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
			g.sample(m, name+"_count", "cumulative", float64(m.GetHistogram().GetSampleCount()))
			g.sample(m, name+"_sum", "cumulative", m.GetHistogram().GetSampleSum())
		default:
			g.sample(m, name, g.untyped, m.GetUntyped().GetValue())
		}
	}
}

func (g *pushed) sample(m *dto.Metric, name, typ string, value float64) {
	in := g.in
	if in.full != nil {
		return
	}
	s := samples.Sample{Meter: name, Type: typ, Volume: value, Source: in.d.o.Source, Time: in.arrival, Arrival: in.arrival}
	bad := (*Refusal)(nil)
	if m.TimestampMs != nil {
		s.Time, bad = millis(m.GetTimestampMs())
	}
	var own []attribute
	for _, l := range m.GetLabel() {
		own = append(own, textAttribute(l.GetName(), l.GetValue()))
	}
	if bad == nil {
		bad = labelled(&s, pushKeys, own, g.grouping)
	}
	if bad == nil {
		bad = checkSample(&s)
	}
	if bad != nil {
		bad = refuse(bad.Reason, "%s, of metric %s", bad.Detail, quoted(name))
	}
	in.gather(&s, bad)
}

// millis gives a time in milliseconds in nanoseconds.
func millis(ms int64) (int64, *Refusal) {
	if ms < samples.MinTime || ms >= samples.MaxTime/1e6 {
		return 0, refuse(reasonTime, "the time %d ms is not of the years %d to %d", ms, firstYear, lastYear)
	}
	return ms * 1e6, nil
}
