package direct

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTransport asks a server for answers of a known length, in chunks, empty ones, some that end the connection and some that never end.
func TestTransport(t *testing.T) {
	large, hang := bytes.Repeat([]byte("0123456789"), 50_000), make(chan struct{})
	var connections sync.Map
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connections.Store(r.RemoteAddr, true)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		switch r.URL.Path {
		case "/chunks":
			for part := range slices.Chunk(large, 10_000) {
				_, _ = w.Write(part)
			}
		case "/last":
			w.Header().Set("Connection", "close")
		case "/broken":
			_, _ = w.Write(large)
			panic(http.ErrAbortHandler)
		case "/hanging":
			_, _ = w.Write(large[:5])
			_ = http.NewResponseController(w).Flush()
			<-hang
		default:
			_, _ = fmt.Fprintf(w, "%s %s %d %s", r.Method, r.URL.RequestURI(), len(body), r.Header.Get("X-Of"))
		}
	}))
	defer s.Close()
	defer close(hang)
	c := &Transport{}
	defer c.Close()
	ask := func(method, path, body string) (string, error) {
		r, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Of", "test")
		a, err := c.RoundTrip(r)
		if err != nil {
			return "", err
		}
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		return string(text), err
	}
	for _, tt := range []struct {
		method, path, body string
		want               string
		connections        int // used by then
	}{
		{"GET", "/a?b=%20c", "", "GET /a?b=%20c 0 test", 1},
		{"POST", "/a", strings.Repeat("x", 300_000), "POST /a 300000 test", 1},
		{"GET", "/chunks", "", string(large), 1},
		{"GET", "/last", "", "", 1},
		{"PUT", "/a", "{}", "PUT /a 2 test", 2},
		{"GET", "/broken", "", "error", 2},
		{"GET", "/a", "", "GET /a 0 test", 3},
		{"GET", "/hanging", "", "error", 3},
		{"GET", "/a", "", "GET /a 0 test", 4},
	} {
		c.Timeout = time.Minute
		if tt.path == "/hanging" {
			c.Timeout = 50 * time.Millisecond
		}
		got, err := ask(tt.method, tt.path, tt.body)
		if (err != nil) != (tt.want == "error") || err == nil && got != tt.want {
			t.Errorf("%s %s: %.80q, %v, want %.80q", tt.method, tt.path, got, err, tt.want)
		}
		n := 0
		connections.Range(func(any, any) bool { n++; return true })
		if n != tt.connections {
			t.Errorf("%s %s: %d connections so far, want %d", tt.method, tt.path, n, tt.connections)
		}
	}

	r, err := http.NewRequest("GET", s.URL+"/chunks", nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Body.Close(); err != nil { // unread
		t.Error(err)
	}
	if got, err := ask("GET", "/a", ""); err != nil || got != "GET /a 0 test" {
		t.Errorf("after a body that was not read: %q, %v", got, err)
	}
}
