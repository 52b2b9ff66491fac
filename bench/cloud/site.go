package cloud

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/telemetrydb/tsdb/bench/served"
)

const batchPath = "/v1/batch/resources/metrics/measures?create_metrics=true"

// site is a server that the work is given to.
type site struct {
	url     string
	c       *served.Client
	lagging bool // measures are not readable when they are acknowledged
}

func newSite(url string, lagging bool) *site {
	return &site{url: strings.TrimSuffix(url, "/"), c: served.NewClient(strings.TrimSuffix(url, "/")), lagging: lagging}
}

// need makes something that may be there already, from an earlier run.
func (s *site) need(path string, body []byte, err error) error {
	if err != nil {
		return err
	}
	_, _, err = s.c.Do(http.MethodPost, path, body, http.StatusCreated)
	if err != nil && s.lagging && strings.Contains(err.Error(), "status 409") {
		return nil
	}
	return err
}

// post sends batches with that many clients at once and returns how long it took.
func (s *site) post(batches []batch, clients int) (time.Duration, error) {
	next := make(chan batch)
	errs := make(chan error, clients)
	var wg sync.WaitGroup
	start := time.Now()
	for range clients {
		wg.Go(func() {
			c := served.NewClient(s.url)
			defer c.Close()
			var first error
			for b := range next { // to the end: who sends must not wait for ever
				if first == nil {
					_, _, first = c.Do(http.MethodPost, batchPath, b.body, http.StatusAccepted)
				}
			}
			errs <- first
		})
	}
	for _, b := range batches {
		next <- b
	}
	close(next)
	wg.Wait()
	took := time.Since(start)
	for range clients {
		if err := <-errs; err != nil {
			return took, err
		}
	}
	return took, nil
}

const (
	drainPoll  = 100 * time.Millisecond
	drainLimit = 30 * time.Minute
)

// drain waits until everything that was posted can be read.
func (s *site) drain() error {
	if !s.lagging {
		return nil
	}
	for deadline := time.Now().Add(drainLimit); time.Now().Before(deadline); time.Sleep(drainPoll) {
		body, _, err := s.c.Do(http.MethodGet, "/v1/status?details=false", nil, http.StatusOK)
		if err != nil {
			continue // it does not answer while its workers are meeting
		}
		var status struct {
			Storage struct {
				Summary struct{ Metrics, Measures int }
			}
		}
		if err := json.Unmarshal(body, &status); err != nil {
			return err
		}
		if status.Storage.Summary.Measures == 0 {
			return nil
		}
	}
	return fmt.Errorf("measures still wait to be processed after %v", drainLimit)
}
