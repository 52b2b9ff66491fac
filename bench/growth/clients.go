package growth

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/telemetrydb/tsdb/bench/cost"
	"github.com/telemetrydb/tsdb/bench/served"
)

const (
	metricsAPost = 50
	samplesAPost = 20 // of each metric
	groups       = 64 // of metricsAPost metrics, whatever the number of clients that share them out
)

// caller is one client: it writes to groups of metrics of its own, by turns, and reads points of each batch back.
type caller struct {
	client      *served.Client
	groups      [][]string // ids of metrics
	posts       int
	posted, got []float64 // us
}

// measureClients gives the server the same work from any number of clients.
func measureClients(s Size, dir, binary string) (costs map[string]float64, err error) {
	server, err := served.Start(binary, dir, nil)
	if err != nil {
		return nil, err
	}
	defer func() {
		if server != nil {
			server.Kill()
		}
	}()
	callers, err := begin(s, server.URL)
	if err != nil {
		return nil, err
	}
	before, err := server.CPUSeconds()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	var wg sync.WaitGroup
	errs := make([]error, len(callers))
	for n, c := range callers {
		wg.Go(func() { errs[n] = c.run() })
	}
	wg.Wait()
	wall := time.Since(start).Seconds()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	after, err := server.CPUSeconds()
	if err != nil {
		return nil, err
	}
	peak, err := server.PeakMemoryMB()
	if err != nil {
		return nil, err
	}
	var posted, got []float64
	for _, c := range callers {
		posted, got = append(posted, c.posted...), append(got, c.got...)
		c.client.Close()
	}
	samples := float64(len(posted) * metricsAPost * samplesAPost)
	costs = map[string]float64{
		"samples/s": samples / wall, "the server's CPU of a sample, us": (after - before) / samples * 1e6, "peak memory, MB": peak,
		"POST of 1,000 samples, median, us": quantile(posted, 0.5), "POST of 1,000 samples, p99, us": quantile(posted, 0.99),
		"GET of 20 points, median, us": quantile(got, 0.5), "GET of 20 points, p99, us": quantile(got, 0.99),
	}
	if _, err = server.Stop(); err == nil {
		costs["disk a sample, B"] = float64(cost.TreeBytes(dir)) / samples
	}
	server = nil
	return costs, err
}

// begin makes the policy, and metrics for each client.
func begin(s Size, url string) (callers []*caller, err error) {
	c := served.NewClient(url)
	defer c.Close()
	policy := `{"name":"growth","aggregation_methods":["mean","max"],"definition":[{"granularity":60,"points":100000}]}`
	if _, _, err := c.Do(http.MethodPost, "/v1/archive_policy", []byte(policy), http.StatusCreated); err != nil {
		return nil, err
	}
	posts := max(1, s.Metrics*s.Samples/(metricsAPost*samplesAPost)/s.Clients)
	for range s.Clients {
		callers = append(callers, &caller{client: served.NewClient(url), posts: posts})
	}
	for n := range groups {
		ids := make([]string, metricsAPost)
		for i := range ids {
			answer, _, err := c.Do(http.MethodPost, "/v1/metric", []byte(`{"archive_policy_name":"growth"}`), http.StatusCreated)
			if err != nil {
				return nil, err
			}
			var m struct{ ID string }
			if err := json.Unmarshal(answer, &m); err != nil {
				return nil, err
			}
			ids[i] = m.ID
		}
		one := callers[n%s.Clients]
		one.groups = append(one.groups, ids)
	}
	return callers, nil
}

func (c *caller) run() error {
	var body []byte
	for p := range c.posts {
		ids, first := c.groups[p%len(c.groups)], p/len(c.groups)*samplesAPost
		body = append(body[:0], '{')
		for i, id := range ids {
			if i > 0 {
				body = append(body, ',')
			}
			body = append(strconv.AppendQuote(body, id), ":["...)
			for k := range samplesAPost {
				if k > 0 {
					body = append(body, ',')
				}
				at := first + k
				body = fmt.Appendf(body, `{"timestamp":%d,"value":%g}`, firstSecond+60*at, value(i, at))
			}
			body = append(body, ']')
		}
		body = append(body, '}')
		_, took, err := c.client.Do(http.MethodPost, "/v1/batch/metrics/measures", body, http.StatusAccepted)
		if err != nil {
			return err
		}
		c.posted = append(c.posted, float64(took.Nanoseconds())/1e3)
		if err := c.readBack(p%metricsAPost, ids, first); err != nil {
			return err
		}
	}
	return nil
}

// readBack asks for the means of the samples of metric i from first on: each is of one sample.
func (c *caller) readBack(i int, ids []string, first int) error {
	path := fmt.Sprintf("/v1/metric/%s/measures?aggregation=mean&start=%d", ids[i], firstSecond+60*first)
	answer, took, err := c.client.Do(http.MethodGet, path, nil, http.StatusOK)
	if err != nil {
		return err
	}
	c.got = append(c.got, float64(took.Nanoseconds())/1e3)
	var points [][3]any
	if err := json.Unmarshal(answer, &points); err != nil {
		return err
	}
	if len(points) != samplesAPost {
		return fmt.Errorf("%d points of metric %s, want %d", len(points), ids[i], samplesAPost)
	}
	for k, point := range points {
		if v, ok := point[2].(float64); !ok || v != value(i, first+k) {
			return fmt.Errorf("point %d of metric %s is %v, want %v", k, ids[i], point[2], value(i, first+k))
		}
	}
	return nil
}

// quantile is the q-th part of xs from below; NaN of none.
func quantile(xs []float64, q float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(xs))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}
