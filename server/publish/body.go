package publish

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/limit"
)

// peerText is who sends a request.
type peerText string

func (p peerText) String() string { return string(p) }

// body is the body of a request, and the memory that it and what is made of it take from the budget. Nothing made of it may be a part of bytes
// after release.
type body struct {
	bytes  []byte
	memory *limit.Reader
	buffer *bytes.Buffer // of bytes, for the next request
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooledBody is the largest buffer that is kept for the next request.
const maxPooledBody = 1 << 20

func (b *body) release() {
	if b.memory != nil {
		b.memory.Release()
	}
	if b.buffer != nil && b.buffer.Cap() <= maxPooledBody {
		buffers.Put(b.buffer)
	}
	b.bytes, b.buffer = nil, nil
}

// statusError is an answer other than success.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

// readBody reads a body, compressed with gzip or not. The caller releases it. Errors are *statusError or limit.ErrBusy.
func (d *Doors) readBody(r *http.Request) (b body, err error) {
	most := d.o.MaxBodyBytes
	tooLarge := &statusError{http.StatusRequestEntityTooLarge, "The request body is larger than is taken"}
	if r.ContentLength > most {
		return b, tooLarge
	}
	var src io.Reader = r.Body
	expected := r.ContentLength
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(io.LimitReader(r.Body, most))
		if err != nil {
			return b, &statusError{http.StatusBadRequest, "The request body cannot be decompressed"}
		}
		src, expected = z, 0
	default:
		return b, &statusError{http.StatusUnsupportedMediaType, "Content encoding " + quoted(encoding) + " is not supported"}
	}
	if b.memory, err = limit.NewReader(src, d.o.Budget, expected); err != nil {
		return b, err
	}
	defer func() {
		if err != nil {
			b.release()
		}
	}()
	b.buffer = buffers.Get().(*bytes.Buffer)
	b.buffer.Reset()
	b.buffer.Grow(int(min(max(expected, 0), maxPooledBody/2)) + bytes.MinRead) // a client may promise more than it sends
	n, err := b.buffer.ReadFrom(io.LimitReader(b.memory, most+1))
	switch {
	case n > most:
		return b, tooLarge
	case errors.Is(err, limit.ErrBusy):
		return b, err
	case err != nil:
		return b, &statusError{http.StatusBadRequest, "The request body cannot be read"}
	}
	b.bytes = b.buffer.Bytes()
	return b, nil
}

// answerTo gives the status and text that an error is answered with; retry: the sender should come again.
func answerTo(err error) (status int, text string, retry bool) {
	var s *statusError
	var refusal *Refusal
	var share *limit.ShareError
	var unavailable *auth.UnavailableError
	switch {
	case errors.As(err, &s):
		return s.status, s.text, false
	case errors.As(err, &refusal):
		return http.StatusBadRequest, refusal.Detail, false
	case errors.Is(err, auth.ErrUnauthenticated):
		return http.StatusUnauthorized, "This server could not verify that you are authorized to access the document you requested.", false
	case errors.As(err, &unavailable):
		return http.StatusServiceUnavailable, "The identity service does not answer", true
	case errors.As(err, &share):
		return http.StatusTooManyRequests, share.Error(), true
	case errors.Is(err, limit.ErrLarge):
		return http.StatusRequestEntityTooLarge, "The request takes more memory than there may be for all of them", false
	case errors.Is(err, limit.ErrBusy):
		return http.StatusServiceUnavailable, "The server is busy: try again", true
	case errors.Is(err, engine.ErrFull):
		return http.StatusInsufficientStorage, "The disk is full", true
	case errors.Is(err, engine.ErrReadOnly), errors.Is(err, engine.ErrClosed):
		return http.StatusServiceUnavailable, "The database takes no writes", true
	}
	return http.StatusInternalServerError, "The server failed", false
}
