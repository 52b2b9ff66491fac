package gnocchi

import (
	"errors"
	"mime"
	"net/http"
	"strconv"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/server/body"
	"github.com/telemetrydb/tsdb/server/ingest"
	"github.com/telemetrydb/tsdb/server/prometheus"
)

const prometheusProtocol = "prometheus"

// prometheusType is the type of the resources that remote write makes.
var prometheusType = engine.ResourceType{Name: "prometheus", Attributes: []engine.Attribute{
	{Name: "instance", Type: engine.AttributeString, Required: true, MinLength: 1, MaxLength: 512},
	{Name: "job", Type: engine.AttributeString, Required: true, MinLength: 1, MaxLength: 512},
}}

// postPrometheusWrite stores a remote write request. What cannot be mapped is refused after the rest has been stored: a sender does
// not repeat what was answered with 400.
func (c *call) postPrometheusWrite() error {
	second, err := c.remoteWriteVersion()
	if err != nil {
		return err
	}
	most := c.o.MaxBodyBytes / foreignShare
	raw, err := c.rawBody(most, "snappy")
	if err != nil {
		return err
	}
	length, err := prometheus.Length(raw, most)
	if err != nil {
		return requestError(err, most)
	}
	memory, err := c.reserve(length)
	if err != nil {
		return err
	}
	defer memory.Release()
	var in prometheus.Request
	if second {
		err = in.DecodeV2(raw, most)
	} else {
		err = in.Decode(raw, most)
	}
	if err != nil {
		return requestError(err, most)
	}
	if second { // nothing is written yet
		c.remoteWritten(0)
	}
	for reason, n := range in.Refused {
		c.o.Refused.Add(prometheusProtocol, reason, n)
	}
	w, err := c.prometheusWrite(in.Series)
	if err != nil {
		return err
	}
	if err := c.store(prometheusProtocol, w); err != nil {
		return err
	}
	if second {
		c.remoteWritten(len(w.Samples))
	}
	if in.Fault != "" {
		return badRequest(in.Fault)
	}
	return c.empty(http.StatusAccepted)
}

// remoteWriteVersion tells whether a request is of the second version of the protocol: its content type names the message.
func (c *call) remoteWriteVersion() (second bool, err error) {
	_, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil { // nothing, or nonsense, which older senders get away with
		return false, nil
	}
	switch params["proto"] {
	case "", "prometheus.WriteRequest":
		return false, nil
	case "io.prometheus.write.v2.Request":
		return true, nil
	}
	return false, fail(http.StatusUnsupportedMediaType, "Only prometheus.WriteRequest and io.prometheus.write.v2.Request are understood")
}

// remoteWritten tells the sender, as version 2 has it, how much was stored.
func (c *call) remoteWritten(samples int) {
	h := c.w.Header()
	h.Set("X-Prometheus-Remote-Write-Samples-Written", strconv.Itoa(samples))
	h.Set("X-Prometheus-Remote-Write-Histograms-Written", "0")
	h.Set("X-Prometheus-Remote-Write-Exemplars-Written", "0")
}

// requestError answers for a body that is no write request.
func requestError(err error, most int64) error {
	if errors.Is(err, prometheus.ErrLarge) {
		return body.TooLarge(most)
	}
	return badRequest("Unable to decode the write request")
}

// prometheusWrite maps series to resources.
func (c *call) prometheusWrite(series []prometheus.Series) (*ingest.Write, error) {
	w := &ingest.Write{Type: prometheusType.Name}
	places := map[prometheus.Resource]int{}
	for _, s := range series {
		at, known := places[s.Resource]
		if !known {
			id, err := resourceID(s.Resource.ID(), c.user)
			if err != nil {
				return nil, badRequest(err.Error())
			}
			at = len(w.Resources)
			places[s.Resource] = at
			w.Resources = append(w.Resources, ingest.Resource{ID: id, Original: s.Resource.ID(), Attributes: map[string]index.Value{
				"instance": {Kind: index.Bytes, Str: s.Resource.Instance},
				"job":      {Kind: index.Bytes, Str: s.Resource.Job},
			}})
		}
		for _, sample := range s.Samples {
			w.Samples = append(w.Samples, ingest.Sample{Resource: at, Metric: s.Metric, Time: sample.Time, Value: sample.Value})
		}
	}
	w.NeedType = func(tx *engine.Tx) error { return c.needType(tx, prometheusType) }
	return w, nil
}
