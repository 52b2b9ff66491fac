package gnocchi

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestPolicyWhileReading changes a metric's policy to and fro while clients read and write: each reader sees all points, or none of that
// granularity yet.
func TestPolicyWhileReading(t *testing.T) {
	h := newHarness(t)
	h.fill(t)
	for name, widths := range map[string]string{"one": `{"granularity": 60}`, "two": `{"granularity": 60}, {"granularity": 300}`} {
		expect(t, h, 201, "POST", "/v1/archive_policy", `{"name": "`+name+`", "definition": [`+widths+`], "aggregation_methods": ["count", "max"], "raw_timespan": null}`)
	}
	metric := "/v1/metric/" + fuzzMetric
	expect(t, h, 200, "PATCH", metric, `{"archive_policy_name": "one"}`)
	measures := func(from, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `, {"timestamp": %d, "value": 1}`, 60*(from+i))
		}
		return "[" + b.String()[2:] + "]"
	}
	const n, more = 1000, 200
	expect(t, h, 202, "POST", metric+"/measures", measures(0, n))
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for last := n; ; {
				select {
				case <-stop:
					return
				default:
				}
				got := strings.Count(expect(t, h, 200, "GET", metric+"/measures?aggregation=count", ""), ", 60.0, 1.0]")
				if got < last {
					t.Errorf("%d points, %d before", got, last)
					return
				}
				last = got
				expect(t, h, 200, "GET", "/v1/batch/metrics/measures?metric="+fuzzMetric+"&aggregation=max", "")
			}
		})
	}
	writers.Go(func() {
		for i := range more {
			expect(t, h, 202, "POST", metric+"/measures", measures(n+i, 1))
		}
	})
	for i := range 60 {
		expect(t, h, 200, "PATCH", metric, `{"archive_policy_name": "`+[]string{"two", "one"}[i%2]+`"}`)
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if got := strings.Count(expect(t, h, 200, "GET", metric+"/measures?aggregation=count", ""), ", 60.0, 1.0]"); got != n+more {
		t.Errorf("%d points at the end, want %d", got, n+more)
	}
}
