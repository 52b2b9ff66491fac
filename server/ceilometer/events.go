package ceilometer

import (
	"net/http"
	"strings"

	"github.com/telemetrydb/tsdb/server/events"
)

// newEvents gives the part of the API that is about events.
func (h *handler) newEvents() http.Handler {
	return events.New(h.db, &events.Options{
		Caller: func(r *http.Request) (events.Caller, error) {
			who, err := identify(r, h.o.Gate)
			c := events.Caller{Admin: who.admin}
			if who.user != nil {
				c.UserID = *who.user
			}
			if who.project != nil {
				c.ProjectID = *who.project
			}
			return c, err
		},
		Fail: func(w http.ResponseWriter, r *http.Request, err error) {
			e := statusOf(h.o.Gate, err)
			if e.status >= 500 && e.cause != nil && r.Context().Err() == nil {
				h.o.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "status", e.status, "err", err)
			}
			writeError(w, e)
		},
		Limit:  h.o.DefaultLimit,
		Logger: h.o.Logger,
	})
}

// isEvents tells whether a path is about events.
func isEvents(path string) bool {
	for _, at := range []string{"/v2/events", "/v2/event_types"} {
		if rest, ok := strings.CutPrefix(path, at); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}
