package server

import (
	"fmt"
	"net/http"
	"time"

	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/limit"
)

// busyRetry is when those who found the server busy are asked to come again.
const busyRetry = time.Second

// writeError answers with an error as an API represents it.
type writeError func(w http.ResponseWriter, r *http.Request, status int, description string, retryAfter time.Duration)

// limited serves requests up to the limits and refuses the others at once.
func (s *Server) limited(next http.Handler, refuse writeError) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.RawQuery) > s.o.MaxQueryBytes {
			refuse(w, r, http.StatusRequestURITooLong,
				fmt.Sprintf("The query string is longer than the limit of %d bytes", s.o.MaxQueryBytes), 0)
			return
		}
		if r.URL.Path == s.o.Prefix+"/healthcheck" { // it is asked most when there is much to do
			next.ServeHTTP(w, r)
			return
		}
		if !s.busy.Enter() {
			refuse(w, r, http.StatusServiceUnavailable,
				fmt.Sprintf("The server has %d requests under way, the most it takes: try again", s.o.MaxRequests), busyRetry)
			return
		}
		defer s.busy.Leave()
		ctx, guest := s.shares.Enter(r.Context())
		defer guest.Leave()
		own := r.WithContext(ctx) // a copy: the HTTP server wants to find its own body in r
		own.Body = limit.Body(w, r.Body, s.o.Patience)
		defer func() { r.Pattern = own.Pattern }()
		next.ServeHTTP(limit.Writer(w, s.o.Patience), own)
	})
}

// shares gives each client its part of places and memory; nil: all of them may be one's.
func (o *Options) shares(whole *limit.Budget) *limit.Shares {
	if o.ClientShare >= 100 {
		return nil
	}
	places := (int64(o.MaxRequests)*int64(o.ClientShare) + 99) / 100
	return limit.NewShares(int(places), max(o.MaxBodies/100*int64(o.ClientShare), o.MaxBodyBytes), whole)
}

// admit counts a request among those of its project or, if the caller has none, of the address that it comes from: before that is known, it
// has a place among all.
func (s *Server) admit(r *http.Request, c *auth.Caller) error {
	name := "Project " + c.ProjectID
	if c.ProjectID == "" {
		name = "Address " + s.origin.address(r)
	}
	return limit.GuestOf(r.Context()).Is(name)
}
