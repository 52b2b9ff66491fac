package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/telemetrydb/tsdb/engine"
	"go.uber.org/goleak"
)

func openDB(t *testing.T, fs vfs.FS) *engine.DB {
	t.Helper()
	db, err := engine.Open("db", &engine.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// ask sends a request to h as admin.
func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.SetBasicAuth("admin", "")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHealthAndMetrics(t *testing.T) {
	db := openDB(t, vfs.NewMem())
	defer db.Close()
	h := New(db, nil).Handler()
	if w := ask(h, "GET", "/healthz", ""); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("/healthz: %d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/v1/archive_policy//x", "/v1/archive_policy/y", "/no/such/path"} {
		if w := ask(h, "GET", path, ""); w.Code != 404 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	w := ask(h, "GET", "/metrics", "")
	for _, want := range []string{
		`tsdb_http_request_seconds_count{method="GET",route="/v1/archive_policy/{name}",status="404"} 2`,
		`tsdb_http_request_seconds_count{method="GET",route="none",status="404"} 1`,
		"\ntsdb_samples_total 0\n", "\ntsdb_read_only 0\n", "\ngo_goroutines ",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// TestReadOnly takes the disk away: writes are refused with the reason, reads go on.
func TestReadOnly(t *testing.T) {
	var broken atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return syscall.EIO
		}
		return nil
	}))
	db := openDB(t, fs)
	defer db.Close()
	var log bytes.Buffer
	h := New(db, &Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}).Handler()
	if w := ask(h, "POST", "/v1/archive_policy", `{"name": "p", "definition": [{"granularity": 1}]}`); w.Code != 201 {
		t.Fatal(w.Code, w.Body)
	}
	broken.Store(true)
	w := ask(h, "POST", "/v1/metric", `{"archive_policy_name": "p"}`)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"code": 503`) {
		t.Errorf("write: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if !strings.Contains(log.String(), "request failed") {
		t.Errorf("log: %q", log.String())
	}
	if w := ask(h, "GET", "/v1/archive_policy/p", ""); w.Code != 200 {
		t.Errorf("read: %d %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/healthz", ""); w.Code != 503 || !strings.HasPrefix(w.Body.String(), "read-only: ") {
		t.Errorf("/healthz: %d %s", w.Code, w.Body)
	}
}

// TestPanic has a handler fail: the client gets a 500 of the dialect, the log the stack, and the next request an answer.
func TestPanic(t *testing.T) {
	var log bytes.Buffer
	s := New(nil, &Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}) // no database to ask
	w := ask(s.Handler(), "GET", "/v1/archive_policy", "")
	if w.Code != 500 || w.Body.String() != `{"code": 500, "title": "Internal Server Error", "description": ""}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "panic") || !strings.Contains(log.String(), "listPolicies") {
		t.Errorf("log: %s", log.String())
	}
	if w := ask(s.Handler(), "GET", "/v1/", ""); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestGracefulStop stops the server while a request's body is on its way: it is answered, later ones are refused.
func TestGracefulStop(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	db := openDB(t, vfs.NewMem())
	defer db.Close()
	ctx, stop := context.WithCancel(t.Context())
	const body = `{"name": "p", "definition": [{"granularity": 1}]}`
	conn, ended := beginRequest(ctx, t, New(db, nil), len(body))
	stop()
	for { // until the listener is closed
		c, err := net.DialTimeout("tcp", conn.RemoteAddr().String(), time.Second)
		if err != nil {
			break
		}
		c.Close()
	}
	io.WriteString(conn, body)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Errorf("got %v %v", resp, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// TestGraceEnds gives up on a request that does not end.
func TestGraceEnds(t *testing.T) {
	db := openDB(t, vfs.NewMem())
	defer db.Close()
	ctx, stop := context.WithCancel(t.Context())
	_, ended := beginRequest(ctx, t, New(db, &Options{Grace: 10 * time.Millisecond}), 100)
	stop()
	if err := <-ended; err == nil {
		t.Error("no error although a request was cut off")
	}
}

// beginRequest serves s until ctx is done, and sends the head of a request that its handler then waits for the body of.
func beginRequest(ctx context.Context, t *testing.T, s *Server, length int) (net.Conn, <-chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "POST /v1/archive_policy HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", length)
	if _, err := conn.Read(make([]byte, 64)); err != nil { // 100 Continue: the body is being read
		t.Fatal(err)
	}
	return conn, ended
}
