package cloud

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
)

const (
	aggregatedMetric = "cpu_util"
	warmups          = 3
	usualRequests    = 60
	heavyRequests    = 24
)

// question is a request that is timed, and what the answer must be.
type question struct {
	what    string
	gnocchi float64 // best, ms, as recorded
	times   float64 // the goal is that much less; 0: none
	heavy   bool

	filter    any // JSON
	limit     int
	match     func(w *workload.Workload, i int) bool
	aggregate bool // not a search
	groupBy   string
	lastHour  bool
}

// places are the resources that the question is about.
func (q *question) places(w *workload.Workload) (list []int) {
	for i := range w.Resources {
		if q.match(w, i) {
			list = append(list, i)
		}
	}
	return list
}

func eq(attr, value string) any   { return map[string]any{"=": map[string]any{attr: value}} }
func like(attr, value string) any { return map[string]any{"like": map[string]any{attr: value}} }

// questions are those of the recorded runs of Gnocchi.
func questions(w *workload.Workload) []question {
	project := workload.ProjectID(3)
	ofProject, all := equals("project_id", project), startsWith("display_name", "vm-")
	everything := like("display_name", "vm-%")
	return []question{
		{what: "search project_id (100 of 1,000 resources)", gnocchi: 90, times: 30, filter: eq("project_id", project), match: ofProject},
		{what: "search flavor_name (200)", gnocchi: 139, filter: eq("flavor_name", "m1.small"), match: equals("flavor_name", "m1.small")},
		{what: "search project and host like (40)", gnocchi: 42,
			filter: map[string]any{"and": []any{eq("project_id", project), like("host", "compute-1%")}},
			match: func(w *workload.Workload, i int) bool {
				return ofProject(w, i) && startsWith("host", "compute-1")(w, i)
			}},
		{what: "search display_name (1)", gnocchi: 14.5, filter: eq("display_name", "vm-77"), match: equals("display_name", "vm-77")},
		{what: "search all 1,000 resources", gnocchi: 1072, times: 50, heavy: true, filter: everything, limit: 1000, match: all},
		{what: "aggregates, project X, mean over 100 metrics x 288 points", gnocchi: 239, times: 50, heavy: true, aggregate: true,
			filter: eq("project_id", project), match: ofProject},
		{what: "the same grouped by flavor", gnocchi: 254, heavy: true, aggregate: true, groupBy: "flavor_name",
			filter: eq("project_id", project), match: ofProject},
		{what: "aggregates over 1,000 metrics x 288 points", gnocchi: 2158, heavy: true, aggregate: true, filter: everything, match: all},
		{what: "the same grouped by flavor", gnocchi: 2431, times: 100, heavy: true, aggregate: true, groupBy: "flavor_name",
			filter: everything, match: all},
		{what: "over 1,000 metrics, last hour, by project", gnocchi: 2097, heavy: true, aggregate: true, groupBy: "project_id",
			filter: everything, match: all, lastHour: true},
	}
}

// request gives the question's path and body; of aggregates over ticks [from, to).
func (q *question) request(w *workload.Workload, from, to int) (path string, body []byte, err error) {
	if !q.aggregate {
		path = "/v1/search/resource/instance"
		if q.limit > 0 {
			path += fmt.Sprintf("?limit=%d", q.limit)
		}
		body, err = json.Marshal(q.filter)
		return path, body, err
	}
	period := int64(w.Period / time.Second)
	path = fmt.Sprintf("/v1/aggregates?granularity=%d&start=%s&stop=%s", period,
		iso(workload.Start+int64(from)*period), iso(workload.Start+int64(to)*period))
	if q.groupBy != "" {
		path += "&groupby=" + q.groupBy
	}
	body, err = json.Marshal(map[string]any{"resource_type": "instance", "search": q.filter,
		"operations": []any{"aggregate", "mean", []any{"metric", aggregatedMetric, "mean"}}})
	return path, body, err
}

// timing is a series of equal requests, one at a time.
type timing struct {
	best, median time.Duration
	bytes        int // of one answer
	cpuMillis    float64
}

// ask times a question and checks the first answer. server may be nil: then its CPU time is not known.
func (q *question) ask(s *site, server *served.Server, w *workload.Workload, all columns, ticks int) (timing, error) {
	from := 0
	if q.lastHour {
		from = max(0, ticks-int(time.Hour/w.Period))
	}
	path, body, err := q.request(w, from, ticks)
	if err != nil {
		return timing{}, err
	}
	answer, _, err := s.c.Do(http.MethodPost, path, body, http.StatusOK)
	if err != nil {
		return timing{}, err
	}
	if q.aggregate {
		err = checkAggregate(answer, w, all, q, from, ticks)
	} else {
		err = checkResources(answer, w, q.places(w))
	}
	if err != nil {
		return timing{}, fmt.Errorf("%w: %s: %w", errAnswer, q.what, err)
	}
	n := usualRequests
	if q.heavy {
		n = heavyRequests
	}
	return measure(s, server, http.MethodPost, path, body, n)
}

// measure times n equal requests.
func measure(s *site, server *served.Server, method, path string, body []byte, n int) (t timing, err error) {
	took := make([]time.Duration, n)
	before := 0.0
	for i := -warmups; i < n; i++ {
		if i == 0 && server != nil {
			if before, err = server.RunSeconds(); err != nil {
				return t, err
			}
		}
		answer, d, err := s.c.Do(method, path, body, http.StatusOK)
		if err != nil {
			return t, err
		}
		if t.bytes = len(answer); i >= 0 {
			took[i] = d
		}
	}
	if server != nil {
		after, err := server.RunSeconds()
		if err != nil {
			return t, err
		}
		t.cpuMillis = (after - before) * 1e3 / float64(n)
	}
	slices.Sort(took)
	t.best, t.median = took[0], took[n/2]
	return t, nil
}
