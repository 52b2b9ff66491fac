package ceilometer

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
)

const (
	longSamples  = 9127 // what the founding article lists
	shortSamples = 1000
	timedMeter   = "cpu_util"
	warmups      = 3
	requests     = 50
)

// timing is a series of equal requests, one at a time.
type timing struct {
	best, median time.Duration
	bytes        int // of one answer
}

func timingOf(took []time.Duration, bytes int) timing {
	slices.Sort(took)
	return timing{took[0], took[len(took)/2], bytes}
}

// samplesPath lists the newest samples of a meter and resource.
func samplesPath(meter, resource string, limit int) string {
	q := url.Values{"q.field": {"resource_id"}, "q.op": {"eq"}, "q.value": {resource}, "limit": {strconv.Itoa(limit)}}
	return "/v2/meters/" + meter + "?" + q.Encode()
}

// statisticsPath sums up all samples of a meter and resource; period 0: as one.
func statisticsPath(meter, resource string, period int) string {
	q := url.Values{"q.field": {"resource_id"}, "q.op": {"eq"}, "q.value": {resource}}
	if period > 0 {
		q.Set("period", strconv.Itoa(period))
	}
	return "/v2/meters/" + meter + "/statistics?" + q.Encode()
}

// answers are the timed questions of a warm server.
type answers struct {
	long, short, statistics, resources, meters timing
}

// ask times the questions.
func ask(c *served.Client, w *workload.Workload, ticks int) (a answers, err error) {
	vm := w.Resources[0].ID
	for _, q := range []struct {
		into  *timing
		path  string
		count string // how often this is in the answer:
		times int
	}{
		{&a.long, samplesPath(timedMeter, vm, longSamples), `"counter_volume"`, min(longSamples, ticks)},
		{&a.short, samplesPath(timedMeter, vm, shortSamples), `"counter_volume"`, min(shortSamples, ticks)},
		{&a.statistics, statisticsPath(timedMeter, vm, 60), `"period_start"`, (ticks + 59) / 60},
		{&a.resources, "/v2/resources?meter_links=0&limit=100", `"resource_id"`, len(w.Resources)},
		{&a.meters, "/v2/meters?limit=1000", `"meter_id"`, w.MetricCount()},
	} {
		took, size := []time.Duration(nil), 0
		for i := -warmups; i < requests; i++ {
			body, d, err := c.Do(http.MethodGet, q.path, nil, http.StatusOK)
			if err != nil {
				return a, err
			}
			if n := bytes.Count(body, []byte(q.count)); n != q.times {
				return a, fmt.Errorf("%s: %d elements, want %d", q.path, n, q.times)
			}
			if size = len(body); i >= 0 {
				took = append(took, d)
			}
		}
		*q.into = timingOf(took, size)
	}
	return a, nil
}
