package cloud

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/telemetrydb/tsdb/bench/workload"
)

// checkPoints compares a list of [time, granularity, value] with one value a period from start.
func checkPoints(body []byte, start int64, period time.Duration, want []float64) error {
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return err
	}
	return checkList(v, start, period, want, 0)
}

// checkList does so with values that may differ by a part of themselves.
func checkList(v *fastjson.Value, start int64, period time.Duration, want []float64, part float64) error {
	if v == nil {
		return errors.New("no series")
	}
	list, err := v.Array()
	if err != nil {
		return err
	}
	if len(list) != len(want) {
		return fmt.Errorf("%d points, want %d", len(list), len(want))
	}
	for i, point := range list {
		triple, err := point.Array()
		if err != nil || len(triple) != 3 {
			return fmt.Errorf("point %d is %s", i, point)
		}
		at := time.Unix(start+int64(i)*int64(period/time.Second), 0).UTC().Format(pythonISO) + "+00:00"
		if string(triple[0].GetStringBytes()) != at || triple[1].GetFloat64() != period.Seconds() ||
			!(math.Abs(triple[2].GetFloat64()-want[i]) <= part*math.Abs(want[i])) {
			return fmt.Errorf("point %d is %s, want [%s, %v, %v]", i, point, at, period.Seconds(), want[i])
		}
	}
	return nil
}

// checkAll reads every point of every metric.
func checkAll(s *site, w *workload.Workload, all columns, ids []map[string]string) (values int, err error) {
	for i, r := range w.Resources {
		for k, m := range r.Metrics {
			body, _, err := s.c.Do(http.MethodGet, "/v1/metric/"+ids[i][m.Name]+"/measures?aggregation=mean", nil, http.StatusOK)
			if err != nil {
				return values, err
			}
			if err := checkPoints(body, workload.Start, w.Period, all[i][k]); err != nil {
				return values, fmt.Errorf("%s of %s: %w", m.Name, r.Name, err)
			}
			values += len(all[i][k])
		}
	}
	return values, nil
}

// checkResources compares a list of resources with those of the workload at the given places, in whatever order.
func checkResources(body []byte, w *workload.Workload, places []int) error {
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return err
	}
	list, err := v.Array()
	if err != nil {
		return err
	}
	found := map[string]*fastjson.Value{}
	for _, r := range list {
		found[string(r.GetStringBytes("id"))] = r
	}
	if len(list) != len(places) || len(found) != len(places) {
		return fmt.Errorf("%d resources, %d different, want %d", len(list), len(found), len(places))
	}
	for _, i := range places {
		want := w.Resources[i]
		r := found[want.ID]
		if r == nil {
			return fmt.Errorf("%s is missing", want.Name)
		}
		for _, a := range append(slices.Clone(want.Attributes), workload.Attribute{Name: "project_id", Value: want.ProjectID},
			workload.Attribute{Name: "type", Value: "instance"}) {
			if got := string(r.GetStringBytes(a.Name)); got != a.Value {
				return fmt.Errorf("%s of %s is %q, want %q", a.Name, want.Name, got, a.Value)
			}
		}
		if n := r.GetObject("metrics").Len(); n != len(want.Metrics) {
			return fmt.Errorf("%s has %d metrics, want %d", want.Name, n, len(want.Metrics))
		}
	}
	return nil
}

// sumOrder is how far the mean of many numbers may lie from another order of adding them.
const sumOrder = 1e-12

// means is the mean over one metric of many resources, tick by tick.
func means(all columns, places []int, metric, from, to int) []float64 {
	out := make([]float64, 0, to-from)
	for tick := from; tick < to; tick++ {
		sum := 0.0
		for _, i := range places {
			sum += all[i][metric][tick]
		}
		out = append(out, sum/float64(len(places)))
	}
	return out
}

// checkAggregate compares the answer of aggregates, of one group or by an attribute.
func checkAggregate(body []byte, w *workload.Workload, all columns, q *question, from, to int) error {
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return err
	}
	metric := slices.IndexFunc(w.Resources[0].Metrics, func(m workload.Metric) bool { return m.Name == aggregatedMetric })
	start := workload.Start + int64(from)*int64(w.Period/time.Second)
	check := func(measures *fastjson.Value, places []int) error {
		return checkList(measures.Get("measures", "aggregated"), start, w.Period, means(all, places, metric, from, to), sumOrder)
	}
	places := q.places(w)
	if q.groupBy == "" {
		return check(v, places)
	}
	groups := map[string][]int{}
	for _, i := range places {
		key := attribute(w.Resources[i], q.groupBy)
		groups[key] = append(groups[key], i)
	}
	list, err := v.Array()
	if err != nil {
		return err
	}
	if len(list) != len(groups) {
		return fmt.Errorf("%d groups, want %d", len(list), len(groups))
	}
	for _, g := range list {
		key := string(g.GetStringBytes("group", q.groupBy))
		if groups[key] == nil {
			return fmt.Errorf("an unknown group %q", key)
		}
		if err := check(g.Get("measures"), groups[key]); err != nil {
			return fmt.Errorf("group %s: %w", key, err)
		}
	}
	return nil
}

var errAnswer = errors.New("the answer is wrong")

func startsWith(attr, prefix string) func(w *workload.Workload, i int) bool {
	return func(w *workload.Workload, i int) bool {
		return strings.HasPrefix(attribute(w.Resources[i], attr), prefix)
	}
}

func equals(attr, value string) func(w *workload.Workload, i int) bool {
	return func(w *workload.Workload, i int) bool { return attribute(w.Resources[i], attr) == value }
}
