package publish

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/telemetrydb/tsdb/server/auth"
)

// The paths of the doors that have one of their own.
const (
	PathPublish = "/v2/publish"
	PathOTLP    = "/v1/metrics"
	PathPush    = "/metrics/job" // and what begins with it
)

// Beside gives the doors for another API's listener, by the beginnings of their paths. They ask gate who sends, and take what an
// administrator sends: publishers write what belongs to anybody.
func (d *Doors) Beside(gate *auth.Gate) map[string]http.Handler {
	guard := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := admitted(gate, r); err != nil {
				if errors.Is(err, auth.ErrUnauthenticated) && gate.Challenge() != "" {
					w.Header().Set("WWW-Authenticate", gate.Challenge())
				}
				writeError(w, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	return map[string]http.Handler{PathPublish: guard(d.Publish()), PathOTLP: guard(d.OTLP()), PathPush: guard(d.Pushgateway()),
		PathPush + "@base64": guard(d.Pushgateway())}
}

// admitted tells whether the gate lets an administrator in. Errors are the gate's, or say that it is none.
func admitted(gate *auth.Gate, r *http.Request) error {
	c, err := gate.Caller(r)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(c.Roles, func(role string) bool { return strings.EqualFold(role, "admin") }) {
		return &statusError{http.StatusForbidden, "Publishing takes an administrator"}
	}
	return nil
}

// Handler gives all doors for a listener of their own: OTLP and pushes at their paths, and what the http publisher posts at every
// other. It asks nobody who sends.
func (d *Doors) Handler() http.Handler {
	otlp, push, publish := d.OTLP(), d.Pushgateway(), d.Publish()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.TrimSuffix(path, "/") == PathOTLP:
			otlp.ServeHTTP(w, r)
		case strings.HasPrefix(path, PathPush+"/"), strings.HasPrefix(path, PathPush+"@"):
			push.ServeHTTP(w, r)
		default:
			publish.ServeHTTP(w, r)
		}
	})
}
