package main

import (
	"testing"

	"github.com/telemetrydb/tsdb/bench/debian"
	"github.com/telemetrydb/tsdb/bench/target/targettest"
)

func TestMain(m *testing.M) { targettest.Main(m, main) }

// there tells whether the server can be run here and now; without it the tests of a whole run have nothing to test.
func there(t *testing.T) bool {
	_, err := debian.Find(name)
	if err != nil {
		t.Log(err)
	}
	return err == nil && !testing.Short()
}

func TestAnswersAreThoseOfTheEngine(t *testing.T) {
	if !there(t) {
		return
	}
	r := targettest.New(t, "D1", 400, t.TempDir()).Compare("-writers", "2")
	if n := r.Numbers; n["server_ingest_cpu_s_per_million"] <= 0 || n["at_rest_bytes_per_sample"] <= 0 || r.Texts["version"] == "" {
		t.Errorf("%v %v", n, r.Texts)
	}
}

func TestKilledItStartsAgain(t *testing.T) {
	if !there(t) {
		return
	}
	n := targettest.New(t, "D1", 200, t.TempDir()).Crash(7000).Numbers
	if n["wrong_series"] != 0 || n["acknowledged"] < 7000 || n["found"] == 0 {
		t.Errorf("%v", n)
	}
	t.Logf("%v lost of %v", n["lost"], n["acknowledged"])
}
