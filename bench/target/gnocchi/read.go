package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/bench/target"
)

const method = "mean" // of a granularity in which a bucket has one sample: the sample

// span is the part of a query that says from when (milliseconds) until when, both included, and in which granularity.
func (g *gnocchi) span(from, to int64) url.Values {
	iso := func(millis int64) string { return time.UnixMilli(millis).UTC().Format(timeFormat) }
	return url.Values{"start": {iso(from)}, "stop": {iso(to + 1)}, "granularity": {strconv.FormatInt(g.names.step, 10)}}
}

// Scan reads the means of the policy's one granularity, a series at a time.
func (g *gnocchi) Scan(s target.Selection, from, to int64, emit func([]int64, []float64)) error {
	if s.Key == "" {
		return g.scanOne(s.Series, from, to, emit)
	}
	for _, i := range g.members(s) {
		if err := g.scanOne(i, from, to, emit); err != nil {
			return err
		}
	}
	return nil
}

func (g *gnocchi) members(s target.Selection) (members []int) {
	for i, one := range g.set.Series {
		if s.Key == "group" && one.Group == s.Value || s.Key == "project" && one.Project == s.Value {
			members = append(members, i)
		}
	}
	return members
}

func (g *gnocchi) scanOne(series int, from, to int64, emit func([]int64, []float64)) error {
	times, values, err := g.measures(series, g.span(from, to))
	if err != nil {
		return err
	}
	// Gnocchi begins with the bucket in which start is.
	first := 0
	for first < len(times) && times[first] < from {
		first++
	}
	emit(times[first:], values[first:])
	return nil
}

// measures asks for those of a metric; none if it is not there yet.
func (g *gnocchi) measures(series int, query url.Values) (times []int64, values []float64, err error) {
	id, err := g.metric(series)
	if err != nil || id == "" {
		return nil, nil, err
	}
	query.Set("aggregation", method)
	_, text, err := g.api.do(http.MethodGet, "/v1/metric/"+id+"/measures?"+query.Encode(), nil, http.StatusOK)
	if err != nil {
		return nil, nil, err
	}
	return g.parsed(text)
}

func (g *gnocchi) parsed(text []byte) (times []int64, values []float64, err error) {
	if times, values, err = parseMeasures(text); err != nil {
		return nil, nil, fmt.Errorf("gnocchi at %s: %w: %s", g.api.base, err, text[:min(len(text), quoted)])
	}
	return times, values, nil
}

// metric is the id of a series' metric, as a dashboard has it; empty if there is none.
func (g *gnocchi) metric(series int) (string, error) {
	s := g.set.Series[series]
	key := g.resourceID(s.Resource) + "\n" + s.Metric
	g.mu.Lock()
	defer g.mu.Unlock()
	if id := g.metrics[key]; id != "" {
		return id, nil
	}
	g.metrics = map[string]string{}
	err := g.api.eachResource(http.MethodGet, "/v1/resource/"+g.names.resourceType, nil, func(r resource) error {
		for name, id := range r.Metrics {
			g.metrics[r.Original+"\n"+name] = id
		}
		return nil
	})
	return g.metrics[key], err
}

// Newest reads what the newest n samples would be, the series having one at each step until the end of the set.
func (g *gnocchi) Newest(series, n int, emit func([]int64, []float64)) error {
	from := g.set.MaxMillis - int64(n-1)*g.names.step*1000
	return g.scanOne(series, from, g.set.MaxMillis, func(times []int64, values []float64) {
		first := max(0, len(times)-n)
		emit(times[first:], values[first:])
	})
}

// Means has the server resample.
func (g *gnocchi) Means(series int, from, to int64, width time.Duration) (n int, sum float64, err error) {
	query := g.span(from, to)
	if seconds := int64(width / time.Second); seconds != g.names.step {
		query.Set("resample", strconv.FormatInt(seconds, 10))
	}
	_, values, err := g.measures(series, query)
	return len(values), total(values), err
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// GroupMeans has the server aggregate the metrics of a group, then resample.
func (g *gnocchi) GroupMeans(key, value string, from, to int64, width time.Duration) (n int, sum float64, err error) {
	metrics := []any{"metric"}
	for _, i := range g.members(target.Selection{Key: key, Value: value}) {
		id, err := g.metric(i)
		if err != nil {
			return 0, 0, err
		}
		if id != "" {
			metrics = append(metrics, []any{id, method})
		}
	}
	if len(metrics) == 1 {
		return 0, 0, nil
	}
	operations := []any{"aggregate", method, metrics}
	if seconds := int64(width / time.Second); seconds != g.names.step {
		operations = []any{"resample", method, seconds, operations}
	}
	body, err := json.Marshal(map[string]any{"operations": operations})
	if err != nil {
		return 0, 0, err
	}
	query := g.span(from, to)
	query.Set("fill", "dropna") // a series without a sample in a bucket does not take part there
	_, text, err := g.api.do(http.MethodPost, "/v1/aggregates?"+query.Encode(), body, http.StatusOK)
	if err != nil {
		return 0, 0, err
	}
	var answer struct {
		Measures struct{ Aggregated json.RawMessage }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return 0, 0, fmt.Errorf("gnocchi at %s: POST /v1/aggregates: %w", g.api.base, err)
	}
	_, values, err := g.parsed(answer.Measures.Aggregated)
	return len(values), total(values), err
}

// Lookup searches the resources of a project. The search does not tell the metrics' units, which are the groups; every one is a letter.
func (g *gnocchi) Lookup(key, value string) (series, nameBytes int, err error) {
	if key != "project" {
		return 0, 0, fmt.Errorf("no attribute for the label %s", key)
	}
	const groupBytes = 1
	body, err := json.Marshal(map[string]any{"=": map[string]string{"project_id": value}})
	if err != nil {
		return 0, 0, err
	}
	err = g.api.eachResource(http.MethodPost, "/v1/search/resource/"+g.names.resourceType, body, func(r resource) error {
		for name := range r.Metrics {
			series++
			nameBytes += len(name) + len(strings.TrimPrefix(r.Original, g.resourceID(""))) + len(r.Project) + len(r.Host) + groupBytes
		}
		return nil
	})
	return series, nameBytes, err
}

var errMeasures = errors.New("no list of measures")

// parseMeasures reads [["TIME", GRANULARITY, VALUE], ...]. A general decoder would take as long as the server's answer does.
func parseMeasures(text []byte) (times []int64, values []float64, err error) {
	s := strings.TrimSpace(string(text))
	if !strings.HasPrefix(s, "[") || !strings.HasSuffix(s, "]") {
		return nil, nil, errMeasures
	}
	s = strings.TrimSpace(s[1 : len(s)-1])
	for s != "" {
		row, rest, ok := strings.Cut(s, "]")
		row, isRow := strings.CutPrefix(row, "[")
		when, row, ok1 := strings.Cut(row, ",")
		_, value, ok2 := strings.Cut(row, ",")
		if !ok || !isRow || !ok1 || !ok2 {
			return nil, nil, errMeasures
		}
		t, err := time.Parse(time.RFC3339Nano, strings.Trim(when, `" `))
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errMeasures, err)
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errMeasures, err)
		}
		times, values = append(times, t.UnixMilli()), append(values, v)
		s = strings.TrimLeft(rest, ", \n")
	}
	return times, values, nil
}
