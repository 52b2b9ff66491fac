package gnocchi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/server/body"
	"github.com/telemetrydb/tsdb/server/limit"
)

// apiError is an answer that is not a success.
type apiError struct {
	status int
	desc   any    // what appendJSON takes; "": no detail, nil: a path that leads nowhere
	allow  string // methods, with 405
	retry  int    // seconds, with 429 and 503
	cause  error  // of a status from 500 up, for the log

	challenge string // how to say who asks, with 401
}

func (e *apiError) Error() string {
	if e.cause != nil {
		return e.cause.Error()
	}
	return fmt.Sprintf("%d %s", e.status, appendPython(nil, e.desc))
}

func (e *apiError) Unwrap() error { return e.cause }

func fail(status int, desc any) error { return &apiError{status: status, desc: desc} }

func badRequest(desc any) error { return fail(http.StatusBadRequest, desc) }

func forbidden() error { return fail(http.StatusForbidden, "") }

func noRoute() error { return fail(http.StatusNotFound, nil) }

func notFound(format string, args ...any) error {
	return fail(http.StatusNotFound, fmt.Sprintf(format, args...))
}

// argumentError is what a wrong parameter of the query string gets.
func argumentError(param, reason string) error {
	return badRequest(object{{"cause", "Argument value error"}, {"detail", param}, {"reason", reason}})
}

func undecodable() *apiError {
	return &apiError{status: http.StatusBadRequest, desc: object{{"cause", "Unable to decode body"}, {"reason", "Expected object or value"}, {"detail", []any{}}}}
}

// retrySeconds is what clients are asked to wait when the database takes no writes.
const retrySeconds = 30

// busySeconds is what clients are asked to wait when the server has too much to do.
const busySeconds = 1

// statusOf turns an error into the answer for it. It is the one place that knows how the engine's kinds of errors look to
// a client of this dialect.
func statusOf(err error) *apiError {
	var api *apiError
	if errors.As(err, &api) {
		return api
	}
	var unread *body.Error
	switch {
	case errors.Is(err, body.ErrSyntax), errors.Is(err, body.ErrCompressed):
		return undecodable()
	case errors.As(err, &unread):
		return &apiError{status: unread.Status, desc: unread.Text}
	}
	var e *engine.Error
	if errors.As(err, &e) {
		if a := statusOfKind(e); a != nil {
			return a
		}
	}
	var over *query.LimitError
	if errors.As(err, &over) {
		return limitExceeded(over)
	}
	var share *limit.ShareError
	if errors.As(err, &share) {
		return &apiError{status: http.StatusTooManyRequests, retry: busySeconds, desc: share.Error()}
	}
	unavailable := &apiError{status: http.StatusServiceUnavailable, retry: retrySeconds, cause: err}
	switch {
	case errors.Is(err, engine.ErrFull):
		unavailable.desc = "No space left to store this: reading goes on"
	case errors.Is(err, engine.ErrReadOnly):
		unavailable.desc = "The database is read-only after a failure: reading goes on"
	case errors.Is(err, engine.ErrClosed):
		unavailable.desc = "The server is shutting down"
	case errors.Is(err, limit.ErrBusy):
		unavailable.retry, unavailable.cause = busySeconds, nil
		unavailable.desc = "The server has too much to do at once: try again"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		unavailable.desc = "The request was given up"
	default:
		return &apiError{status: http.StatusInternalServerError, desc: "", cause: err}
	}
	return unavailable
}

// statusOfKind answers for errors that name a thing; nil if the kind says nothing.
func statusOfKind(e *engine.Error) *apiError {
	answer := func(status int, text string) *apiError { return &apiError{status: status, desc: text} }
	switch {
	case isMoved(e):
		return &apiError{status: http.StatusServiceUnavailable, retry: busySeconds, desc: "The archive policy of a metric has been changed meanwhile: try again"}
	case errors.Is(e, engine.ErrNotFound):
		return answer(http.StatusNotFound, subject(e)+" does not exist")
	case errors.Is(e, engine.ErrExists):
		return answer(http.StatusConflict, subject(e)+" already exists")
	case errors.Is(e, engine.ErrInUse):
		return answer(http.StatusBadRequest, subject(e)+" is still in use")
	case errors.Is(e, engine.ErrUnsupported):
		return answer(http.StatusBadRequest, subject(e)+" does not support change: "+e.Detail)
	case errors.Is(e, engine.ErrInvalid):
		if e.Detail != "" {
			return answer(http.StatusBadRequest, e.Detail)
		}
		return answer(http.StatusBadRequest, subject(e)+" is invalid")
	}
	return nil
}

// subject names the thing as sentences of this API begin.
func subject(e *engine.Error) string {
	kind := string(e.Kind)
	if kind == "" {
		return e.Name
	}
	return string(kind[0]-'a'+'A') + kind[1:] + " " + e.Name
}

// asBadRequest makes a missing thing that a body referred to the body's fault: 400 with the text of the 404.
func asBadRequest(err error) error {
	if a := statusOf(err); a.status == http.StatusNotFound {
		return badRequest(a.desc)
	}
	return err
}

// isMoved tells whether a metric got another archive policy between the look at its policy and the reading of its points.
func isMoved(err error) bool {
	return isKind(err, engine.ErrNotFound, engine.KindGranularity) || isKind(err, engine.ErrNotFound, engine.KindMethod)
}

// isKind tells whether err says that a thing of that kind is missing or exists already.
func isKind(err error, what error, kind engine.Kind) bool {
	var e *engine.Error
	return errors.As(err, &e) && errors.Is(e, what) && e.Kind == kind
}
