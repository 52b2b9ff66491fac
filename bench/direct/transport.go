package direct

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

const bufferBytes = 64 << 10 // of either direction

// Transport is a http.RoundTripper for one http server: plain text, no proxy, no second try. An answer's body has to be read or closed before the next
// request. http.Client around it would start a goroutine a request again to watch its time, so RoundTrip is called as it is.
type Transport struct {
	Timeout time.Duration // of a request until the last byte of its answer

	conn   net.Conn // nil: none yet, or it has failed
	reader *bufio.Reader
	writer *bufio.Writer
}

// RoundTrip sends a request and returns its answer once the header of that has come. Errors are those of the connection; the next request opens another.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if t.conn == nil {
		conn, err := net.DialTimeout("tcp", r.URL.Host, t.Timeout)
		if err != nil {
			return nil, err
		}
		t.conn, t.reader, t.writer = conn, bufio.NewReaderSize(conn, bufferBytes), bufio.NewWriterSize(conn, bufferBytes)
	}
	answer, err := t.exchange(r)
	if err != nil {
		t.Close()
		return nil, err
	}
	answer.Body = &body{answer.Body, t, answer.Close}
	return answer, nil
}

func (t *Transport) exchange(r *http.Request) (*http.Response, error) {
	if err := t.conn.SetDeadline(time.Now().Add(t.Timeout)); err != nil {
		return nil, err
	}
	if err := r.Write(t.writer); err != nil {
		return nil, err
	}
	if err := t.writer.Flush(); err != nil {
		return nil, err
	}
	return http.ReadResponse(t.reader, r)
}

// Close gives back the connection.
func (t *Transport) Close() {
	if t.conn != nil {
		_ = t.conn.Close() // nothing is on its way that anybody waits for
		t.conn = nil
	}
}

// body gives the connection up when reading fails or the server said that this answer is the last.
type body struct {
	io.ReadCloser
	t    *Transport
	last bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && (b.last || err != io.EOF) {
		b.t.Close()
	}
	return n, err
}

// Close reads what is left, so that the connection is ready for the next request.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	if b.last || err != nil {
		b.t.Close()
	}
	return err
}
