package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

const timeFormat = "2006-01-02T15:04:05.999999999"

// Append posts a batch as Ceilometer's publisher does: measures by resource and metric, metrics made where they are missing.
func (g *gnocchi) Append(_ int, samples []dataset.Sample) error {
	series := g.set.Series
	sorted := slices.Clone(samples)
	slices.SortStableFunc(sorted, func(a, b dataset.Sample) int {
		return cmp.Or(cmp.Compare(series[a.Series].Resource, series[b.Series].Resource), cmp.Compare(a.Series, b.Series))
	})
	if err := g.makeResources(sorted); err != nil {
		return err
	}
	body, err := g.batch(sorted)
	if err != nil {
		return err
	}
	_, _, err = g.api.do(http.MethodPost, "/v1/batch/resources/metrics/measures?create_metrics=true", body, http.StatusAccepted)
	return err
}

// makeResources makes those that come for the first time.
func (g *gnocchi) makeResources(samples []dataset.Sample) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range samples {
		one := g.set.Series[s.Series]
		if g.made[one.Resource] {
			continue
		}
		r := map[string]string{"id": g.resourceID(one.Resource), "project_id": one.Project, "host": one.Host}
		if err := g.api.post("/v1/resource/"+g.names.resourceType, r, http.StatusCreated, http.StatusConflict); err != nil {
			return err
		}
		g.made[one.Resource] = true
	}
	return nil
}

// resourceID distinguishes the resources of a run from others of the same set at the server, whatever their types.
func (g *gnocchi) resourceID(name string) string { return g.names.resourceType + ":" + name }

// batch encodes samples in the order of resources and series.
func (g *gnocchi) batch(samples []dataset.Sample) ([]byte, error) {
	out := []byte{'{'}
	for i, s := range samples {
		one := g.set.Series[s.Series]
		newSeries := i == 0 || samples[i-1].Series != s.Series
		newResource := i == 0 || g.set.Series[samples[i-1].Series].Resource != one.Resource
		switch {
		case newResource && i > 0:
			out = append(out, "]}},"...)
		case newSeries && i > 0:
			out = append(out, "]},"...)
		case i > 0:
			out = append(out, ',')
		}
		if newResource {
			out = append(appendText(out, g.resourceID(one.Resource)), ":{"...)
		}
		if newSeries {
			out = append(appendText(out, one.Metric), `:{"archive_policy_name":`...)
			out = append(appendText(out, g.names.policy), `,"unit":`...)
			out = append(appendText(out, one.Group), `,"measures":[`...)
		}
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			return nil, fmt.Errorf("%s of %s has the value %v, which JSON hasn't", one.Metric, one.Resource, s.Value)
		}
		out = append(out, `{"timestamp":"`...)
		out = time.UnixMilli(s.Millis).UTC().AppendFormat(out, timeFormat)
		out = append(out, `","value":`...)
		out = append(strconv.AppendFloat(out, s.Value, 'g', -1, 64), '}')
	}
	if len(samples) > 0 {
		out = append(out, "]}}"...)
	}
	return append(out, '}'), nil
}

func appendText(dst []byte, s string) []byte {
	text, _ := json.Marshal(s) // a string always has a form in JSON
	return append(dst, text...)
}
