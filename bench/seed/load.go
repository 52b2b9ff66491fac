package seed

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
)

const batchPath = "/v1/batch/resources/metrics/measures?create_metrics=true"

// loaded is what posting the workload showed.
type loaded struct {
	batches           int
	measures          int
	perSecond         float64
	postMedian, p99   time.Duration
	cpuPerMillion     float64       // until the last answer
	running           served.Weight // of the directory right after the last answer
	lifeCPUPerMillion float64       // with the graceful stop
	rest              served.Weight // of the directory after it
	peakMB            float64
}

// prepare makes the policy and the resources with their metrics.
func prepare(c *served.Client, w *workload.Workload) error {
	body, err := policyBody(w.Policy)
	if err != nil {
		return err
	}
	if _, _, err := c.Do(http.MethodPost, "/v1/archive_policy", body, http.StatusCreated); err != nil {
		return err
	}
	for _, r := range w.Resources {
		if body, err = resourceBody(r, w.Policy); err != nil {
			return err
		}
		if _, _, err := c.Do(http.MethodPost, "/v1/resource/generic", body, http.StatusCreated); err != nil {
			return err
		}
	}
	return nil
}

// load posts the workload to a fresh server on dir and stops the server. Bodies are encoded before the clock starts.
func (o Options) load(dir string, ticksABatch int) (l loaded, err error) {
	w := workload.A(0)
	all := batches(w, o.Ticks, ticksABatch)
	s, err := served.Start(o.Binary, dir, o.ServeArgs)
	if err != nil {
		return l, err
	}
	defer func() {
		if err != nil {
			s.Kill()
		}
	}()
	c := served.NewClient(s.URL)
	if err := prepare(c, w); err != nil {
		return l, err
	}
	before, err := s.CPUSeconds()
	if err != nil {
		return l, err
	}
	took := make([]time.Duration, len(all))
	start := time.Now()
	for i, b := range all {
		if _, took[i], err = c.Do(http.MethodPost, batchPath, b.body, http.StatusAccepted); err != nil {
			return l, err
		}
		l.measures += b.measures
	}
	wall := time.Since(start)
	after, err := s.CPUSeconds()
	if err != nil {
		return l, err
	}
	l.running = served.Weigh(dir)
	if l.peakMB, err = s.PeakMemoryMB(); err != nil {
		return l, err
	}
	life, err := s.Stop()
	if err != nil {
		return l, fmt.Errorf("after loading: %w", err)
	}
	slices.Sort(took)
	millions := float64(l.measures) / 1e6
	l.batches, l.perSecond = len(all), float64(l.measures)/wall.Seconds()
	l.postMedian, l.p99 = took[len(took)/2], took[len(took)*99/100]
	l.cpuPerMillion, l.lifeCPUPerMillion = (after-before)/millions, (life-before)/millions
	l.rest = served.Weigh(dir)
	return l, nil
}
