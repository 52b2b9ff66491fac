package seed

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/bench/workload"
)

// methods are the aggregation methods of the policy.
var methods = []string{"mean", "count", "max", "sum", "min"}

// pythonISO is how Ceilometer writes a time: no zone, no fraction.
const pythonISO = "2006-01-02T15:04:05"

func iso(unix int64) string { return time.Unix(unix, 0).UTC().Format(pythonISO) }

// policyBody is the founding article's policy with our extension: raw samples are kept as long as the points.
func policyBody(name string) ([]byte, error) {
	return json.Marshal(map[string]any{
		"name":                name,
		"back_window":         0,
		"definition":          []any{map[string]any{"granularity": "1s", "points": 86400}},
		"aggregation_methods": methods,
		"raw_timespan":        "1 day",
	})
}

func resourceBody(r workload.Resource, policy string) ([]byte, error) {
	metrics := map[string]any{}
	for _, m := range r.Metrics {
		metrics[m.Name] = map[string]string{"archive_policy_name": policy, "unit": m.Unit}
	}
	return json.Marshal(map[string]any{
		"id": r.ID, "project_id": r.ProjectID, "user_id": r.UserID, "metrics": metrics,
	})
}

// batch is one POST of measures.
type batch struct {
	body     []byte
	measures int
}

// batches encodes the first ticks ticks as Ceilometer's publisher posts them, ticksABatch in each:
//
//	{RESOURCE: {METRIC: {"measures": [{"timestamp": T, "value": V}, ...], "archive_policy_name": P, "unit": U}}}
func batches(w *workload.Workload, ticks, ticksABatch int) []batch {
	lists := make([][][]byte, len(w.Resources)) // of each metric, the list so far
	for i, r := range w.Resources {
		lists[i] = make([][]byte, len(r.Metrics))
	}
	var out []batch
	rows, rowsABatch := 0, ticksABatch*len(w.Resources)
	for row := range w.Rows(ticks) {
		at := iso(row.Unix)
		for k, v := range row.Values {
			list := lists[row.Resource][k]
			if len(list) > 0 {
				list = append(list, ',')
			}
			list = append(append(append(list, `{"timestamp":"`...), at...), `","value":`...)
			list = w.Resources[row.Resource].Metrics[k].AppendValue(list, v)
			lists[row.Resource][k] = append(list, '}')
		}
		if rows++; rows == rowsABatch {
			out = append(out, closeBatch(w, lists, ticksABatch))
			rows = 0
		}
	}
	if rows > 0 {
		out = append(out, closeBatch(w, lists, rows/len(w.Resources)))
	}
	return out
}

// closeBatch joins the lists into a body and empties them.
func closeBatch(w *workload.Workload, lists [][][]byte, ticks int) batch {
	body := []byte{'{'}
	for i, r := range w.Resources {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(strconv.AppendQuote(body, r.ID), ":{"...)
		for k, m := range r.Metrics {
			if k > 0 {
				body = append(body, ',')
			}
			body = append(strconv.AppendQuote(body, m.Name), `:{"measures":[`...)
			body = append(body, lists[i][k]...)
			body = append(body, `],"archive_policy_name":`...)
			body = append(strconv.AppendQuote(body, w.Policy), `,"unit":`...)
			body = append(strconv.AppendQuote(body, m.Unit), '}')
			lists[i][k] = lists[i][k][:0]
		}
		body = append(body, '}')
	}
	return batch{append(body, '}'), ticks * w.MetricCount()}
}
