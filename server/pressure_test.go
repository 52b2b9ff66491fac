package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/server/gnocchi"
	"go.uber.org/goleak"
)

// listen serves a fresh database with the options until the test ends, and gives the address.
func listen(t *testing.T, o Options) string {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	db := openDB(t, vfs.NewMem())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Grace = time.Second
	ended := make(chan error, 1)
	ctx := t.Context() // done before what is cleaned up
	go func() { ended <- New(db, &o).Serve(ctx, ln) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		<-ended
		db.Close()
		goleak.VerifyNone(t, ignore)
	})
	return ln.Addr().String()
}

// send writes raw bytes of a request, and gives the connection.
func send(t *testing.T, addr, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go io.WriteString(conn, text) // the server may stop reading
	return conn
}

func receive(t *testing.T, conn net.Conn) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp, string(b)
}

const postHead = "POST /v1/archive_policy HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46\r\nAccept: application/json\r\n" +
	"Content-Type: application/json\r\n"

// works asks something ordinary.
func works(t *testing.T, addr string) {
	t.Helper()
	resp, body := receive(t, send(t, addr, "GET /v1/capabilities HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
	if resp.StatusCode != 200 {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// TestTooMuch sends more than there may be of everything: it is refused with the limit's name, and other requests go on.
func TestTooMuch(t *testing.T) {
	addr := listen(t, Options{MaxBodyBytes: 1 << 20})
	var bomb bytes.Buffer
	z, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	for range 16 {
		z.Write(make([]byte, 1<<20))
	}
	z.Close()
	long := strings.Repeat("x", 10<<20)
	for _, tc := range []struct {
		name, request string
		want          int
		text          string
	}{
		{"query string of 10 MB", "GET /v1/metric?name=" + long + " HTTP/1.1\r\nHost: x\r\n\r\n", 431, ""},
		{"query string of 200 kB", "GET /v1/metric?name=" + long[:200<<10] + " HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n", 414,
			`{"code": 414, "title": "Request URI Too Long", "description": "The query string is longer than the limit of 131072 bytes"}`},
		{"headers of 10 MB", "GET / HTTP/1.1\r\nHost: x\r\nX: " + long + "\r\n\r\n", 431, ""},
		{"body of 10 MB", postHead + "Content-Length: " + strconv.Itoa(10<<20) + "\r\n\r\n" + long, 413, "limit of 1048576 bytes"},
		{"body of 10 MB in chunks", postHead + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("100000\r\n"+long[:1<<20]+"\r\n", 10), 413,
			"limit of 1048576 bytes"},
		{"gzip bomb of 16 MiB", fmt.Sprintf("%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", postHead, bomb.Len(), bomb.String()), 413,
			"limit of 1048576 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			resp, body := receive(t, send(t, addr, tc.request))
			if resp.StatusCode != tc.want || !strings.Contains(body, tc.text) {
				t.Errorf("%d %s", resp.StatusCode, body)
			}
			works(t, addr)
		})
	}
}

// TestBusy has as many requests under way as there may be: more are asked to come again, health is still told.
func TestBusy(t *testing.T) {
	addr := listen(t, Options{MaxRequests: 2})
	body := `{"name": "p", "definition": [{"granularity": 1}]}`
	var waiting []net.Conn
	for range 2 {
		conn := send(t, addr, fmt.Sprintf("%sExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", postHead, len(body)))
		if _, err := conn.Read(make([]byte, 64)); err != nil { // 100 Continue: the body is being read
			t.Fatal(err)
		}
		waiting = append(waiting, conn)
	}
	resp, text := receive(t, send(t, addr, "GET /v1/capabilities HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n"))
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "1" || !strings.Contains(text, "2 requests") {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, text)
	}
	for _, path := range []string{"/healthz", "/healthcheck", "/metrics"} {
		if resp, _ := receive(t, send(t, addr, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")); resp.StatusCode != 200 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	for i, conn := range waiting {
		io.WriteString(conn, body)
		if resp, text := receive(t, conn); resp.StatusCode != []int{201, 409}[i] {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
	}
	works(t, addr)
}

// TestBodyMemory has bodies that do not fit together: they are refused before they are read, and fit one after the other.
func TestBodyMemory(t *testing.T) {
	addr := listen(t, Options{MaxBodyBytes: 1 << 20, MaxBodies: 1 << 20})
	body := `{"name": "p", "definition": [{"granularity": 1}]}` + strings.Repeat(" ", 700<<10)
	head := fmt.Sprintf("%sExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", postHead, len(body))
	first := send(t, addr, head)
	if _, err := first.Read(make([]byte, 64)); err != nil {
		t.Fatal(err)
	}
	resp, text := receive(t, send(t, addr, head))
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !strings.Contains(text, `"code": 503`) {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, text)
	}
	works(t, addr)
	io.WriteString(first, body)
	if resp, text := receive(t, first); resp.StatusCode != 201 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, text := receive(t, send(t, addr, strings.Replace(head, "Expect: 100-continue\r\n", "", 1)+body)); resp.StatusCode != 409 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestSlowBody has clients that send a byte now and then: they are given up, and a slow one that keeps the pace is not.
func TestSlowBody(t *testing.T) {
	addr := listen(t, Options{Patience: 50 * time.Millisecond, MaxRequests: 8, ClientShare: 100})
	var wg sync.WaitGroup
	for range 8 {
		conn := send(t, addr, "")
		wg.Go(func() {
			_, _ = io.WriteString(conn, postHead+"Content-Length: 100000\r\n\r\n") // before the first blank
			for range 20 {                                                         // fails when the server has given up
				if _, err := conn.Write([]byte(" ")); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
		wg.Go(func() {
			if resp, text := receive(t, conn); resp.StatusCode != http.StatusRequestTimeout || !strings.Contains(text, "too slowly") {
				t.Errorf("%d %s", resp.StatusCode, text)
			}
		})
	}
	wg.Wait()
	works(t, addr)
	body := `{"name": "p", "definition": [{"granularity": 1}]}`
	if resp, text := receive(t, send(t, addr, fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", postHead, len(body), body))); resp.StatusCode != 201 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestLongWork: patience is for clients. An answer may take longer than that.
func TestLongWork(t *testing.T) {
	db := openDB(t, vfs.NewMem())
	defer db.Close()
	s := New(db, &Options{Patience: 10 * time.Millisecond})
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			http.Error(w, "given up", http.StatusInternalServerError)
		case <-time.After(200 * time.Millisecond):
			io.WriteString(w, "done")
		}
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: s.limited(next, gnocchi.WriteError)}
	go srv.Serve(ln)
	defer srv.Close()
	if resp, text := receive(t, send(t, ln.Addr().String(), postHead+"Content-Length: 2\r\n\r\n{}")); text != "done" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestSlowReader has a client that does not take its answer: writing it ends.
func TestSlowReader(t *testing.T) {
	db := openDB(t, vfs.NewMem())
	defer db.Close()
	s := New(db, &Options{Patience: 50 * time.Millisecond})
	ended := make(chan error, 1)
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		piece := make([]byte, 1<<10)
		for {
			if _, err := w.Write(piece); err != nil {
				ended <- err
				return
			}
		}
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: s.limited(next, gnocchi.WriteError)}
	go srv.Serve(ln)
	defer srv.Close()
	send(t, ln.Addr().String(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-ended
}

// TestGreedyClient has one client take its share of the places, and of the memory: it is told so by 429, others are served, and only when there
// is no room for anybody is the answer 503.
func TestGreedyClient(t *testing.T) {
	from := func(addr, client, rest string) net.Conn {
		return send(t, addr, "POST /v1/archive_policy HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: "+client+", 10.9.9.9\r\nAuthorization: Basic YWRtaW46\r\n"+
			"Accept: application/json\r\nContent-Type: application/json\r\n"+rest)
	}
	begins := func(addr, client string, length int) {
		t.Helper()
		conn := from(addr, client, fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", length))
		if _, err := conn.Read(make([]byte, 64)); err != nil { // 100 Continue: the body is being read
			t.Fatal(err)
		}
	}
	refused := func(addr, client string, length, status int, text string) {
		t.Helper()
		resp, body := receive(t, from(addr, client, fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", length)))
		if resp.StatusCode != status || resp.Header.Get("Retry-After") != "1" || !strings.Contains(body, text) {
			t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
		}
	}
	places := listen(t, Options{MaxRequests: 4, ClientShare: 50, ProxyHeaders: true})
	begins(places, "10.0.0.1", 10)
	begins(places, "10.0.0.1", 10)
	refused(places, "10.0.0.1", 10, 429, `"Address 10.0.0.1 has 2 requests under way, the most that one client may have (client-share)`)
	begins(places, "10.0.0.2", 10)
	begins(places, "10.0.0.2", 10)
	refused(places, "10.0.0.3", 10, 503, "The server has 4 requests under way")

	memory := listen(t, Options{MaxBodyBytes: 1 << 20, MaxBodies: 3 << 20, ClientShare: 50, ProxyHeaders: true})
	begins(memory, "10.0.0.1", 900<<10)
	refused(memory, "10.0.0.1", 900<<10, 429, "bodies take 921600 bytes of")
	begins(memory, "10.0.0.1", 600<<10)
	begins(memory, "10.0.0.2", 900<<10)
	refused(memory, "10.0.0.3", 900<<10, 503, "too much to do")
}
