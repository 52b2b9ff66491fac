package cloud

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/bench/workload"
)

// pythonISO is how Ceilometer writes a time: no zone, no fraction.
const pythonISO = "2006-01-02T15:04:05"

func iso(unix int64) string { return time.Unix(unix, 0).UTC().Format(pythonISO) }

// policyBody is Ceilometer's own policy for samples that come every few minutes.
func policyBody(name string) ([]byte, error) {
	return json.Marshal(map[string]any{
		"name":                name,
		"back_window":         0,
		"definition":          []any{map[string]any{"granularity": "5 minutes", "timespan": "30 days"}},
		"aggregation_methods": []string{"mean"},
	})
}

// instanceType is the resource type that the instances are of; rack is only used to find a known number of them.
func instanceType() ([]byte, error) {
	attributes := map[string]any{}
	for _, name := range []string{"display_name", "flavor_id", "flavor_name", "host", "image_ref", "rack"} {
		attributes[name] = map[string]any{"type": "string", "min_length": 0, "max_length": 255, "required": false}
	}
	return json.Marshal(map[string]any{"name": "instance", "attributes": attributes})
}

func resourceBody(r workload.Resource, policy string) ([]byte, error) {
	metrics := map[string]any{}
	for _, m := range r.Metrics {
		metrics[m.Name] = map[string]string{"archive_policy_name": policy, "unit": m.Unit}
	}
	body := map[string]any{"id": r.ID, "project_id": r.ProjectID, "user_id": r.UserID, "metrics": metrics}
	for _, a := range r.Attributes {
		body[a.Name] = a.Value
	}
	return json.Marshal(body)
}

// batch is one POST of measures.
type batch struct {
	body     []byte
	measures int
}

// columns are the values of a workload: by resource, metric and tick.
type columns [][][]float64

func columnsOf(w *workload.Workload, ticks int) columns {
	all := make(columns, len(w.Resources))
	for i, r := range w.Resources {
		all[i] = make([][]float64, len(r.Metrics))
		for k := range all[i] {
			all[i][k] = make([]float64, 0, ticks)
		}
	}
	for row := range w.Rows(ticks) {
		for k, v := range row.Values {
			all[row.Resource][k] = append(all[row.Resource][k], v)
		}
	}
	return all
}

// appendBatch encodes ticks [from, to) of some resources as Ceilometer's publisher posts them:
//
//	{RESOURCE: {METRIC: {"measures": [{"timestamp": T, "value": V}, ...], "archive_policy_name": P, "unit": U}}}
func appendBatch(w *workload.Workload, all columns, resources []int, from, to int) batch {
	b := batch{body: []byte{'{'}}
	period := int64(w.Period / time.Second)
	for n, i := range resources {
		if n > 0 {
			b.body = append(b.body, ',')
		}
		r := w.Resources[i]
		b.body = append(strconv.AppendQuote(b.body, r.ID), ":{"...)
		for k, m := range r.Metrics {
			if k > 0 {
				b.body = append(b.body, ',')
			}
			b.body = append(strconv.AppendQuote(b.body, m.Name), `:{"measures":[`...)
			for tick := from; tick < to; tick++ {
				if tick > from {
					b.body = append(b.body, ',')
				}
				b.body = append(b.body, `{"timestamp":"`...)
				b.body = time.Unix(workload.Start+int64(tick)*period, 0).UTC().AppendFormat(b.body, pythonISO)
				b.body = append(b.body, `","value":`...)
				b.body = append(m.AppendValue(b.body, all[i][k][tick]), '}')
				b.measures++
			}
			b.body = append(b.body, `],"archive_policy_name":`...)
			b.body = append(strconv.AppendQuote(b.body, w.Policy), `,"unit":`...)
			b.body = append(strconv.AppendQuote(b.body, m.Unit), '}')
		}
		b.body = append(b.body, '}')
	}
	b.body = append(b.body, '}')
	return b
}

// attribute is a resource's attribute of that name.
func attribute(r workload.Resource, name string) string {
	switch name {
	case "project_id":
		return r.ProjectID
	case "id":
		return r.ID
	}
	for _, a := range r.Attributes {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// hosts gives the places of the resources of each compute host.
func hosts(w *workload.Workload) [][]int {
	places := map[string]int{}
	var all [][]int
	for i, r := range w.Resources {
		host := attribute(r, "host")
		at, ok := places[host]
		if !ok {
			at = len(all)
			places[host] = at
			all = append(all, nil)
		}
		all[at] = append(all[at], i)
	}
	return all
}
