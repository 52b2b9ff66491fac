package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/served"
	"github.com/telemetrydb/tsdb/bench/target"
	"github.com/telemetrydb/tsdb/bench/target/targettest"
)

func TestMain(m *testing.M) { targettest.Main(m, main) }

// TestServerAtURI has this project's server, which speaks the same API, in the place of a Gnocchi that others run.
func TestServerAtURI(t *testing.T) {
	binary, err := served.Build("../../..", t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	s, err := served.Start(binary, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Kill()
	a := targettest.New(t, "D1", 400, t.TempDir(), "-uri", s.URL, "-name", "Run.1")
	r := a.Compare("-writers", "2")
	if v := r.Texts["version"]; !strings.HasPrefix(v, "Gnocchi ") {
		t.Errorf("version %q", v)
	}
	c, err := newClient(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	const kind = "/v1/resource_type/tsdb_bench_run_1"
	if there, err := c.exists(kind); err != nil || !there {
		t.Errorf("no resource type: %v", err)
	}
	a.Run("remove")
	if there, err := c.exists(kind); err != nil || there {
		t.Errorf("the resource type is left behind: %v", err)
	}
	var left []resource
	if err := c.get("/v1/resource/generic", &left); err != nil || len(left) > 0 {
		t.Errorf("%d resources left behind, %v", len(left), err)
	}
}

// TestOwnInstallation runs Debian's Gnocchi where it is installed; elsewhere the error must say how to install it.
func TestOwnInstallation(t *testing.T) {
	closed := filepath.Join(t.TempDir(), "closed") // like root's home, which PostgreSQL's user cannot enter
	dir := filepath.Join(closed, "store")
	if err := errors.Join(os.Mkdir(closed, 0o700), os.Mkdir(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	a := targettest.New(t, "D1", 30, dir)
	if _, err := findPrograms(); err != nil {
		text, ran := a.Command("ingest").CombinedOutput()
		if ran == nil || !strings.Contains(string(text), "target/gnocchi/setup.sh") {
			t.Errorf("%v: %s", ran, text)
		}
		return
	}
	c := a.Command("crash-write", "-ack", filepath.Join(dir, "ack"))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(startLimit); target.Acknowledged(filepath.Join(dir, "ack")) < 2100; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not all is acknowledged")
		}
	}
	if len(servers(dir)) < 4 {
		t.Errorf("only %v run", servers(dir))
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	for deadline := time.Now().Add(30 * time.Second); len(servers(dir)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%v outlive the adapter", servers(dir))
		}
	}
	if testing.Short() { // two more starts, and waiting for the locks of the dead to expire
		return
	}
	if n := a.Run("crash-check", "-ack", filepath.Join(dir, "ack")).Numbers; n["lost"] != 0 || n["wrong_series"] != 0 || n["found"] != 2100 {
		t.Errorf("%v", n)
	}
	a.CompareQueries()
}

// servers are the processes that work in dir or name it.
func servers(dir string) (found []string) {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range all {
		cwd, _ := os.Readlink(filepath.Join(p, "cwd"))
		line, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		name := strings.ReplaceAll(string(line), "\x00", " ")
		if (strings.HasPrefix(cwd, dir) || strings.Contains(name, dir)) && !strings.Contains(name, "-phase") {
			found = append(found, filepath.Base(p)+" "+name)
		}
	}
	return found
}

func TestServersThatCannotServe(t *testing.T) {
	data := t.TempDir()
	if err := dataset.Generate(data, "D1", 3); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	scan := func(g *gnocchi) error { return g.Scan(target.Selection{}, 0, 1, func([]int64, []float64) {}) }
	write := func(g *gnocchi) error { return g.Append(0, []dataset.Sample{{Series: 1, Millis: 5}}) }
	for _, tc := range []struct {
		path   string // that answers wrongly
		status int
		answer string
		do     func(*gnocchi) error
		want   string
	}{
		{"POST /v1/archive_policy", 503, "starting", nil, "POST /v1/archive_policy: status 503 Service Unavailable: starting"},
		{"POST /v1/resource_type", 401, "who?", nil, "status 401"},
		{"GET /v1/status", 200, "{}", nil, "tells no backlog"},
		{"GET /v1/status", 200, "<html>", nil, "invalid character"},
		{"POST /v1/resource/tsdb_bench_r", 500, "", write, "status 500"},
		{"POST /v1/batch/resources/metrics/measures", 507, "disk full", write, "disk full"},
		{"GET /v1/resource/tsdb_bench_r", 200, "{}", scan, "cannot unmarshal"},
		{"GET /v1/metric/m/measures", 200, `[["yesterday",1,2]]`, scan, "no list of measures"},
		{"GET /v1/metric/m/measures", 200, `{"code":1}`, scan, "no list of measures"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path := r.Method + " " + r.URL.Path
			answers := map[string]string{
				"GET /v1/status":                `{"storage":{"summary":{"measures":0,"metrics":0}}}`,
				"GET /v1/resource/tsdb_bench_r": `[{"id":"x","original_resource_id":"tsdb_bench_r:` + set.Series[0].Resource + `","metrics":{"` + set.Series[0].Metric + `":"m"}}]`,
			}
			status := map[string]int{"POST /v1/batch/resources/metrics/measures": 202, "GET /v1/status": 200, "GET /v1/resource/tsdb_bench_r": 200}[path]
			if status == 0 {
				status = http.StatusCreated
			}
			text := answers[path]
			if path == tc.path {
				status, text = tc.status, tc.answer
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}))
		g := &gnocchi{}
		err := g.Open(t.TempDir(), set, target.Options{URI: s.URL, Name: "r"})
		if tc.do != nil && err == nil {
			err = tc.do(g)
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), s.URL) {
			t.Errorf("%s: %v, want %s", tc.path, err, tc.want)
		}
		s.Close()
	}
	for uri, want := range map[string]string{gone.URL: "connection refused", "127.0.0.1:80": "no URL", "ftp://x/": "no URL"} {
		if err := (&gnocchi{}).Open(t.TempDir(), set, target.Options{URI: uri}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

func TestParseMeasures(t *testing.T) {
	times, values, err := parseMeasures([]byte(`[["2026-01-05T00:00:00+00:00", 1.0, 35.5], ["2026-01-05T00:00:01.500000+00:00",1,1e-3]]` + "\n"))
	if err != nil || !slices.Equal(times, []int64{1_767_571_200_000, 1_767_571_201_500}) || !slices.Equal(values, []float64{35.5, 1e-3}) {
		t.Error(times, values, err)
	}
	if times, _, err := parseMeasures([]byte("[]")); err != nil || len(times) != 0 {
		t.Error(times, err)
	}
	for _, bad := range []string{"", "null", `{"a":1}`, "[[]]", `[["2026-01-05T00:00:00Z",1]]`, `[["2026-01-05T00:00:00Z",1,"NaN"]]`, `[["2026-01-05T00:00:00Z",1,2]`} {
		if times, _, err := parseMeasures([]byte(bad)); err == nil {
			t.Errorf("%q: %v", bad, times)
		}
	}
}

// TestSetupWithoutRoot must name the packages, whatever is installed here: its PATH has nothing but what a script needs.
func TestSetupWithoutRoot(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{"bash", "env", "ls"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(bin, "id"), []byte("#!"+filepath.Join(bin, "bash")+"\necho 1000\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("./setup.sh")
	cmd.Env = []string{"PATH=" + bin}
	text, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(text), "redis-server") || !strings.Contains(string(text), "on Debian: sudo apt-get install") {
		t.Errorf("%v: %s", err, text)
	}
}
