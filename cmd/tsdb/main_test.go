package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestWholeLife serves a database, loads lines into it, reads them, stops, and inspects what is left.
func TestWholeLife(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := filepath.Join(t.TempDir(), "data")
	url, stop := startServer(t, dir)
	lines := strings.Join([]string{
		`{"id": "vm 1", "type": "instance", "name": "vm", "project_id": "p", "user_id": null, "metrics": {"cpu": "ns", "mem": null}}`,
		`{"t": 1767225600, "r": "vm 1", "v": {"cpu": 1.5, "mem": 2048.0}}`,
		`{"t": 1767225601, "r": "vm 1", "v": {"cpu": 2.5}}`,
		`not json`,
		`{"t": 1767225602, "r": "vm 1"}`,
		`{"t": 1767225602, "r": "vm 1", "v": {"cpu": "high"}}`,
		`{"t": 1767225602, "r": "vm 1", "v": {"a/b": 1}}`,
		`{"t": 1767225900, "r": "unseen", "v": {"cpu": 0.1, "added": 7}}`,
		`{"id": "vm 1", "metrics": {"cpu": "ns", "late": "s"}}`,
	}, "\n")
	var out, errs bytes.Buffer
	err := run(t.Context(), []string{"load", "-", "--url", url, "--archive-policy", "high"}, strings.NewReader(lines), &out, &errs)
	if err == nil || err.Error() != "4 lines were refused" {
		t.Errorf("load: %v\n%s", err, errs.String())
	}
	if want := "5 samples of 9 lines in "; !strings.HasPrefix(out.String(), want) {
		t.Errorf("load said %q, want %q", out.String(), want)
	}
	for _, want := range []string{"line 4: not a JSON object", "line 5: ", `line 6: value of "cpu" is not a number`,
		"line 7: 400: '/' is not supported in metric name"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("load complained\n%s\nwithout %q", errs.String(), want)
		}
	}
	metric := get(t, url+"/v1/resource/generic/vm%201/metric/cpu/measures?granularity=1&aggregation=mean")
	if want := `[["2026-01-01T00:00:00+00:00", 1.0, 1.5], ["2026-01-01T00:00:01+00:00", 1.0, 2.5]]`; metric != want {
		t.Errorf("measures %s, want %s", metric, want)
	}
	if added := get(t, url+"/v1/resource/generic/unseen/metric/added/measures?granularity=1"); !strings.Contains(added, "7.0") {
		t.Errorf("measures %s", added)
	}
	if late := get(t, url+"/v1/resource/generic/vm%201/metric/late"); !strings.Contains(late, `"unit": "s"`) {
		t.Errorf("metric %s", late)
	}
	stop()

	inspect := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if err := run(t.Context(), args, nil, &out, &errs); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		return out.String()
	}
	if got := inspect("check", dir); !regexp.MustCompile(`^[1-9]\d* keys, .* 0 damaged\n$`).MatchString(got) {
		t.Errorf("check said %q", got)
	}
	if got := inspect("dump", dir); !strings.Contains(got, "metric=") {
		t.Errorf("dump said %q", got)
	}
	if got := inspect("version"); !strings.HasPrefix(got, "tsdb ") {
		t.Errorf("version said %q", got)
	}
}

// TestServeAgain finds what an earlier process stored, and takes over the defaults only once.
func TestServeAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for range 2 {
		url, stop := startServer(t, dir)
		if policies := get(t, url+"/v1/archive_policy"); strings.Count(policies, `"name"`) != 4 {
			t.Errorf("policies %s", policies)
		}
		stop()
	}
}

func TestServeTwice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	_, stop := startServer(t, dir)
	defer stop()
	err := run(t.Context(), []string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--ceilometer-listen", ""}, nil, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("serving a served directory: %v", err)
	}
}

func TestBadArguments(t *testing.T) {
	dir := t.TempDir()
	for _, args := range []string{
		"serve --sync sometimes", "serve --memory much", "serve --memory 1MiB", "serve --max-limit 0", "serve --max-body 0",
		"serve --log-format xml", "serve --log-level loud", "serve --listen nowhere:x", "serve DIR", "serve --no-such-flag",
		"load", "load /no/such/file", "load - --batch 0s", "check", "check /no/such/dir", "dump /no/such/dir", "dump --metric x .", "fly",
	} {
		fields := strings.Fields(args)
		if fields[0] == "serve" {
			fields = append(fields, "--data", filepath.Join(dir, "data"))
		}
		if err := run(t.Context(), fields, strings.NewReader(""), io.Discard, io.Discard); err == nil {
			t.Errorf("tsdb %s: no error", args)
		}
	}
	if _, err := os.Stat("/no/such/dir"); err == nil {
		t.Error("inspecting made a directory")
	}
}

func TestLoadWithoutServer(t *testing.T) {
	line := `{"t": 1, "r": "x", "v": {"a": 1}}`
	err := run(t.Context(), []string{"load", "-", "--url", "http://127.0.0.1:1"}, strings.NewReader(line), io.Discard, io.Discard)
	if err == nil {
		t.Error("no error")
	}
}

func TestParseBytes(t *testing.T) {
	for s, want := range map[string]int64{"1": 1, "4096": 4096, "64MiB": 64 << 20, "3 KiB": 3 << 10, "2GiB": 2 << 30} {
		if got, err := parseBytes(s); err != nil || got != want {
			t.Errorf("%q: got %d %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "MiB", "-1", "0", "1.5GiB", "9999999999GiB", "1TB"} {
		if got, err := parseBytes(s); err == nil {
			t.Errorf("%q: got %d, want none", s, got)
		}
	}
}

// startServer serves dir on a free port; stop waits until it has ended.
func startServer(t *testing.T, dir string) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--ceilometer-listen", ""}, nil, w, io.Discard)
		w.CloseWithError(io.EOF)
		ended <- err
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("the server ended: %v", <-ended)
	}
	_, url, _ = strings.Cut(strings.TrimSpace(line), " on ")
	return url, func() {
		t.Helper()
		cancel()
		http.DefaultClient.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", "")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("%s: %d %s %v", url, resp.StatusCode, b, err)
	}
	return string(b)
}
