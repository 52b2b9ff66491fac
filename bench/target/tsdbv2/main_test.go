package main

import (
	"encoding/json"
	"testing"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target/targettest"
)

func TestMain(m *testing.M) { targettest.Main(m, main) }

func TestAnswersAreThoseOfTheSet(t *testing.T) { targettest.OwnServer(t) }

func TestNothingIsLostWhenItIsKilled(t *testing.T) { targettest.NothingLost(t) }

func TestBodyIsAListOfSamples(t *testing.T) {
	s := server{set: &dataset.Set{Series: []dataset.Series{{Metric: "cpu", Resource: "r1", Project: "p", Host: "h", Group: "a"}, {Metric: "mem", Resource: "r2"}}}}
	s.describe()
	e := encoder{writer: 3, states: map[int]state{}}
	var got []struct {
		Source, Timestamp string
		Name              string         `json:"counter_name"`
		User              string         `json:"user_id"`
		Resource          string         `json:"resource_id"`
		ID                string         `json:"message_id"`
		Volume            float64        `json:"counter_volume"`
		Metadata          map[string]any `json:"resource_metadata"`
		Signature         string         `json:"message_signature"`
	}
	text := e.encode(&s, []dataset.Sample{{Series: 0, Millis: 1250, Value: 1e-300}, {Series: 1, Millis: 1250, Value: -2}, {Series: 0, Millis: 700_000, Value: 3}})
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if len(got) != 3 || got[0].Source != "a" || got[0].Timestamp != "1970-01-01T00:00:01.250" || got[0].Name != "cpu" || got[0].User != "h" ||
		got[1].Resource != "r2" || got[0].Volume != 1e-300 || got[0].ID == got[1].ID || len(got[0].Signature) != 64 {
		t.Errorf("%+v", got)
	}
	if got[0].Metadata["state"] == got[2].Metadata["state"] || got[0].Metadata["display_name"] != got[2].Metadata["display_name"] {
		t.Errorf("metadata after ten minutes: %v, %v", got[0].Metadata, got[2].Metadata)
	}
}
