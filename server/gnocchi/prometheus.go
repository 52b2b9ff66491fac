package gnocchi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
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
	if strings.Contains(c.r.Header.Get("Content-Type"), "io.prometheus.write.v2") {
		return fail(http.StatusUnsupportedMediaType, "Only version 1 of remote write is understood")
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
	if err := in.Decode(raw, most); err != nil {
		return requestError(err, most)
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
	if in.Fault != "" {
		return badRequest(in.Fault)
	}
	return c.empty(http.StatusAccepted)
}

// requestError answers for a body that is no write request.
func requestError(err error, most int64) error {
	if errors.Is(err, prometheus.ErrLarge) {
		return tooLarge(most)
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
