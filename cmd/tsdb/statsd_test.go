package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const statsdResource = "5eed0003-0000-4000-8000-000000000001"

// TestStatsd sends datagrams until one has been stored, and reads it.
func TestStatsd(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--ceilometer-listen", "", "--statsd-listen", "127.0.0.1:0",
			"--statsd-resource-id", statsdResource, "--statsd-creator", "admin", "--statsd-archive-policy", "high", "--statsd-flush-delay", "20ms"},
			nil, w, io.Discard)
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
	udp, url := address(`udp://(\S+)`), address(`(http://\S+)`)
	conn, err := net.Dial("udp", udp)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got := ""
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(got, "7.5"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing was stored: %s", got)
		}
		fmt.Fprint(conn, "load:7.5|g\nnonsense")
		if strings.Contains(get(t, url+"/metrics"), "\ntsdb_samples_total 0\n") {
			continue
		}
		got = get(t, url+"/v1/resource/generic/"+statsdResource+"/metric/load%7Cg/measures?granularity=1&aggregation=mean")
	}
	if metrics := get(t, url+"/metrics"); !strings.Contains(metrics, `tsdb_refused_samples_total{protocol="statsd",reason="form"}`) {
		t.Error("/metrics does not tell what was refused")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStatsdSettings(t *testing.T) {
	for _, args := range []string{
		"--statsd-listen 127.0.0.1:0",
		"--statsd-listen 127.0.0.1:0 --statsd-resource-id x",
		"--statsd-listen 127.0.0.1:0 --statsd-resource-id " + statsdResource + " --statsd-flush-delay 1ms",
		"--statsd-listen nowhere:x --statsd-resource-id " + statsdResource,
	} {
		fields := append([]string{"serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--ceilometer-listen", ""}, strings.Fields(args)...)
		if err := run(t.Context(), fields, nil, io.Discard, io.Discard); err == nil {
			t.Errorf("tsdb serve %s: no error", args)
		}
	}
}
