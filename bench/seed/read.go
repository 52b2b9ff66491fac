package seed

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
)

const (
	longPoints  = 9100 // about what the founding article lists
	shortPoints = 60
	timedMetric = "cpu_util"
	warmups     = 3
	requests    = 50
	idleSeconds = 30
	restSeconds = 20 // before that: Go's runtime gives back memory for some seconds after the last answer
)

// timing is a series of equal requests, one at a time.
type timing struct {
	best, median time.Duration
	bytes        int // of one answer
	cpuMillis    float64
}

// readBack is what reading from a restarted server showed.
type readBack struct {
	openMillis           float64 // from start to healthy
	long, short, allFive timing
	idlePercent          float64 // of one core
	peakMB               float64
	checked              int // values compared with the generator
}

// metricIDs asks for the metrics of a resource by name.
func metricIDs(c *served.Client, resource string) (map[string]string, error) {
	body, _, err := c.Do(http.MethodGet, "/v1/resource/generic/"+resource, nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	var r struct{ Metrics map[string]string }
	err = json.Unmarshal(body, &r)
	return r.Metrics, err
}

func measuresPath(metric, method string, from, to int64) string {
	q := url.Values{"aggregation": {method}, "granularity": {"1"}, "start": {iso(from)}, "stop": {iso(to)}}
	return "/v1/metric/" + metric + "/measures?" + q.Encode()
}

// readBack starts a server on the loaded directory, times queries, watches it idle, and compares every value.
func (o Options) readBack(dir string) (r readBack, err error) {
	start := time.Now()
	s, err := served.Start(o.Binary, dir, o.ServeArgs)
	if err != nil {
		return r, err
	}
	defer func() {
		if err != nil {
			s.Kill()
		}
	}()
	r.openMillis = time.Since(start).Seconds() * 1e3
	if r.idlePercent, err = idle(s); err != nil {
		return r, err
	}
	c, w := served.NewClient(s.URL), workload.A(0)
	ids, err := metricIDs(c, w.Resources[0].ID)
	if err != nil {
		return r, err
	}
	from := workload.Start + max(0, min(3600, int64(o.Ticks)-longPoints))
	one := func(points int64, methods ...string) (paths []string) {
		for _, method := range methods {
			paths = append(paths, measuresPath(ids[timedMetric], method, from, from+points))
		}
		return paths
	}
	for _, t := range []struct {
		into  *timing
		paths []string
	}{{&r.long, one(longPoints, "mean")}, {&r.short, one(shortPoints, "mean")}, {&r.allFive, one(longPoints, methods...)}} {
		if *t.into, err = measure(s, c, t.paths); err != nil {
			return r, err
		}
	}
	if r.peakMB, err = s.PeakMemoryMB(); err != nil {
		return r, err
	}
	if r.checked, err = check(c, w, o.Ticks); err != nil {
		return r, err
	}
	_, err = s.Stop()
	return r, err
}

// measure times a group of requests as one.
func measure(s *served.Server, c *served.Client, paths []string) (t timing, err error) {
	took := make([]time.Duration, requests)
	before := 0.0
	for i := -warmups; i < requests; i++ {
		if i == 0 {
			if before, err = s.RunSeconds(); err != nil {
				return t, err
			}
		}
		var sum time.Duration
		t.bytes = 0
		for _, path := range paths {
			body, d, err := c.Do(http.MethodGet, path, nil, http.StatusOK)
			if err != nil {
				return t, err
			}
			sum += d
			t.bytes += len(body)
		}
		if i >= 0 {
			took[i] = sum
		}
	}
	after, err := s.RunSeconds()
	slices.Sort(took)
	t.best, t.median, t.cpuMillis = took[0], took[requests/2], (after-before)*1e3/requests
	return t, err
}

// idle is the CPU that the server takes when nobody asks, in per cent of one core.
func idle(s *served.Server) (percent float64, err error) {
	time.Sleep(restSeconds * time.Second)
	before, err := s.RunSeconds()
	if err != nil {
		return 0, err
	}
	time.Sleep(idleSeconds * time.Second)
	after, err := s.RunSeconds()
	if err != nil {
		return 0, err
	}
	return (after - before) / idleSeconds * 100, nil
}

// check reads all points of all metrics and methods and compares time, granularity and value with the generator.
func check(c *served.Client, w *workload.Workload, ticks int) (values int, err error) {
	columns := make([][][]float64, len(w.Resources))
	for i, r := range w.Resources {
		columns[i] = make([][]float64, len(r.Metrics))
	}
	for row := range w.Rows(ticks) {
		for k, v := range row.Values {
			columns[row.Resource][k] = append(columns[row.Resource][k], v)
		}
	}
	for i, r := range w.Resources {
		ids, err := metricIDs(c, r.ID)
		if err != nil {
			return values, err
		}
		for k, m := range r.Metrics {
			for _, method := range methods {
				path := fmt.Sprintf("/v1/metric/%s/measures?aggregation=%s", ids[m.Name], method)
				body, _, err := c.Do(http.MethodGet, path, nil, http.StatusOK)
				if err != nil {
					return values, err
				}
				if err := checkPoints(body, method, columns[i][k]); err != nil {
					return values, fmt.Errorf("%s of %s, %s: %w", m.Name, r.Name, method, err)
				}
				values += len(columns[i][k])
			}
		}
	}
	return values, nil
}
