package seed

import (
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/telemetrydb/tsdb/bench/workload"
)

const batchPath = "/v1/batch/resources/metrics/measures?create_metrics=true"

// loaded is what posting the workload showed.
type loaded struct {
	batches           int
	measures          int
	perSecond         float64
	postMedian, p99   time.Duration
	cpuPerMillion     float64 // until the last answer
	running           weight  // of the directory right after the last answer
	lifeCPUPerMillion float64 // with the graceful stop
	rest              weight  // of the directory after it
	peakMB            float64
}

// prepare makes the policy and the resources with their metrics.
func prepare(c *client, w *workload.Workload) error {
	body, err := policyBody(w.Policy)
	if err != nil {
		return err
	}
	if _, _, err := c.do(http.MethodPost, "/v1/archive_policy", body, http.StatusCreated); err != nil {
		return err
	}
	for _, r := range w.Resources {
		if body, err = resourceBody(r, w.Policy); err != nil {
			return err
		}
		if _, _, err := c.do(http.MethodPost, "/v1/resource/generic", body, http.StatusCreated); err != nil {
			return err
		}
	}
	return nil
}

// load posts the workload to a fresh server on dir and stops the server. Bodies are encoded before the clock starts.
func (o Options) load(dir string, ticksABatch int) (l loaded, err error) {
	w := workload.A(0)
	all := batches(w, o.Ticks, ticksABatch)
	s, err := startServer(o.Binary, dir, o.ServeArgs)
	if err != nil {
		return l, err
	}
	defer func() {
		if err != nil {
			s.kill()
		}
	}()
	c := newClient(s.url)
	if err := prepare(c, w); err != nil {
		return l, err
	}
	before, err := s.cpuSeconds()
	if err != nil {
		return l, err
	}
	took := make([]time.Duration, len(all))
	start := time.Now()
	for i, b := range all {
		if _, took[i], err = c.do(http.MethodPost, batchPath, b.body, http.StatusAccepted); err != nil {
			return l, err
		}
		l.measures += b.measures
	}
	wall := time.Since(start)
	after, err := s.cpuSeconds()
	if err != nil {
		return l, err
	}
	l.running = weigh(dir)
	if l.peakMB, err = s.peakMemoryMB(); err != nil {
		return l, err
	}
	life, err := s.stop()
	if err != nil {
		return l, fmt.Errorf("after loading: %w", err)
	}
	slices.Sort(took)
	millions := float64(l.measures) / 1e6
	l.batches, l.perSecond = len(all), float64(l.measures)/wall.Seconds()
	l.postMedian, l.p99 = took[len(took)/2], took[len(took)*99/100]
	l.cpuPerMillion, l.lifeCPUPerMillion = (after-before)/millions, (life-before)/millions
	l.rest = weigh(dir)
	return l, nil
}

// weight is what a directory takes.
type weight struct {
	files     int64 // sum of the files' sizes
	allocated int64 // blocks of files and directories on the disk
}

func weigh(dir string) (w weight) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		var st syscall.Stat_t
		if err != nil || syscall.Lstat(path, &st) != nil {
			return nil // a file that compaction removed meanwhile
		}
		w.allocated += st.Blocks * 512
		if d.Type().IsRegular() {
			w.files += st.Size
		}
		return nil
	})
	return w
}
