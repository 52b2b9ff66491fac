package wire

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strconv"
	"testing"
)

func TestPlain(t *testing.T) {
	f := func(head string, want bool) {
		t.Helper()
		if got := plain([]byte(head)); got != want {
			t.Errorf("%q: %t", head, got)
		}
	}
	f("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true)
	f("POST /a?b HTTP/1.1\r\nhost:[::1]:80\r\nContent-Length: 12\r\nX-Y:\r\nConnection: Keep-Alive\r\n\r\n", true)
	for _, more := range []string{"Host: b", "Transfer-Encoding: chunked", "transfer-encoding : x", "Expect: x", "Upgrade: h2c", "Trailer: X", "Connection: close",
		"Connection: keep-alive, upgrade", "Content-Length: 1\r\nContent-Length: 1", "Content-Length:", "Content-Length: 1, 1", "Content-Length: 0x1",
		"Content-Length: 1234567890123456", "X", ": x", " X: y", "X\t: y", "X: \x00", "X: \x7f", "X: a\nb", "X: a\rb"} {
		f("GET / HTTP/1.1\r\nHost: a\r\n"+more+"\r\n\r\n", false)
	}
	for _, line := range []string{"", "GET", "GET /", "GET / HTTP/1.0", "GET / HTTP/2.0", "get / HTTP/1.1", "HEAD / HTTP/1.1", "OPTIONS / HTTP/1.1", "CONNECT / HTTP/1.1",
		"GET * HTTP/1.1", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET /a b HTTP/1.1", "GET http://a/ HTTP/1.1", " GET / HTTP/1.1", "GET /\x01 HTTP/1.1"} {
		f(line+"\r\nHost: a\r\n\r\n", false)
	}
	for _, head := range []string{"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n", "\r\n\r\n", ""} {
		f(head, false)
	}
}

// FuzzPlain: net/http reads what is plain as this package does, or refuses it.
func FuzzPlain(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\nmore"))
	f.Add([]byte("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX: y\r\n\r\nabc"))
	f.Add([]byte("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, came []byte) {
		n := headLength(came)
		if n == 0 || !plain(came[:n]) {
			return
		}
		in := bufio.NewReaderSize(bytes.NewReader(came), max(len(came), 16))
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if rest, _ := io.ReadAll(in); !bytes.Equal(rest, came[n:]) {
			t.Errorf("net/http leaves %q of %q", rest, came)
		}
		length := int64(0)
		if text := r.Header.Get("Content-Length"); text != "" {
			if length, err = strconv.ParseInt(text, 10, 64); err != nil {
				t.Errorf("length %q", text)
			}
		}
		if r.ContentLength != length || len(r.TransferEncoding) > 0 || len(r.Trailer) > 0 || r.Close || r.Host == "" || !r.ProtoAtLeast(1, 1) || r.URL.Path == "" {
			t.Errorf("%q: %+v", came, r)
		}
	})
}
