package targettest

import "testing"

// OwnServer gives this project's server a set and compares its answers and its samples with the set's.
func OwnServer(t *testing.T) {
	t.Helper()
	r := New(t, "D1", serverTicks, t.TempDir()).Check("-writers", "2")
	if n := r.Numbers; n["server_ingest_cpu_s_per_million"] <= 0 || n["at_rest_bytes_per_sample"] <= 0 || r.Texts["version"] == "" {
		t.Errorf("%v %v", n, r.Texts)
	}
}

// NothingLost kills this project's server while it is given samples: all that it has acknowledged is there again.
func NothingLost(t *testing.T) {
	t.Helper()
	n := New(t, "D1", crashTicks, t.TempDir()).Crash(crashAt).Numbers
	if n["lost"] != 0 || n["wrong_series"] != 0 || n["acknowledged"] < crashAt {
		t.Errorf("%v", n)
	}
}
