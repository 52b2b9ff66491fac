package targettest

import (
	"os"
	"testing"

	"github.com/telemetrydb/tsdb/bench/debian"
)

// required is the environment variable that makes a server which is missing a failure, and -short no reason to pass over it.
const required = "TARGETTEST_SERVERS"

const (
	serverTicks = 400  // of D1, for a whole run
	crashTicks  = 200  // for a kill
	crashAt     = 7000 // samples acknowledged
)

// there tells whether the server of a Debian package can be run here and now. The tests of a whole run have nothing to test without it, and
// take too long for -short.
func there(t *testing.T, name string) bool {
	t.Helper()
	_, err := debian.Find(name)
	if os.Getenv(required) != "" {
		if err != nil {
			t.Fatal(err)
		}
		return true
	}
	if err != nil {
		t.Log(err)
	}
	return err == nil && !testing.Short()
}

// WholeRun gives the server of a Debian package a set and compares its answers with those of the engine; those of a server that is not exact
// but for the last bits of its samples.
func WholeRun(t *testing.T, name string, exact bool) {
	t.Helper()
	if !there(t, name) {
		return
	}
	a := New(t, "D1", serverTicks, t.TempDir())
	var n map[string]float64
	var version string
	if exact {
		r := a.Compare("-writers", "2")
		n, version = r.Numbers, r.Texts["version"]
	} else {
		r := a.Run("ingest", "-writers", "2")
		n, version = r.Numbers, r.Texts["version"]
		a.CompareQueries()
		if read := a.Run("verify").Numbers; read["samples"] != n["samples"] {
			t.Errorf("%v samples read of %v", read["samples"], n["samples"])
		}
	}
	if n["server_ingest_cpu_s_per_million"] <= 0 || n["at_rest_bytes_per_sample"] <= 0 || version == "" {
		t.Errorf("%v %q", n, version)
	}
}

// Killed kills the server of a Debian package while it is given samples, and looks whether it starts again, and, of one that is exact, has
// no samples that it was not given.
func Killed(t *testing.T, name string, exact bool) {
	t.Helper()
	if !there(t, name) {
		return
	}
	n := New(t, "D1", crashTicks, t.TempDir()).Crash(crashAt).Numbers
	if n["acknowledged"] < crashAt || exact && (n["wrong_series"] != 0 || n["found"] == 0) {
		t.Errorf("%v", n)
	}
	t.Logf("%v lost of %v", n["lost"], n["acknowledged"])
}
