package load

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/telemetrydb/tsdb/bench/served"
)

const (
	begin      = 1_767_225_600 // of the first sample: 2026-01-01T00:00:00Z
	samples    = 5             // of each metric in a batch
	groupWidth = 60            // seconds of the coarse granularity, which keeps all points
	policyName = "load"
	typeName   = "loaded"
	pythonISO  = "2006-01-02T15:04:05"
)

var metricNames = [...]string{"a", "b", "c", "d"}

// thing is a resource that samples are written to, by one client.
type thing struct {
	id      string
	group   string
	metrics [len(metricNames)]string // ids
	acked   atomic.Int64             // samples of each metric that were acknowledged
	state   atomic.Int64             // of its attributes, acknowledged
	changer atomic.Bool              // somebody changes it now
}

// world is what the clients share.
type world struct {
	url    string
	things []*thing
	groups int
}

// create makes policy, type and resources.
func create(url string, things, groups int) (*world, error) {
	c := served.NewClient(url)
	defer c.Close()
	for path, body := range map[string]any{
		"/v1/archive_policy": map[string]any{"name": policyName, "aggregation_methods": []string{"mean", "count", "max"},
			"definition": []any{map[string]any{"granularity": 1, "points": 300}, map[string]any{"granularity": groupWidth}}},
		"/v1/resource_type": map[string]any{"name": typeName, "attributes": map[string]any{
			"group":  map[string]any{"type": "string", "required": true},
			"first":  map[string]any{"type": "string", "required": true},
			"second": map[string]any{"type": "string", "required": true}}},
	} {
		if _, _, err := c.Do(http.MethodPost, path, encode(body), http.StatusCreated); err != nil {
			return nil, err
		}
	}
	w := &world{url: url, groups: groups}
	for n := range things {
		t := &thing{id: fmt.Sprintf("5eed0004-0000-4000-8000-%012x", n), group: groupName(n % groups)}
		answer, _, err := c.Do(http.MethodPost, "/v1/resource/"+typeName, resourceBody(t.id, t.group), http.StatusCreated)
		if err != nil {
			return nil, err
		}
		var r struct{ Metrics map[string]string }
		if err := json.Unmarshal(answer, &r); err != nil {
			return nil, err
		}
		for k, name := range metricNames {
			t.metrics[k] = r.Metrics[name]
		}
		w.things = append(w.things, t)
	}
	return w, nil
}

func groupName(n int) string { return "group-" + strconv.Itoa(n) }

func resourceBody(id, group string) []byte {
	metrics := map[string]any{}
	for _, name := range metricNames {
		metrics[name] = map[string]string{"archive_policy_name": policyName}
	}
	return encode(map[string]any{"id": id, "group": group, "first": "0", "second": "0", "metrics": metrics})
}

// encode is v as JSON; what is encoded here always can be.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func iso(second int64) string { return time.Unix(begin+second, 0).UTC().Format(pythonISO) }

// batchBody brings samples [from, from+samples) to all metrics of a thing.
func (t *thing) batchBody(from int64) []byte {
	list := make([]any, samples)
	for i := range list {
		list[i] = map[string]any{"timestamp": iso(from + int64(i)), "value": from + int64(i)}
	}
	all := map[string]any{}
	for _, name := range metricNames {
		all[name] = list
	}
	return encode(map[string]any{t.id: all})
}
