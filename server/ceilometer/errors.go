package ceilometer

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/body"
	"github.com/telemetrydb/tsdb/server/limit"
	"github.com/telemetrydb/tsdb/server/simplequery"
)

// apiError is an answer that is not a success.
type apiError struct {
	status    int
	text      string
	allow     string // methods, with 405
	challenge string // how to say who asks, with 401
	retry     int    // seconds, with 503
	cause     error  // of a status from 500 up, for the log
}

func (e *apiError) Error() string { return strconv.Itoa(e.status) + " " + e.text }

func (e *apiError) Unwrap() error { return e.cause }

func fail(status int, text string) error { return &apiError{status: status, text: text} }

func badRequest(text string) error { return fail(http.StatusBadRequest, text) }

func invalid(name, value, reason string) error { return simplequery.Invalid(name, value, reason) }

func noRoute() error { return fail(http.StatusNotFound, "The resource could not be found.") }

func notAuthorized(project string) error {
	return fail(http.StatusUnauthorized, "Not Authorized to access project "+project)
}

// What clients are asked to wait, in seconds, when the database takes no writes, and when the server has too much to do.
const (
	retrySeconds = 30
	busySeconds  = 1
)

// statusOf turns an error into the answer for it.
func statusOf(gate *auth.Gate, err error) *apiError {
	var api *apiError
	var bad *simplequery.Error
	var unread *body.Error
	var unavailable *auth.UnavailableError
	var over *query.LimitError
	var e *engine.Error
	switch {
	case errors.As(err, &api):
		return api
	case errors.As(err, &bad):
		return &apiError{status: http.StatusBadRequest, text: bad.Text}
	case errors.Is(err, body.ErrSyntax):
		return &apiError{status: http.StatusBadRequest, text: "Request is not in valid JSON format"}
	case errors.As(err, &unread):
		return &apiError{status: unread.Status, text: unread.Text}
	case errors.Is(err, auth.ErrUnauthenticated):
		return &apiError{status: http.StatusUnauthorized, text: "Authentication required", challenge: gate.Challenge()}
	case errors.Is(err, auth.ErrForbidden):
		return &apiError{status: http.StatusForbidden, text: "RBAC Authorization Failed"}
	case errors.As(err, &unavailable):
		return &apiError{status: http.StatusServiceUnavailable, retry: max(1, int((unavailable.RetryAfter+time.Second-1)/time.Second)),
			text: "The identity service does not answer"}
	case errors.As(err, &over):
		if over.Unit == "milliseconds" { // perhaps others need the processors now
			return &apiError{status: http.StatusServiceUnavailable, retry: retrySeconds, text: over.Error()}
		}
		return &apiError{status: http.StatusBadRequest, text: over.Error()}
	case errors.As(err, &e) && errors.Is(e, engine.ErrInvalid):
		return &apiError{status: http.StatusBadRequest, text: e.Error()}
	}
	return unavailableFor(err)
}

// unavailableFor answers for what is no fault of the request.
func unavailableFor(err error) *apiError {
	out := &apiError{status: http.StatusServiceUnavailable, retry: retrySeconds, cause: err}
	var share *limit.ShareError
	if errors.As(err, &share) {
		return &apiError{status: http.StatusTooManyRequests, retry: busySeconds, text: share.Error()}
	}
	switch {
	case errors.Is(err, engine.ErrFull):
		out.text = "No space left to store this: reading goes on"
	case errors.Is(err, engine.ErrReadOnly):
		out.text = "The database is read-only after a failure: reading goes on"
	case errors.Is(err, engine.ErrClosed):
		out.text = "The server is shutting down"
	case errors.Is(err, limit.ErrBusy):
		out.retry, out.cause, out.text = busySeconds, nil, "The server has too much to do at once: try again"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		out.text = "The request was given up"
	default:
		return &apiError{status: http.StatusInternalServerError, text: "The server failed on this request", cause: err}
	}
	return out
}

// WriteError answers a request with an error as this API represents them: a status from 400 up, a text, and a time after which to try
// again, 0: none is told. It is for what stands in front of the API or beside it.
func WriteError(w http.ResponseWriter, _ *http.Request, status int, text string, retryAfter time.Duration) {
	writeError(w, &apiError{status: status, text: text, retry: int((retryAfter + time.Second - 1) / time.Second)})
}

// WriteErrorOf answers a request with the error that a gate, the database or limits gave, as this API represents it.
func WriteErrorOf(w http.ResponseWriter, gate *auth.Gate, err error) {
	writeError(w, statusOf(gate, err))
}

func writeError(w http.ResponseWriter, e *apiError) {
	header := w.Header()
	if e.allow != "" {
		header.Set("Allow", e.allow)
	}
	if e.retry > 0 {
		header.Set("Retry-After", strconv.Itoa(e.retry))
	}
	if e.challenge != "" {
		header.Set("WWW-Authenticate", e.challenge)
	}
	if e.status == http.StatusRequestEntityTooLarge || e.status == http.StatusRequestTimeout {
		header.Set("Connection", "close") // rather than read the rest of it
	}
	fault := "Client"
	if e.status >= 500 {
		fault = "Server"
	}
	b := append([]byte(nil), `{"error_message": {"faultcode": "`+fault+`", "faultstring": `...)
	b = append(appendText(b, e.text), `, "debuginfo": null}}`...)
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(e.status)
	w.Write(b) // a client that is gone need not be told
}
