package dataset

import (
	"time"

	"github.com/telemetrydb/tsdb/bench/workload"
)

const cloudInstances = 1000 // of workload B

// writeWorkload makes a set of a workload's measures, each metric of a resource a series.
func writeWorkload(dir, name string, w *workload.Workload, ticks int) error {
	if ticks <= 0 || ticks > w.Ticks {
		ticks = w.Ticks
	}
	first := make([]uint32, len(w.Resources)) // series of each resource's first metric
	var series []Series
	for i, r := range w.Resources {
		first[i] = uint32(len(series))
		for _, m := range r.Metrics {
			series = append(series, describeMetric(uint32(len(series)), i, len(w.Resources), r, m))
		}
	}
	out, err := Create(dir, name, w.Period.Milliseconds(), series)
	if err != nil {
		return err
	}
	for row := range w.Rows(ticks) {
		for i, v := range row.Values {
			out.Add(Sample{Series: first[row.Resource] + uint32(i), Millis: row.Unix * time.Second.Milliseconds(), Value: v})
		}
	}
	return out.Close()
}

// describeMetric puts a tenth of many resources, or all of few, into group a.
func describeMetric(id uint32, resource, resources int, r workload.Resource, m workload.Metric) Series {
	s := Series{ID: id, Metric: m.Name, Resource: r.ID, Project: r.ProjectID, Host: "none", Group: "b", Class: "double"}
	if m.Integer {
		s.Class = "integer"
	}
	if resources < 100 || resource%10 == 3 {
		s.Group = "a"
	}
	for _, a := range r.Attributes {
		if a.Name == "host" {
			s.Host = a.Value
		}
	}
	return s
}
