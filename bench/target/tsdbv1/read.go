package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/telemetrydb/tsdb/bench/remote"
	"github.com/telemetrydb/tsdb/bench/target"
)

const pageRows = 1000 // resources of an answer

// measures asks for the points of a series with from <= time <= to, in s.times and s.values. A series without a sample yet has none.
func (s *server) measures(series int, from, to int64, granularity, resample string) error {
	one := s.set.Series[series]
	q := url.Values{"aggregation": {"mean"}, "granularity": {granularity}, "start": {remote.Time(from)}, "stop": {remote.Time(to + 1)}}
	if resample != "" {
		q.Set("resample", resample)
	}
	s.times, s.values = s.times[:0], s.values[:0]
	answer, err := s.Reader().Get("/v1/resource/" + resourceType + "/" + url.PathEscape(one.Resource) + "/metric/" + url.PathEscape(one.Metric) +
		"/measures?" + q.Encode())
	if err != nil {
		return unless(err, http.StatusNotFound)
	}
	return s.readPoints(remote.NewReader(answer))
}

// readPoints reads [[time, granularity, value], ...].
func (s *server) readPoints(r *remote.Reader) error {
	r.Want('[')
	if r.Is(']') {
		return r.Err()
	}
	for {
		r.Want('[')
		text := r.Text()
		r.Want(',')
		r.Number()
		r.Want(',')
		v := r.Number()
		r.Want(']')
		if r.Err() != nil {
			return r.Err()
		}
		t, err := s.clock.Millis(text)
		if err != nil {
			return err
		}
		s.times, s.values = append(s.times, t), append(s.values, v)
		if !r.Is(',') {
			r.Want(']')
			return r.Err()
		}
	}
}

func (s *server) Scan(sel target.Selection, from, to int64, emit func([]int64, []float64)) error {
	if sel.Key == "" {
		err := s.measures(sel.Series, from, to, fine, "")
		if err == nil {
			emit(s.times, s.values)
		}
		return err
	}
	return remote.EachSeries(s.set, sel, func(one target.Selection) error { return s.Scan(one, from, to, emit) })
}

func (s *server) sum() (n int, sum float64) {
	for _, v := range s.values {
		sum += v
	}
	return len(s.values), sum
}

// Means implements target.Averager.
func (s *server) Means(series int, from, to int64, width time.Duration) (n int, sum float64, err error) {
	if w := width.Milliseconds(); !remote.Whole(s.set, from, to, w) {
		return remote.Folded(s, target.Selection{Series: series}, from, to, w)
	}
	if err := s.measures(series, from, to, fine, fmt.Sprint(width.Seconds())); err != nil {
		return 0, 0, err
	}
	n, sum = s.sum()
	return n, sum, nil
}

// StoredMeans implements target.Downsampler.
func (s *server) StoredMeans(series int, from, to int64) (n int, sum float64, err error) {
	if err := s.measures(series, from, to, coarse, ""); err != nil {
		return 0, 0, err
	}
	n, sum = s.sum()
	return n, sum, nil
}

// GroupMeans implements target.GroupAverager by one request for the aggregate of all metrics of the group's names, or sample by sample
// where a series outside of the group has such a name.
func (s *server) GroupMeans(key, value string, from, to int64, width time.Duration) (n int, sum float64, err error) {
	names, alone, err := remote.Names(s.set, key, value)
	if err != nil {
		return 0, 0, err
	}
	if w := width.Milliseconds(); !alone || w != coarseMillis || !remote.Whole(s.set, from, to, w) {
		return remote.Folded(s, target.Selection{Key: key, Value: value}, from, to, w)
	}
	each := func(method string) any {
		metrics := []any{"metric"}
		for _, m := range names {
			metrics = append(metrics, []string{m, method})
		}
		return []any{"aggregate", "sum", metrics}
	}
	ask, err := json.Marshal(map[string]any{"operations": []any{"/", each("sum"), each("count")}, "resource_type": resourceType,
		"search": map[string]any{"like": map[string]string{"host": "%"}}})
	if err != nil {
		return 0, 0, err
	}
	q := url.Values{"granularity": {coarse}, "fill": {"0"}, "start": {remote.Time(from)}, "stop": {remote.Time(to + 1)}}
	answer, err := s.Reader().Do(http.MethodPost, "/v1/aggregates?"+q.Encode(), jsonType, ask)
	if err != nil {
		return 0, 0, err
	}
	r := remote.NewReader(answer)
	if !r.Skip(`"aggregated":`) {
		return 0, 0, errShape(answer)
	}
	s.times, s.values = s.times[:0], s.values[:0]
	if err := s.readPoints(r); err != nil {
		return 0, 0, err
	}
	n, sum = s.sum()
	return n, sum, nil
}

// Lookup searches the resources of a project.
func (s *server) Lookup(key, value string) (series, nameBytes int, err error) {
	if key != "project" {
		return 0, 0, errors.New("only projects can be looked up")
	}
	ask, err := json.Marshal(map[string]any{"=": map[string]string{"project_id": value}})
	if err != nil {
		return 0, 0, err
	}
	groupBytes := len(s.set.Series[0].Group) // the group is the metric's, which the answer doesn't show
	for marker := ""; ; {
		answer, err := s.Reader().Do(http.MethodPost, fmt.Sprintf("/v1/search/resource/%s?limit=%d%s", resourceType, pageRows, marker), jsonType, ask)
		if err != nil {
			return 0, 0, err
		}
		var page []struct {
			ID, Host string
			Original string `json:"original_resource_id"`
			Project  string `json:"project_id"`
			Metrics  map[string]string
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			return 0, 0, errors.Join(err, errShape(answer))
		}
		for _, r := range page {
			for metric := range r.Metrics {
				series++
				nameBytes += len(metric) + len(r.Original) + len(r.Project) + len(r.Host) + groupBytes
			}
		}
		if len(page) < pageRows {
			return series, nameBytes, nil
		}
		marker = "&marker=" + page[len(page)-1].ID
	}
}
