package load

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/valyala/fastjson"
)

// point is a point of an answer; second is that of its time since the beginning.
type point struct {
	second int64
	value  float64
}

func parseList(body []byte) ([]point, error) {
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return nil, err
	}
	return points(v)
}

// points reads a list of [time, granularity, value]. Times ascend.
func points(v *fastjson.Value) ([]point, error) {
	if v == nil {
		return nil, errors.New("no series")
	}
	list, err := v.Array()
	if err != nil {
		return nil, err
	}
	out := make([]point, len(list))
	for i, item := range list {
		triple, err := item.Array()
		if err != nil || len(triple) != 3 {
			return nil, fmt.Errorf("point %d is %s", i, item)
		}
		at, err := time.Parse(time.RFC3339, string(triple[0].GetStringBytes()))
		if err != nil {
			return nil, err
		}
		out[i] = point{at.Unix() - begin, triple[2].GetFloat64()}
		if i > 0 && out[i].second <= out[i-1].second {
			return nil, fmt.Errorf("point %d is not later than the one before", i)
		}
	}
	return out, nil
}

// countSamples adds up groups: all are full but the last.
func countSamples(groups []point) (int64, error) {
	n := int64(0)
	for i, g := range groups {
		if g.second != int64(i)*groupWidth || i+1 < len(groups) && g.value != groupWidth || !(g.value >= 1 && g.value <= groupWidth) {
			return 0, fmt.Errorf("group %d of %d begins at %d and has %v samples", i, len(groups), g.second, g.value)
		}
		n += int64(g.value)
	}
	return n, nil
}

// sameInAll compares the series of an answer with each other and with the rule, and gives the number of the last sample, -1 if there
// is none.
func sameInAll(body []byte, metrics []string) (last int64, err error) {
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return 0, err
	}
	var first []point
	for k, id := range metrics {
		list, err := points(v.Get("measures", id, "mean"))
		if err != nil {
			return 0, err
		}
		if err := byRule(list); err != nil {
			return 0, err
		}
		if k == 0 {
			first = list
		}
		if len(list) != len(first) || len(list) > 0 && list[len(list)-1] != first[len(first)-1] {
			return 0, fmt.Errorf("of metrics of one batch, one has %d points and one %d", len(first), len(list))
		}
	}
	if len(first) == 0 {
		return -1, nil
	}
	return first[len(first)-1].second, nil
}

// byRule tells whether each value is the number of its second, without gaps.
func byRule(list []point) error {
	for i, p := range list {
		if p.value != float64(p.second) || i > 0 && p.second != list[i-1].second+1 {
			return fmt.Errorf("point %d is %v at %d", i, p.value, p.second)
		}
	}
	return nil
}

// checkAverage judges an aggregate over a group: at each time equal values, of however many series.
func checkAverage(body []byte, grouped bool) error {
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return err
	}
	if grouped {
		groups, err := v.Array()
		if err != nil || len(groups) != 1 {
			return fmt.Errorf("%d groups, %v", len(groups), err)
		}
		v = groups[0].Get("measures")
	}
	list, err := points(v.Get("measures", "aggregated"))
	if err != nil {
		return err
	}
	for i, p := range list {
		if math.Abs(p.value-float64(p.second)) > 1e-6 {
			return fmt.Errorf("mean %d is %v at %d", i, p.value, p.second)
		}
	}
	return nil
}

// checkSearch judges a list of resources: those of states are in it, with equal attributes, not older than the states.
func checkSearch(body []byte, states map[string]int64) error {
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return err
	}
	list, err := v.Array()
	if err != nil {
		return err
	}
	if len(list) != len(states) {
		return fmt.Errorf("search gave %d resources of %d", len(list), len(states))
	}
	for _, r := range list {
		id, first, second := string(r.GetStringBytes("id")), string(r.GetStringBytes("first")), string(r.GetStringBytes("second"))
		atLeast, known := states[id]
		if !known {
			return fmt.Errorf("search gave %s", id)
		}
		state, err := strconv.ParseInt(first, 10, 64)
		if err != nil || first != second {
			return fmt.Errorf("%s is in states %q and %q", id, first, second)
		}
		if state < atLeast {
			return fmt.Errorf("%s is in state %d, and %d was acknowledged before", id, state, atLeast)
		}
		if n := r.GetObject("metrics").Len(); n != len(metricNames) {
			return fmt.Errorf("%s has %d metrics", id, n)
		}
	}
	return nil
}
