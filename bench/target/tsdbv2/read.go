package main

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/bench/remote"
	"github.com/telemetrydb/tsdb/bench/target"
)

const everything = 1 << 30 // samples or meters; a list without a limit has 100

// filter adds a condition to a question.
func filter(q url.Values, field, op, value string) {
	q.Add("q.field", field)
	q.Add("q.op", op)
	q.Add("q.value", value)
}

// list asks for samples of a series, newest first, and gives them oldest first in s.times and s.values.
func (s *server) list(series int, q url.Values, limit int) error {
	one := s.set.Series[series]
	filter(q, "resource_id", "eq", one.Resource)
	q.Set("limit", strconv.Itoa(limit))
	answer, err := s.Reader().Get("/v2/meters/" + url.PathEscape(one.Metric) + "?" + q.Encode())
	if err != nil {
		return err
	}
	s.times, s.values = s.times[:0], s.values[:0]
	r := remote.NewReader(answer)
	for r.Skip(`"timestamp":`) {
		t, err := s.clock.Millis(r.Text())
		if err != nil {
			return err
		}
		r.Skip(`"counter_volume":`)
		s.times, s.values = append(s.times, t), append(s.values, r.Number())
	}
	slices.Reverse(s.times)
	slices.Reverse(s.values)
	return r.Err()
}

func between(from, to int64) url.Values {
	q := url.Values{}
	filter(q, "timestamp", "ge", remote.Time(from))
	filter(q, "timestamp", "le", remote.Time(to))
	return q
}

func (s *server) Scan(sel target.Selection, from, to int64, emit func([]int64, []float64)) error {
	if sel.Key != "" {
		return remote.EachSeries(s.set, sel, func(one target.Selection) error { return s.Scan(one, from, to, emit) })
	}
	err := s.list(sel.Series, between(from, to), everything)
	if err == nil {
		emit(s.times, s.values)
	}
	return err
}

// Newest implements target.Lister.
func (s *server) Newest(series, n int, emit func([]int64, []float64)) error {
	err := s.list(series, url.Values{}, n)
	if err == nil {
		emit(s.times, s.values)
	}
	return err
}

// statistics asks for those of a meter by periods and gives each period's to add.
func (s *server) statistics(meter string, q url.Values, width time.Duration, add func(start int64, sum, count float64)) error {
	q.Set("period", strconv.FormatInt(int64(width/time.Second), 10))
	q["aggregate.func"] = []string{"sum", "count"}
	answer, err := s.Reader().Get("/v2/meters/" + url.PathEscape(meter) + "/statistics?" + q.Encode())
	if err != nil {
		return err
	}
	r := remote.NewReader(answer)
	for r.Skip(`"sum":`) {
		sum := r.Number()
		r.Skip(`"count":`)
		count := r.Number()
		r.Skip(`"period_start":`)
		text := r.Text()
		if r.Err() != nil {
			return r.Err()
		}
		start, err := s.clock.Millis(text)
		if err != nil {
			return err
		}
		add(start, sum, count)
	}
	return r.Err()
}

// periods asks for time from the start of a bucket: periods begin there.
func periods(from, to, width int64) url.Values { return between(from-from%width, to) }

// Means implements target.Averager.
func (s *server) Means(series int, from, to int64, width time.Duration) (n int, sum float64, err error) {
	w := width.Milliseconds()
	if !remote.Whole(s.set, from, to, w) {
		return remote.Folded(s, target.Selection{Series: series}, from, to, w)
	}
	one, q := s.set.Series[series], periods(from, to, w)
	filter(q, "resource_id", "eq", one.Resource)
	err = s.statistics(one.Metric, q, width, func(_ int64, total, count float64) { n, sum = n+1, sum+total/count })
	return n, sum, err
}

// GroupMeans implements target.GroupAverager with a question for each name of a metric: statistics are of one meter.
func (s *server) GroupMeans(key, value string, from, to int64, width time.Duration) (n int, sum float64, err error) {
	field := map[string]string{"group": "source", "project": "project_id"}[key]
	names, _, err := remote.Names(s.set, key, value)
	if err != nil {
		return 0, 0, err
	}
	w := width.Milliseconds()
	f := remote.Fold{Width: w}
	for _, meter := range names {
		q := periods(from, to, w)
		filter(q, field, "eq", value)
		if err := s.statistics(meter, q, width, f.AddSum); err != nil {
			return 0, 0, err
		}
	}
	n, sum = f.Means()
	return n, sum, nil
}

// Lookup lists the meters of a project.
func (s *server) Lookup(key, value string) (series, nameBytes int, err error) {
	q := url.Values{"limit": {strconv.Itoa(everything)}}
	filter(q, map[string]string{"group": "source", "project": "project_id"}[key], "eq", value)
	answer, err := s.Reader().Get("/v2/meters?" + q.Encode())
	if err != nil {
		return 0, 0, err
	}
	var meters []struct {
		Name, Source string
		Resource     string `json:"resource_id"`
		Project      string `json:"project_id"`
		User         string `json:"user_id"`
	}
	if err := json.Unmarshal(answer, &meters); err != nil {
		return 0, 0, err
	}
	for _, m := range meters {
		nameBytes += len(m.Name) + len(m.Resource) + len(m.Project) + len(m.User) + len(m.Source)
	}
	return len(meters), nameBytes, nil
}
