package main

import (
	"testing"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/remote"
	"github.com/telemetrydb/tsdb/bench/target/targettest"
)

func TestMain(m *testing.M) { targettest.Main(m, main) }

func TestAnswersAreThoseOfTheSet(t *testing.T) { targettest.OwnServer(t) }

func TestNothingIsLostWhenItIsKilled(t *testing.T) { targettest.NothingLost(t) }

func TestBodyIsABatchOfResources(t *testing.T) {
	set := &dataset.Set{Series: []dataset.Series{{Metric: "cpu", Resource: "r1", Group: "a"}, {Metric: "cpu", Resource: "r2", Group: "b"},
		{Metric: `m"em`, Resource: "r1", Group: "a"}}}
	var b body
	text := b.encode(set, ranks(set), []dataset.Sample{{Series: 0, Millis: 1000, Value: 1}, {Series: 1, Millis: 1000, Value: 1e-300},
		{Series: 2, Millis: 1250, Value: -2}, {Series: 0, Millis: 2000, Value: 3}})
	const want = `{"r1":{"cpu":{"archive_policy_name":"bench","unit":"a","measures":[{"timestamp":"1970-01-01T00:00:01.000","value":1},` +
		`{"timestamp":"1970-01-01T00:00:02.000","value":3}]},"m\"em":{"archive_policy_name":"bench","unit":"a","measures":[` +
		`{"timestamp":"1970-01-01T00:00:01.250","value":-2}]}},"r2":{"cpu":{"archive_policy_name":"bench","unit":"b","measures":[` +
		`{"timestamp":"1970-01-01T00:00:01.000","value":1e-300}]}}}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestReadPoints(t *testing.T) {
	for text, want := range map[string]int{
		`[]`: 0, `[["2026-01-05T00:00:00+00:00", 0.001, 12.5]]`: 1, `[["2026-01-05T00:00:00+00:00", 1.0, 1.0], ["2026-01-05T00:00:01+00:00", 1.0, -2e3]]`: 2,
		`[["2026-01-05T00:00:00+00:00", 0.001, 12.5]`: -1, `{"error": 1}`: -1, `[["yesterday", 1.0, 1.0]]`: -1, ``: -1, `[["2026-01-05T00:00:00+00:00", 1.0, null]]`: -1,
	} {
		var s server
		err := s.readPoints(remote.NewReader([]byte(text)))
		if (err != nil) != (want < 0) || err == nil && len(s.values) != want {
			t.Errorf("%s: %v, %v", text, s.values, err)
		}
	}
}
