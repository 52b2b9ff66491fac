package publish

import (
	"errors"
	"net/http"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/body"
	"github.com/telemetrydb/tsdb/server/limit"
)

// peerText is who sends a request.
type peerText string

func (p peerText) String() string { return string(p) }

// received is the body of a request, and what is left of it to be parsed. Nothing made of it may be a part of bytes after its release.
type received struct {
	*body.Body
	bytes []byte
}

// statusError is an answer other than success.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

// receive reads a body, compressed with gzip or not. The caller releases it.
func (d *Doors) receive(r *http.Request) (received, error) {
	b, err := body.Read(r, d.o.MaxBodyBytes, d.o.Budget, "gzip")
	if err != nil {
		return received{}, err
	}
	return received{b, b.Bytes()}, nil
}

// answerTo gives the status and text that an error is answered with; retry: the sender should come again.
func answerTo(err error) (status int, text string, retry bool) {
	var s *statusError
	var unread *body.Error
	var refusal *Refusal
	var share *limit.ShareError
	var unavailable *auth.UnavailableError
	switch {
	case errors.As(err, &s):
		return s.status, s.text, false
	case errors.As(err, &unread):
		return unread.Status, unread.Text, false
	case errors.As(err, &refusal):
		return http.StatusBadRequest, refusal.Detail, false
	case errors.Is(err, auth.ErrUnauthenticated):
		return http.StatusUnauthorized, "This server could not verify that you are authorized to access the document you requested.", false
	case errors.As(err, &unavailable):
		return http.StatusServiceUnavailable, "The identity service does not answer", true
	case errors.As(err, &share):
		return http.StatusTooManyRequests, share.Error(), true
	case errors.Is(err, limit.ErrBusy):
		return http.StatusServiceUnavailable, "The server is busy: try again", true
	case errors.Is(err, engine.ErrFull):
		return http.StatusInsufficientStorage, "The disk is full", true
	case errors.Is(err, engine.ErrReadOnly), errors.Is(err, engine.ErrClosed):
		return http.StatusServiceUnavailable, "The database takes no writes", true
	}
	return http.StatusInternalServerError, "The server failed", false
}
