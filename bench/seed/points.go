package seed

import (
	"fmt"
	"time"

	"github.com/valyala/fastjson"

	"github.com/telemetrydb/tsdb/bench/workload"
)

// points parses answers; it is kept so that its memory is.
var points fastjson.Parser

// checkPoints compares an answer, a list of [time, granularity, value], with one sample a second from the workload's start: with
// one sample in a group the mean, sum, minimum and maximum are that sample, and the count is one.
func checkPoints(body []byte, method string, want []float64) error {
	v, err := points.ParseBytes(body)
	if err != nil {
		return err
	}
	list, err := v.Array()
	if err != nil {
		return err
	}
	if len(list) != len(want) {
		return fmt.Errorf("%d points, want %d", len(list), len(want))
	}
	var at []byte
	for i, point := range list {
		triple, err := point.Array()
		if err != nil || len(triple) != 3 {
			return fmt.Errorf("point %d is %s", i, point)
		}
		value := want[i]
		if method == "count" {
			value = 1
		}
		at = append(time.Unix(workload.Start+int64(i), 0).UTC().AppendFormat(at[:0], pythonISO), "+00:00"...)
		if string(triple[0].GetStringBytes()) != string(at) || triple[1].GetFloat64() != 1 || triple[2].GetFloat64() != value {
			return fmt.Errorf("point %d is %s, want [%s, 1, %v]", i, point, at, value)
		}
	}
	return nil
}
