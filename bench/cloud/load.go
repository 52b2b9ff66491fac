package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/telemetrydb/tsdb/bench/workload"
)

const (
	ticksAPost  = 24 // of the history: two hours of a host in a POST
	livePosters = 25 // a host each
)

// loaded is what posting the workload showed.
type loaded struct {
	create     time.Duration
	history    time.Duration
	historical int             // measures of the history
	live       []time.Duration // of each cycle, from the first byte sent until everything can be read: one client, then 25, by turns
	measures   int
	ids        []map[string]string // of each resource's metrics, by name
}

// prepare makes policy and resource type.
func prepare(s *site, w *workload.Workload) error {
	body, err := policyBody(w.Policy)
	if err := s.need("/v1/archive_policy", body, err); err != nil {
		return err
	}
	body, err = instanceType()
	return s.need("/v1/resource_type", body, err)
}

// create makes the resources with their metrics, one after the other.
func create(s *site, w *workload.Workload) (took time.Duration, ids []map[string]string, err error) {
	bodies := make([][]byte, len(w.Resources))
	for i, r := range w.Resources {
		if bodies[i], err = resourceBody(r, w.Policy); err != nil {
			return 0, nil, err
		}
	}
	for _, body := range bodies {
		answer, d, err := s.c.Do(http.MethodPost, "/v1/resource/instance", body, http.StatusCreated)
		if err != nil {
			return took, nil, err
		}
		took += d
		var r struct{ Metrics map[string]string }
		if err := json.Unmarshal(answer, &r); err != nil {
			return took, nil, err
		}
		ids = append(ids, r.Metrics)
	}
	return took, ids, nil
}

// load gives the whole workload to the site.
func load(s *site, w *workload.Workload, all columns, ticks, live int) (l loaded, err error) {
	if live >= ticks {
		return l, errors.New("there are fewer ticks than live cycles")
	}
	if err := prepare(s, w); err != nil {
		return l, err
	}
	if l.create, l.ids, err = create(s, w); err != nil {
		return l, fmt.Errorf("creating resources: %w", err)
	}
	byHost := hosts(w)
	var batches []batch
	for from := 0; from < ticks-live; from += ticksAPost {
		for _, places := range byHost {
			batches = append(batches, appendBatch(w, all, places, from, min(from+ticksAPost, ticks-live)))
		}
	}
	if l.history, err = s.post(batches, 1); err != nil {
		return l, fmt.Errorf("posting the history: %w", err)
	}
	for _, b := range batches {
		l.historical += b.measures
	}
	l.measures = l.historical
	start := time.Now()
	if err := s.drain(); err != nil {
		return l, err
	}
	if s.lagging {
		l.history += time.Since(start)
	}
	for tick := ticks - live; tick < ticks; tick++ {
		took, measures, err := s.cycle(w, all, l.ids, byHost, tick, 1+(tick-ticks+live)%2*(livePosters-1))
		if err != nil {
			return l, fmt.Errorf("live cycle: %w", err)
		}
		l.live, l.measures = append(l.live, took), l.measures+measures
	}
	return l, nil
}

// cycle posts one tick, a POST a host, and reads the newest measure of the last one.
func (s *site) cycle(w *workload.Workload, all columns, ids []map[string]string, byHost [][]int, tick, clients int) (took time.Duration, measures int, err error) {
	var batches []batch
	for _, places := range byHost {
		b := appendBatch(w, all, places, tick, tick+1)
		batches, measures = append(batches, b), measures+b.measures
	}
	start := time.Now()
	if _, err := s.post(batches, clients); err != nil {
		return 0, 0, err
	}
	if err := s.drain(); err != nil {
		return 0, 0, err
	}
	last := byHost[len(byHost)-1]
	i := last[len(last)-1]
	k := len(w.Resources[i].Metrics) - 1
	at := workload.Start + int64(tick)*int64(w.Period/time.Second)
	path := "/v1/metric/" + ids[i][w.Resources[i].Metrics[k].Name] + "/measures?aggregation=mean&granularity=300&start=" + iso(at)
	body, _, err := s.c.Do(http.MethodGet, path, nil, http.StatusOK)
	took = time.Since(start)
	if err != nil {
		return took, measures, err
	}
	return took, measures, checkPoints(body, at, w.Period, all[i][k][tick:tick+1])
}
