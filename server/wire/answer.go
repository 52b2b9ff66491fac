package wire

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How much of an answer is gathered before it is sent, and how much is worth sending from where it is rather than copying it.
const (
	gathered  = 64 << 10
	wholesale = 16 << 10
)

// An answer is gathered in buffers that are used again.
const maxPooled = 128 << 10

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// answer is what a handler writes to. It serves one goroutine, until the handler returns.
type answer struct {
	c       *conn
	header  http.Header
	status  int    // 0: WriteHeader was not called
	out     []byte // what is to be sent
	held    []byte // of a body whose length is not known
	open    bool   // the head is complete, so that held is nothing
	chunked bool
	typed   bool  // the head says what the body is, or may not
	dated   bool  // or when it was made
	bodied  bool  // the status allows a body
	length  int64 // of the body, as the handler said; -1: it did not
	written int64 // of the body
	closes  bool  // the connection ends with this answer
	err     error // of sending
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// framing is what is said of an answer here, not as the handler put it.
var framing = map[string]bool{"Content-Length": true, "Transfer-Encoding": true, "Connection": true}

// WriteHeader implements http.ResponseWriter. There are no informational answers.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status >= 100 && status < 200 {
		return
	}
	if status < 100 || status > 999 {
		panic("wire: invalid status " + strconv.Itoa(status))
	}
	a.status = status
	a.bodied = status != http.StatusNoContent && status != http.StatusNotModified
	a.out = append(a.out, "HTTP/1.1 "...)
	a.out = strconv.AppendInt(a.out, int64(status), 10)
	a.out = append(append(append(a.out, ' '), statusText(status)...), "\r\n"...)
	_ = a.header.WriteSubset(appender{&a.out}, framing) // to memory
	_, typed := a.header["Content-Type"]
	a.typed = typed || a.header.Get("Content-Encoding") != ""
	_, a.dated = a.header["Date"]
	if n, err := strconv.ParseInt(a.header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		a.length = n
	}
	for _, v := range a.header["Connection"] {
		a.closes = a.closes || strings.EqualFold(strings.TrimSpace(v), "close")
	}
}

func statusText(status int) string {
	if s := http.StatusText(status); s != "" {
		return s
	}
	return "status code " + strconv.Itoa(status)
}

// appender appends what is written to a slice.
type appender struct{ to *[]byte }

func (a appender) Write(p []byte) (int, error) {
	*a.to = append(*a.to, p...)
	return len(p), nil
}

// WriteString spares http.Header a copy.
func (a appender) WriteString(s string) (int, error) {
	*a.to = append(*a.to, s...)
	return len(s), nil
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	switch {
	case len(p) == 0:
		return 0, nil
	case !a.bodied:
		return 0, http.ErrBodyNotAllowed
	}
	if a.written += int64(len(p)); a.length >= 0 && a.written > a.length {
		return 0, http.ErrContentLength
	}
	if !a.open {
		if a.length < 0 && len(a.held)+len(p) <= gathered {
			a.held = append(a.held, p...)
			return len(p), nil
		}
		a.complete(p, false)
	}
	a.piece(p)
	if a.err != nil {
		return 0, a.err
	}
	return len(p), nil
}

// complete completes the head and moves what was held behind it. first is of the body; last: there is no more of it.
func (a *answer) complete(first []byte, last bool) {
	a.open = true
	if len(a.held) > 0 {
		first = a.held
	}
	switch {
	case a.length >= 0:
		a.line("Content-Length", strconv.FormatInt(a.length, 10))
	case !a.bodied:
	case last:
		a.line("Content-Length", strconv.Itoa(len(a.held)))
	default:
		a.chunked = true
		a.line("Transfer-Encoding", "chunked")
	}
	if !a.typed && len(first) > 0 {
		a.line("Content-Type", http.DetectContentType(first))
	}
	if !a.dated {
		a.out = append(time.Now().UTC().AppendFormat(append(a.out, "Date: "...), http.TimeFormat), "\r\n"...)
	}
	a.closes = a.closes || a.c.mustClose()
	if a.closes {
		a.line("Connection", "close")
	}
	a.out = append(a.out, "\r\n"...)
	if len(a.held) > 0 {
		a.piece(a.held)
	}
}

func (a *answer) line(name, value string) {
	a.out = append(append(append(append(a.out, name...), ": "...), value...), "\r\n"...)
}

// piece appends a piece of the body, and sends what has been gathered when that is enough.
func (a *answer) piece(p []byte) {
	if a.chunked {
		a.out = append(strconv.AppendInt(a.out, int64(len(p)), 16), "\r\n"...)
	}
	if len(p) >= wholesale && len(a.out)+len(p) > gathered {
		a.send(p)
	} else {
		a.out = append(a.out, p...)
	}
	if a.chunked {
		a.out = append(a.out, "\r\n"...)
	}
	if len(a.out) > gathered {
		a.send(nil)
	}
}

// send sends what has been gathered, and more.
func (a *answer) send(more []byte) {
	if a.err == nil && len(a.out)+len(more) > 0 {
		if len(more) == 0 {
			_, a.err = a.c.nc.Write(a.out)
		} else {
			both := net.Buffers{a.out, more}
			_, a.err = both.WriteTo(a.c.nc)
		}
		if a.err != nil {
			a.c.cancel() // as when the client is found to be gone
		}
	}
	a.out = a.out[:0]
}

// Flush implements http.Flusher.
func (a *answer) Flush() {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if !a.open {
		a.complete(nil, false)
		a.held = a.held[:0]
	}
	a.send(nil)
}

// SetReadDeadline is for http.ResponseController.
func (a *answer) SetReadDeadline(t time.Time) error { return a.c.nc.SetReadDeadline(t) }

// SetWriteDeadline is for http.ResponseController.
func (a *answer) SetWriteDeadline(t time.Time) error { return a.c.nc.SetWriteDeadline(t) }

// finish sends what is left. False: the connection has to end.
func (a *answer) finish() bool {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if !a.open {
		a.complete(nil, true)
	}
	if a.chunked {
		a.out = append(a.out, "0\r\n\r\n"...)
	}
	a.send(nil)
	wrong := a.bodied && a.length >= 0 && a.written != a.length // the client is to notice
	return a.err == nil && !wrong && !a.closes
}

// begin takes buffers, release gives them back.
func (a *answer) begin() {
	a.out, a.held = (*buffers.Get().(*[]byte))[:0], (*buffers.Get().(*[]byte))[:0]
}

func (a *answer) release() {
	for _, b := range [][]byte{a.out, a.held} {
		if cap(b) <= maxPooled {
			buffers.Put(&b)
		}
	}
	a.out, a.held = nil, nil
}
