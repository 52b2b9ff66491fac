package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeCeilometer posts a sample through Ceilometer's listener and finds it through Gnocchi's.
func TestServeCeilometer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--ceilometer-listen", "127.0.0.1:0"},
			nil, w, io.Discard)
		w.CloseWithError(io.EOF)
		ended <- err
	}()
	lines := bufio.NewReader(r)
	var urls []string
	for len(urls) < 2 {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the server ended: %v", <-ended)
		}
		_, url, _ := strings.Cut(strings.TrimSpace(line), " on ")
		urls = append(urls, url)
	}
	go io.Copy(io.Discard, r)
	sample := `[{"counter_name": "m", "counter_type": "gauge", "counter_unit": "", "counter_volume": 4, "resource_id": "r", "timestamp": "2024-01-01T00:00:00"}]`
	req, err := http.NewRequestWithContext(ctx, "POST", urls[0]+"/v2/meters/m", strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Auth-Token", "admin")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	if got := get(t, urls[1]+"/v1/resource/generic/r/metric/m/measures"); !strings.Contains(got, "4.0") {
		t.Errorf("measures %s", got)
	}
	cancel()
	http.DefaultClient.CloseIdleConnections()
	if err := <-ended; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// TestCeilometerAddress has an address that is taken: one that was chosen ends the server.
func TestCeilometerAddress(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, args := range []string{"--ceilometer-listen " + ln.Addr().String(), "--ceilometer-limit 0", "--ceilometer-alarms aodh"} {
		fields := append([]string{"serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0"}, strings.Fields(args)...)
		if err := run(t.Context(), fields, nil, io.Discard, io.Discard); err == nil {
			t.Errorf("%s: no error", args)
		}
	}
}
