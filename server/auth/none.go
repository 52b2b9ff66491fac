package auth

import (
	"net/http"
	"strings"
)

// None believes what requests say of themselves, as Gnocchi does behind a proxy that has checked tokens: X-User-Id, X-Project-Id,
// X-Domain-Id and X-Roles. Requests that say nothing are those of an admin.
type None struct{}

// Authenticate implements Authenticator.
func (None) Authenticate(r *http.Request) (*Caller, error) {
	h := r.Header
	user, project, domain, roles := h.Get("X-User-Id"), h.Get("X-Project-Id"), h.Get("X-Domain-Id"), h.Get("X-Roles")
	if user+project+domain+roles == "" {
		return named(adminUser), nil
	}
	c := scoped(user, project, domain)
	for role := range strings.SplitSeq(roles, ",") {
		if role = strings.TrimSpace(role); role != "" {
			c.Roles = append(c.Roles, role)
		}
	}
	return c, nil
}

// Challenge implements Authenticator.
func (None) Challenge() string { return "" }

// Optional implements Authenticator.
func (None) Optional() bool { return true }

// scoped gives a caller whose lists show what is of the project.
func scoped(user, project, domain string) *Caller {
	return &Caller{User: user + ":" + project, UserID: user, ProjectID: project, DomainID: domain, Scoped: true}
}
