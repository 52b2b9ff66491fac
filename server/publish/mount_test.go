package publish

import (
	"net/http"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/limit"
)

// A publisher whose token is not even looked at, because the server or the identity service has too much to do, is not told that it is
// wrong: it may come again.
func TestBesideTellsWhy(t *testing.T) {
	h := newHouse(t, nil)
	for _, tc := range []struct {
		name, user string
		gate       error
		want       int
		header     string // that the answer has
	}{
		{"an administrator", "admin", nil, http.StatusBadRequest, ""},
		{"somebody else", "joe", nil, http.StatusForbidden, ""},
		{"nobody", "", nil, http.StatusUnauthorized, "WWW-Authenticate"},
		{"a busy server", "admin", limit.ErrBusy, http.StatusServiceUnavailable, "Retry-After"},
		{"somebody who has too much", "admin", &limit.ShareError{}, http.StatusTooManyRequests, "Retry-After"},
		{"no identity service", "admin", &auth.UnavailableError{RetryAfter: time.Second}, http.StatusServiceUnavailable, "Retry-After"},
	} {
		gate := auth.NewGate(nil, nil).Admitting(func(*http.Request, *auth.Caller) error { return tc.gate })
		headers := []string{"Content-Type", "application/json"}
		if r := (&http.Request{Header: http.Header{}}); tc.user != "" {
			r.SetBasicAuth(tc.user, "")
			headers = append(headers, "Authorization", r.Header.Get("Authorization"))
		}
		w := post(h.Beside(gate)[PathPublish], PathPublish, "no JSON", headers...)
		if w.Code != tc.want || tc.header != "" && w.Header().Get(tc.header) == "" {
			t.Errorf("%s: %d %v %s, want %d", tc.name, w.Code, w.Header(), w.Body, tc.want)
		}
	}
}
