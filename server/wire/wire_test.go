package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const patient = 30 * time.Second

// served is a Server with a listener, and what came of its Serve.
type served struct {
	*Server
	addr  string
	ended chan error
}

// serve serves h until the test ends.
func serve(t *testing.T, h http.Handler, with func(s *http.Server)) *served {
	t.Helper()
	before := goleak.IgnoreCurrent()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	if with != nil {
		with(hs)
	}
	s := &served{New(hs), ln.Addr().String(), make(chan error, 1)}
	go func() { s.ended <- s.Serve(ln) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-s.ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
		goleak.VerifyNone(t, before)
	})
	return s
}

func dial(t *testing.T, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patient))
	return conn, bufio.NewReader(conn)
}

// odd answers as its path says.
func odd(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	switch r.URL.Path {
	case "/echo":
		b, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s %d %v %v %q", r.Method, r.Host, r.RequestURI, r.Proto, r.ContentLength, r.Header, err, b)
	case "/nothing", "/unread":
	case "/status":
		status, _ := strconv.Atoi(r.URL.RawQuery)
		w.WriteHeader(status)
		w.WriteHeader(500) // comes too late
		_, err := io.WriteString(w, "a body")
		header.Set("X-Late", fmt.Sprint(err))
	case "/long":
		n, _ := strconv.Atoi(r.URL.RawQuery)
		header.Set("Content-Type", "text/x")
		for range n {
			io.WriteString(w, strings.Repeat("0123456789abcdef", 1000))
		}
	case "/declared":
		header["X-Many"] = []string{"a", "b\r\nInjected: c"}
		header.Set("Content-Length", "300000")
		w.Write(bytes.Repeat([]byte{'x'}, 100000))
		w.Write(bytes.Repeat([]byte{'y'}, 200000))
		if _, err := w.Write([]byte{'z'}); !errors.Is(err, http.ErrContentLength) {
			panic(err)
		}
	case "/short":
		header.Set("Content-Length", "10")
		io.WriteString(w, "short")
	case "/html":
		io.WriteString(w, "<html><body>")
	case "/untyped":
		header["Content-Type"], header["Date"] = nil, nil
		io.WriteString(w, "<html><body>")
	case "/packed":
		header.Set("Content-Encoding", "gzip")
		io.WriteString(w, "<html><body>")
	case "/close":
		header.Set("Connection", "close")
		header.Set("Content-Type", "text/x")
		io.WriteString(w, "bye")
	case "/flush":
		io.WriteString(w, "one ")
		http.NewResponseController(w).Flush()
		io.WriteString(w, "two")
	case "/flush-first":
		http.NewResponseController(w).Flush()
		io.WriteString(w, "after")
	case "/panic":
		panic("at the disco")
	case "/abort":
		io.WriteString(w, "half")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	default:
		http.NotFound(w, r)
	}
}

// request is the text of a request with the headers that have to be there.
func request(method, target, body string, headers ...string) string {
	s := method + " " + target + " HTTP/1.1\r\nHost: a.example:80\r\n"
	for _, h := range headers {
		s += h + "\r\n"
	}
	if body != "" {
		s += "Content-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	return s + "\r\n" + body
}

// answerTo sends a text, and tells what comes back for each of n requests in it, and then of the connection.
func answerTo(t *testing.T, addr, text string, n int) (all []string) {
	t.Helper()
	conn, r := dial(t, addr)
	go io.WriteString(conn, text) // the server may answer before it has read everything
	for range n {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return append(all, "no answer")
		}
		body, err := io.ReadAll(resp.Body)
		if resp.Header.Get("Date") == "" {
			all = append(all, "no date")
		}
		resp.Header.Del("Date")
		resp.Header.Del("Content-Length") // net/http measures bodies up to 2048 bytes alone, and sends the others in chunks
		all = append(all, fmt.Sprintf("%d %v close=%t %v %d %.300q", resp.StatusCode, resp.Header, resp.Close, err, len(body), body))
		if resp.Close {
			if _, err := r.ReadByte(); err != io.EOF {
				t.Errorf("after the last answer: %v", err)
			}
			return append(all, "closed")
		}
	}
	return all
}

// TestSameAnswers sends the same to net/http and to this package.
func TestSameAnswers(t *testing.T) {
	theirs := httptest.NewUnstartedServer(http.HandlerFunc(odd))
	theirs.Config.ErrorLog = log.New(io.Discard, "", 0)
	theirs.Start()
	defer theirs.Close()
	s := serve(t, http.HandlerFunc(odd), nil)
	get := func(target string, headers ...string) string { return request("GET", target, "", headers...) }
	for _, tc := range []struct {
		name, text string
		n          int
	}{
		{"get", get("/echo?a=b&c", "X: y", "x: z", "User-Agent: test"), 1},
		{"post", request("POST", "/echo", "a body", "Content-Type: text/plain"), 1},
		{"put, patch, delete", request("PUT", "/echo", "1") + request("PATCH", "/echo", "22") + request("DELETE", "/echo", "333"), 3},
		{"pipelined", get("/echo") + request("POST", "/echo", "abc") + get("/nothing") + get("/html"), 4},
		{"a long body", request("POST", "/echo", strings.Repeat("long ", 100_000)), 1},
		{"a body that nobody reads", request("POST", "/unread", strings.Repeat("x", 100_000)) + get("/echo"), 2},
		{"a long body that nobody reads", request("POST", "/unread", strings.Repeat("x", 1_000_000)) + get("/echo"), 2},
		{"head", request("HEAD", "/html", ""), 0},
		{"options", request("OPTIONS", "/echo", "") + get("/echo"), 2},
		{"options of everything", request("OPTIONS", "*", ""), 1},
		{"connect", request("CONNECT", "/echo", ""), 1},
		{"a method of its own", request("BREW", "/echo", "") + get("/nothing"), 2},
		{"an absolute target", get("http://other.example/echo"), 1},
		{"chunks", get("/nothing") + request("POST", "/echo", "", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n" + get("/echo"), 3},
		{"length and chunks", request("POST", "/echo", "0\r\n\r\n", "Transfer-Encoding: chunked"), 1},
		{"two lengths", request("POST", "/echo", "abc", "Content-Length: 5"), 1},
		{"equal lengths", request("POST", "/echo", "abc", "Content-Length: 3"), 1},
		{"a bad length", get("/echo", "Content-Length: +1"), 1},
		{"a long length", get("/echo", "Content-Length: 99999999999999999999"), 1},
		{"a negative length", get("/echo", "Content-Length: -1"), 1},
		{"no host", "GET /echo HTTP/1.1\r\n\r\n", 1},
		{"two hosts", get("/echo", "Host: b"), 1},
		{"a bad host", "GET /echo HTTP/1.1\r\nHost: a b\r\n\r\n", 1},
		{"an empty host", "GET /echo HTTP/1.1\r\nHost:\r\n\r\n", 1},
		{"a bad name", get("/echo", "X y: z"), 1},
		{"a blank before the colon", get("/echo", "X : z"), 1},
		{"a bad value", get("/echo", "X: a\x01b"), 1},
		{"a folded line", get("/echo", "X: a", " b"), 1},
		{"bare line feeds", "GET /echo HTTP/1.1\nHost: a\n\n", 1},
		{"a bare line feed in a value", get("/echo", "X: a\nY: b"), 1},
		{"a bad target", get("/echo%zz"), 1},
		{"a blank in the target", get("/echo a"), 1},
		{"letters beyond ASCII", get("/echo?ä", "X: ä"), 1},
		{"no request", "nonsense\r\n\r\n", 1},
		{"an old client", "GET /echo HTTP/1.0\r\nHost: a\r\n\r\n", 1},
		{"an old client that stays", "GET /nothing HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n" + get("/nothing"), 2},
		{"a client that goes", get("/echo", "Connection: close") + get("/echo"), 2},
		{"a client that stays", get("/echo", "Connection: Keep-Alive") + get("/echo"), 2},
		{"an expectation", request("POST", "/unread", "abc", "Expect: 100-continue"), 0},
		{"a long head", get("/echo", "X: "+strings.Repeat("x", 10_000)) + get("/nothing"), 2},
		{"too long a head", get("/echo", "X: "+strings.Repeat("x", 2<<20)), 1},
		{"statuses", get("/status?204") + get("/status?304") + get("/status?404") + get("/status?599"), 4},
		{"long answers", get("/long?1") + get("/long?4") + get("/long?5") + get("/long?30") + get("/echo"), 5},
		{"a declared length", get("/declared") + get("/echo"), 2},
		{"too short an answer", get("/short"), 1},
		{"types", get("/html") + get("/packed"), 2},
		{"no type and no date", get("/untyped"), 1},
		{"an answer that closes", get("/close") + get("/echo"), 2},
		{"flushed", get("/flush") + get("/flush-first") + get("/echo"), 3},
		{"a panic", get("/nothing") + get("/panic"), 2},
		{"half an answer", get("/abort"), 1},
		{"not found", get("/else"), 1},
	} {
		want, got := answerTo(t, theirs.Listener.Addr().String(), tc.text, tc.n), answerTo(t, s.addr, tc.text, tc.n)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\n got %q\nwant %q", tc.name, got, want)
		}
	}
}

// TestPieces sends requests in pieces, which net/http then serves.
func TestPieces(t *testing.T) {
	s := serve(t, http.HandlerFunc(odd), nil)
	for _, cut := range []int{1, 10, 60} {
		conn, r := dial(t, s.addr)
		text := request("POST", "/echo", "hello", "X: y")
		for _, part := range []string{request("GET", "/nothing", "") + text[:cut], text[cut:]} {
			io.WriteString(conn, part)
			if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 200 {
				t.Errorf("cut at %d: %v %v", cut, resp, err)
			} else {
				io.Copy(io.Discard, resp.Body)
			}
		}
	}
}

// TestGone has clients leave while their requests take long: the handlers' contexts end. Those that stay, and send more meanwhile, are served.
func TestGone(t *testing.T) {
	began, ended := make(chan bool, 1), make(chan error, 1)
	var leave atomic.Bool
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, own := w.(*answer); !own {
			t.Errorf("%s %s was handed over", r.Method, r.URL)
		}
		io.Copy(io.Discard, r.Body)
		if r.URL.Path != "/wait" {
			return
		}
		began <- true
		wait := 3 * watchAfter
		if leave.Load() {
			wait = patient
		}
		select {
		case <-r.Context().Done():
			ended <- context.Cause(r.Context())
		case <-time.After(wait):
			ended <- nil
		}
	}), nil)
	for _, text := range []string{request("GET", "/wait", ""), request("POST", "/wait", "body")} {
		leave.Store(true)
		conn, _ := dial(t, s.addr)
		io.WriteString(conn, text)
		<-began
		conn.Close()
		if err := <-ended; err == nil {
			t.Error("a client that is gone is waited for")
		}
		leave.Store(false)
		conn, r := dial(t, s.addr)
		for range 2 {
			io.WriteString(conn, text)
			<-began
			time.Sleep(2 * watchAfter)
			io.WriteString(conn, request("POST", "/x", "more"))
			if err := <-ended; err != nil {
				t.Error("a client that stays:", err)
			}
			for range 2 {
				if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 200 {
					t.Fatal(resp, err)
				}
			}
		}
	}
}

// TestContextEnds: the context of a request ends with it.
func TestContextEnds(t *testing.T) {
	contexts := make(chan context.Context, 1)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.RemoteAddr == "" || r.Context().Value(http.ServerContextKey) == nil {
			t.Errorf("address %q", r.RemoteAddr)
		}
		contexts <- r.Context()
	}), nil)
	answerTo(t, s.addr, request("GET", "/", ""), 1)
	<-(<-contexts).Done()
}

// TestTimeouts: connections on which nothing comes, or not all, end.
func TestTimeouts(t *testing.T) {
	const short = 50 * time.Millisecond
	s := serve(t, http.HandlerFunc(odd), func(s *http.Server) { s.ReadHeaderTimeout, s.IdleTimeout, s.ReadTimeout = short, short, short })
	for _, text := range []string{"", "GET / HT", request("GET", "/nothing", ""), "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na"} {
		conn, r := dial(t, s.addr)
		io.WriteString(conn, text)
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestShutdown ends connections that wait, and waits for those that do not.
func TestShutdown(t *testing.T) {
	began, proceed := make(chan bool), make(chan bool)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			began <- true
			<-proceed
		}
	}), nil)
	_, fresh := dial(t, s.addr)
	conn, waiting := dial(t, s.addr)
	io.WriteString(conn, request("GET", "/", ""))
	if _, err := http.ReadResponse(waiting, nil); err != nil {
		t.Fatal(err)
	}
	conn, working := dial(t, s.addr)
	io.WriteString(conn, request("GET", "/wait", ""))
	<-began
	brief, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(brief); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a request is under way: %v", err)
	}
	for name, r := range map[string]*bufio.Reader{"fresh": fresh, "waiting": waiting} {
		if _, err := r.ReadByte(); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(t.Context()) }()
	proceed <- true
	if resp, err := http.ReadResponse(working, nil); err != nil || !resp.Close {
		t.Errorf("%v %v", resp, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := net.DialTimeout("tcp", s.addr, time.Second); err == nil {
		t.Error("the listener is open")
	}
}
