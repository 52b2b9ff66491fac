package limit

import (
	"io"
	"net/http"
	"time"
)

// pace is what is asked of clients, in bytes a second.
const pace = 16 << 10

// clock says when so many bytes have to have passed: a client may stall for patience in all, on top of the time at pace.
type clock struct {
	begin    time.Time
	patience time.Duration
	deadline time.Time // the last that was set
}

// move calls set with the time when so many bytes have to have passed, unless that is hardly later than the last one: setting
// a deadline costs more than reading what is there already.
func (c *clock) move(bytes int64, set func(time.Time) error) {
	due := c.begin.Add(c.patience + time.Duration(float64(bytes)/pace*float64(time.Second)))
	if due.Sub(c.deadline) > c.patience/16 {
		c.deadline = due
		_ = set(due) // not every connection has deadlines: a recorder in a test has none
	}
}

// Body wraps the body of a request: reading from a client that sends slower than is asked of one, and stalls for longer than
// patience in all, fails with os.ErrDeadlineExceeded.
func Body(w http.ResponseWriter, body io.ReadCloser, patience time.Duration) io.ReadCloser {
	if body == nil || body == http.NoBody {
		return body
	}
	return &pacedBody{ReadCloser: body, ctl: http.NewResponseController(w), clock: clock{begin: time.Now(), patience: patience}}
}

type pacedBody struct {
	io.ReadCloser
	ctl   *http.ResponseController
	read  int64
	clock clock
}

// Read implements io.Reader.
func (b *pacedBody) Read(p []byte) (int, error) {
	b.clock.move(b.read, b.ctl.SetReadDeadline)
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if err == io.EOF {
		_ = b.ctl.SetReadDeadline(time.Time{}) // or the server would take the client for gone while it is served
	}
	return n, err
}

// Writer wraps what an answer is written to: writing to a client that takes it slower than is asked of one, and lets a piece of it
// wait for longer than patience, fails.
func Writer(w http.ResponseWriter, patience time.Duration) http.ResponseWriter {
	return &pacedWriter{ResponseWriter: w, ctl: http.NewResponseController(w), clock: clock{patience: patience}}
}

type pacedWriter struct {
	http.ResponseWriter
	ctl   *http.ResponseController
	clock clock
}

// Write implements http.ResponseWriter. The time counts from now on: what was written before may still be in the buffers of the
// connection, so that how much it was says little about the client.
func (w *pacedWriter) Write(p []byte) (int, error) {
	w.clock.begin = time.Now()
	w.clock.move(int64(len(p)), w.ctl.SetWriteDeadline)
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
