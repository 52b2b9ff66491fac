package ceilometer

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/valyala/fastjson"

	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/workload"
)

// columnsOf are the values of each resource and metric.
func columnsOf(w *workload.Workload, ticks int) [][][]float64 {
	columns := make([][][]float64, len(w.Resources))
	for i, r := range w.Resources {
		columns[i] = make([][]float64, len(r.Metrics))
	}
	for row := range w.Rows(ticks) {
		for k, v := range row.Values {
			columns[row.Resource][k] = append(columns[row.Resource][k], v)
		}
	}
	return columns
}

// check compares all samples of all meters, and their statistics, with the generator.
func check(c *served.Client, w *workload.Workload, ticks int) (samples int, err error) {
	var p fastjson.Parser
	get := func(path string) ([]*fastjson.Value, error) {
		body, _, err := c.Do(http.MethodGet, path, nil, http.StatusOK)
		if err != nil {
			return nil, err
		}
		v, err := p.ParseBytes(body)
		if err != nil {
			return nil, err
		}
		return v.Array()
	}
	for i, columns := range columnsOf(w, ticks) {
		r := w.Resources[i]
		for k, want := range columns {
			list, err := get(samplesPath(r.Metrics[k].Name, r.ID, ticks+1))
			if err == nil {
				err = checkSamples(list, w, i, k, want)
			}
			if err != nil {
				return samples, fmt.Errorf("samples of %s of %s: %w", r.Metrics[k].Name, r.Name, err)
			}
			samples += len(list)
			if list, err = get(statisticsPath(r.Metrics[k].Name, r.ID, 0)); err == nil {
				err = checkStatistics(list, want)
			}
			if err != nil {
				return samples, fmt.Errorf("statistics of %s of %s: %w", r.Metrics[k].Name, r.Name, err)
			}
		}
	}
	return samples, nil
}

// checkSamples compares a list, the newest first, with one sample a second from the workload's start.
func checkSamples(list []*fastjson.Value, w *workload.Workload, resource, metric int, want []float64) error {
	if len(list) != len(want) {
		return fmt.Errorf("%d, want %d", len(list), len(want))
	}
	r := w.Resources[resource]
	for n, v := range list {
		i := len(want) - 1 - n
		unix := workload.Start + int64(i)
		at, err := time.Parse(pythonISO, string(v.GetStringBytes("timestamp")))
		state := strconv.Itoa(stateAt(resource, unix))
		if err != nil || !at.Equal(time.Unix(unix, 0)) || v.GetFloat64("counter_volume") != want[i] ||
			string(v.GetStringBytes("resource_metadata", "state")) != state || string(v.GetStringBytes("resource_id")) != r.ID ||
			string(v.GetStringBytes("counter_name")) != r.Metrics[metric].Name || string(v.GetStringBytes("project_id")) != r.ProjectID {
			return fmt.Errorf("sample %d is %.600s, want %v at %d in state %s", n, v, want[i], unix, state)
		}
	}
	return nil
}

// checkStatistics compares the statistics of a whole column. Sums may differ in the last digits, by their order.
func checkStatistics(list []*fastjson.Value, want []float64) error {
	if len(list) != 1 {
		return fmt.Errorf("%d periods, want 1", len(list))
	}
	v, sum := list[0], 0.0
	for _, x := range want {
		sum += x
	}
	near := func(name string, want float64) bool {
		return math.Abs(v.GetFloat64(name)-want) <= 1e-11*math.Abs(want)
	}
	if v.GetInt("count") != len(want) || v.GetFloat64("min") != slices.Min(want) || v.GetFloat64("max") != slices.Max(want) ||
		!near("sum", sum) || !near("avg", sum/float64(len(want))) {
		return fmt.Errorf("%s, want %d of sum %v from %v to %v", v, len(want), sum, slices.Min(want), slices.Max(want))
	}
	return nil
}
