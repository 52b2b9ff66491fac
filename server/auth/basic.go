package auth

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// adminUser has the role admin where users have no roles of their own.
const adminUser = "admin"

// named gives the caller that a bare name stands for.
func named(user string) *Caller {
	c := &Caller{User: user}
	if user == adminUser {
		c.Roles = []string{"admin"}
	}
	return c
}

// Basic believes the name in an Authorization header of the scheme Basic. The password is not looked at; the user admin has the
// role admin, the others have none.
type Basic struct{}

// Authenticate implements Authenticator.
func (Basic) Authenticate(r *http.Request) (*Caller, error) {
	user := basicUser(r.Header.Get("Authorization"))
	if user == "" {
		return nil, ErrUnauthenticated
	}
	return named(user), nil
}

// Challenge implements Authenticator.
func (Basic) Challenge() string { return `Basic realm="gnocchi"` }

// basicUser gives the user of an Authorization header of the scheme Basic, "" if there is none.
func basicUser(header string) string {
	scheme, rest, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "basic") {
		return ""
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return ""
	}
	user, _, ok := strings.Cut(string(b), ":")
	if !ok {
		return ""
	}
	return strings.ToValidUTF8(user, "\uFFFD")
}

// Optional implements Authenticator.
func (Basic) Optional() bool { return true }
