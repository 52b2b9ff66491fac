package events

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/telemetrydb/tsdb/server/simplequery"
)

// apiError is an answer that is not a success.
type apiError struct {
	status int
	text   string
	allow  string // methods, with 405
}

func (e *apiError) Error() string { return strconv.Itoa(e.status) + " " + e.text }

func noRoute() error {
	return &apiError{status: http.StatusNotFound, text: "The resource could not be found."}
}

func invalid(name, value, reason string) error { return simplequery.Invalid(name, value, reason) }

// statusOf returns the answer for an error that is about the request; nil: it is not.
func statusOf(err error) *apiError {
	var api *apiError
	var bad *simplequery.Error
	switch {
	case errors.As(err, &api):
		return api
	case errors.As(err, &bad):
		return &apiError{status: http.StatusBadRequest, text: bad.Text}
	}
	return nil
}

func writeError(w http.ResponseWriter, e *apiError) {
	fault := "Client"
	if e.status >= 500 {
		fault = "Server"
	}
	header := w.Header()
	if e.allow != "" {
		header.Set("Allow", e.allow)
	}
	type message struct {
		Code   string  `json:"faultcode"`
		Text   string  `json:"faultstring"`
		Detail *string `json:"debuginfo"`
	}
	b, err := json.Marshal(map[string]message{"error_message": {fault, e.text, nil}})
	if err != nil { // texts are always representable
		b = nil
	}
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(e.status)
	w.Write(b) // a client that is gone need not be told
}
