package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"
	"go.uber.org/goleak"
)

const oneSample = `{"name":"m","type":"gauge","unit":"B","volume":%d,"user_id":null,"project_id":"p","resource_id":"r","timestamp":"2026-01-02T12:00:0%d","resource_metadata":{}}`

// TestPublish sends a sample through each door of a server and reads all of them through both APIs.
func TestPublish(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--ceilometer-listen", "127.0.0.1:0",
			"--publish-udp-listen", "127.0.0.1:0", "--publish-tcp-listen", "127.0.0.1:0", "--otlp-listen", "127.0.0.1:0"}, nil, w, os.Stderr)
		w.CloseWithError(io.EOF)
		ended <- err
	}()
	lines := bufio.NewReader(r)
	address := func(pattern string) string {
		line, err := lines.ReadString('\n')
		m := regexp.MustCompile(pattern).FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("serve said %q, %v", line, err)
		}
		return m[1]
	}
	udp, tcp, otlp := address(`udp://(\S+)`), address(`tcp://(\S+)`), address(`(http://\S+)/v1/metrics`)
	ceilometer, url := address(`API on (http://\S+)`), address(`(http://\S+)`)
	post := func(url, kind, body string, want int) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		if want != http.StatusUnauthorized {
			req.SetBasicAuth("admin", "")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if b, _ := io.ReadAll(resp.Body); resp.StatusCode != want {
			t.Fatalf("%s: %d %s", url, resp.StatusCode, b)
		}
	}
	post(ceilometer+"/v2/publish", "application/json", fmt.Sprintf(oneSample, 1, 1), 401)
	post(ceilometer+"/v2/publish?leftover=1", "application/json", fmt.Sprintf(oneSample, 1, 1), 202)
	post(otlp+"/any/path", "application/json", "["+fmt.Sprintf(oneSample, 2, 2)+"]", 202)
	const otlpBody = `{"resource_metrics":[{"scope_metrics":[{"scope":{"name":"ceilometer"},"metrics":[{"name":"m","description":"m unit:B","unit":"B","gauge":{"data_points":[
		{"attributes":[{"key":"resource_id","value":{"string_value":"r"}}],"time_unix_nano":%d,"as_double":%d}]}}]}]}]}`
	post(otlp+"/v1/metrics", "application/json", fmt.Sprintf(otlpBody, 1767355203, 3), 200)
	post(ceilometer+"/v1/metrics", "application/json", fmt.Sprintf(otlpBody, 1767355204, 4), 200)
	post(otlp+"/metrics/job/j/resource_id/r", "plain/text", "m 5 1767355205000\n", 200)
	post(ceilometer+"/metrics/job/j/resource_id/r", "plain/text", "m 6 1767355206000\n", 200)
	send := func(network, address string, second int, head bool) {
		conn, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		b := msgp.AppendMapHeader(nil, 6)
		for _, f := range []struct{ key, value string }{{"counter_name", "m"}, {"counter_type", "gauge"}, {"counter_unit", "B"}, {"resource_id", "r"},
			{"timestamp", fmt.Sprintf("2026-01-02T12:00:0%d", second)}} {
			b = msgp.AppendString(msgp.AppendString(b, f.key), f.value)
		}
		b = msgp.AppendInt(msgp.AppendString(b, "counter_volume"), second)
		if head {
			b = append(binary.LittleEndian.AppendUint64(nil, uint64(len(b))), b...)
		}
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	send("udp", udp, 7, false)
	send("tcp", tcp, 8, true)
	got := ""
	for deadline := time.Now().Add(10 * time.Second); strings.Count(got, `"counter_volume"`) < 8; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not all were stored: %s", got)
		}
		got = get(t, ceilometer+"/v2/meters/m")
	}
	for second := 1; second <= 8; second++ {
		if !regexp.MustCompile(fmt.Sprintf(`"counter_volume": ?%d[.,]`, second)).MatchString(got) {
			t.Errorf("the sample of second %d is missing: %s", second, got)
		}
	}
	if got := get(t, url+"/v1/resource/generic?filter=original_resource_id%3D'r'"); !strings.Contains(got, `"m"`) {
		t.Errorf("Gnocchi's API: %s", got)
	}
	if metrics := get(t, url+"/metrics"); !strings.Contains(metrics, `route="otlp"`) {
		t.Error("/metrics does not tell of the doors")
	}
	cancel()
	r.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestImportSamples(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "samples.log")
	text := fmt.Sprintf(oneSample, 1, 1) + "\n" + strings.ReplaceAll(strings.ReplaceAll(fmt.Sprintf(oneSample, 2, 2), `"`, "'"), "null", "None") + "\nnonsense\n" +
		`{"message_id":"e","event_type":"t","generated":"2026-01-02 12:00:00","traits":[],"raw":{}}` + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	data := filepath.Join(dir, "data")
	if err := run(t.Context(), []string{"import", "samples", "--data", data, file}, nil, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3 of 4 lines stored", "1 refused: format", "the first of them is line 3: format: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q does not have %q", out.String(), want)
		}
	}
	if err := run(t.Context(), []string{"import", "samples", "--data", filepath.Join(dir, "none"), filepath.Join(dir, "missing")}, nil, io.Discard, io.Discard); err == nil {
		t.Error("a file that is not there was imported")
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("a database was made for nothing")
	}
}

func TestTelemetrySecret(t *testing.T) {
	for _, args := range [][]string{{"--telemetry-secret", "a", "--telemetry-secret-file", "b"}, {"--telemetry-secret-file", "/nowhere/at/all"}} {
		err := run(t.Context(), append([]string{"serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--ceilometer-listen", ""}, args...), nil, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "--telemetry-secret") {
			t.Error(err)
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"config", "--telemetry-secret", "hush"}, nil, &out, io.Discard); err != nil || strings.Contains(out.String(), "hush") {
		t.Errorf("%v: the secret is shown: %s", err, out.String())
	}
}
