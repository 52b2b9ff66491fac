package ceilometer

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/telemetrydb/tsdb/server/auth"
)

// identity is who sends a request, in Ceilometer's terms.
type identity struct {
	admin         bool    // sees all projects; others see their own
	user, project *string // nil: not known
}

// named makes a token the name of who sends a request, where a name will do and none is given.
func named(r *http.Request, gate *auth.Gate) *http.Request {
	token := r.Header.Get("X-Auth-Token")
	if token == "" || r.Header.Get("Authorization") != "" || !strings.HasPrefix(gate.Challenge(), "Basic ") {
		return r
	}
	own := r.WithContext(r.Context())
	own.Header = r.Header.Clone()
	own.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(token+":")))
	return own
}

// identify finds out who sends a request.
//
// Where users are bare names (basic, remoteuser), each but admin is a project of their own; and as Ceilometer's clients send tokens and
// nothing else, a token does for a name where nobody checks passwords either.
func identify(r *http.Request, gate *auth.Gate) (identity, error) {
	caller, err := gate.Caller(named(r, gate))
	if err != nil {
		return identity{}, err
	}
	return identityOf(caller, gate), nil
}

func identityOf(caller *auth.Caller, gate *auth.Gate) identity {
	who := identity{admin: slices.ContainsFunc(caller.Roles, func(role string) bool { return strings.EqualFold(role, "admin") })}
	if !caller.Scoped {
		if !who.admin {
			who.user, who.project = &caller.User, &caller.User
		}
		return who
	}
	if caller.UserID != "" {
		who.user = &caller.UserID
	}
	if caller.ProjectID != "" {
		who.project = &caller.ProjectID
	}
	if gate.Challenge() == "" && caller.ProjectID == "" && len(caller.Roles) == 0 { // nobody is checked, and nothing restricts them
		who.admin = true
	}
	return who
}

// scope is the project that the request is limited to; false: none.
func (w identity) scope() (project string, limited bool) {
	if w.admin {
		return "", false
	}
	if w.project == nil {
		return "", true
	}
	return *w.project, true
}
