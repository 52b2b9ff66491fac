package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// fakeAPI is as much of Keystone's v3 API as tokens need. The service's own tokens are service-1, service-2 and so on.
type fakeAPI struct {
	*httptest.Server
	logins  atomic.Int64
	revoked atomic.Bool // the service's present token
	status  atomic.Int64
	body    atomic.Value // what is said of a token
}

const (
	projectToken = `{"token": {"expires_at": "2030-01-02T03:04:05.000000Z", "user": {"id": "u1", "name": "ada"},
		"project": {"id": "p1", "name": "alpha"}, "roles": [{"id": "1", "name": "member"}, {"id": "2", "name": "reader"}]}}`
	domainToken   = `{"token": {"expires_at": "2030-01-02T03:04:05.000000Z", "user": {"id": "u1"}, "domain": {"id": "d1"}, "roles": []}}`
	unscopedToken = `{"token": {"expires_at": "2030-01-02T03:04:05.000000Z", "user": {"id": "u1"}}}`
)

func newFakeAPI(t *testing.T) *fakeAPI {
	f := &fakeAPI{}
	f.body.Store(projectToken)
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeAPI) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/identity/v3/auth/tokens":
		http.NotFound(w, r)
	case r.Method == http.MethodPost:
		f.login(w, r)
	case f.revoked.Load() || r.Header.Get("X-Auth-Token") != fmt.Sprint("service-", f.logins.Load()):
		http.Error(w, "{}", http.StatusUnauthorized)
	case f.status.Load() != 0:
		http.Error(w, "{}", int(f.status.Load()))
	case r.Header.Get("X-Subject-Token") != "good":
		http.NotFound(w, r)
	default:
		fmt.Fprint(w, f.body.Load())
	}
}

func (f *fakeAPI) login(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Auth struct {
			Identity struct {
				Password struct {
					User struct {
						Name, Password string
						Domain         struct{ Name string }
					}
				}
			}
			Scope struct {
				Project struct {
					Name   string
					Domain struct{ Name string }
				}
			}
		}
	}
	err := json.NewDecoder(r.Body).Decode(&req)
	u, p := req.Auth.Identity.Password.User, req.Auth.Scope.Project
	if err != nil || u.Name != "gnocchi" || u.Password != "secret" || u.Domain.Name != "Default" || p.Name != "service" || p.Domain.Name != "Default" {
		http.Error(w, "{}", http.StatusUnauthorized)
		return
	}
	w.Header().Set("X-Subject-Token", fmt.Sprint("service-", f.logins.Add(1)))
	f.revoked.Store(false)
	w.WriteHeader(http.StatusCreated)
	fmt.Fprint(w, `{"token": {"expires_at": "2030-01-02T03:04:05.000000Z", "catalog": []}}`)
}

func (f *fakeAPI) client(t *testing.T, path, password string) *identityClient {
	t.Helper()
	c, err := newIdentityClient(&KeystoneOptions{URL: f.URL + path, Username: "gnocchi", Password: password, UserDomain: "Default",
		Project: "service", ProjectDomain: "Default"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestIdentity(t *testing.T) {
	f := newFakeAPI(t)
	for _, path := range []string{"/identity", "/identity/", "/identity/v3", "/identity/v3/"} {
		c := f.client(t, path, "secret")
		caller, expires, err := c.validate(t.Context(), "good")
		if err != nil || caller.User != "u1:p1" || caller.UserID != "u1" || caller.ProjectID != "p1" || caller.DomainID != "" ||
			!slices.Equal(caller.Roles, []string{"member", "reader"}) || !caller.Scoped {
			t.Errorf("%s: %+v %v", path, caller, err)
		}
		if want := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC); !expires.Equal(want) {
			t.Errorf("%s: %v", path, expires)
		}
	}
	c := f.client(t, "/identity", "secret")
	if _, _, err := c.validate(t.Context(), "bad"); !errors.Is(err, ErrUnauthenticated) {
		t.Error(err)
	}
	f.body.Store(domainToken)
	if caller, _, err := c.validate(t.Context(), "good"); err != nil || caller.User != "u1:" || caller.DomainID != "d1" {
		t.Errorf("%+v %v", caller, err)
	}
	f.body.Store(unscopedToken)
	if caller, _, err := c.validate(t.Context(), "good"); err != nil || caller.User != "u1:" || caller.Roles != nil {
		t.Errorf("%+v %v", caller, err)
	}
	for _, body := range []string{"", "{}", `{"token": 1}`, `{"token": {"expires_at": "soon", "user": {"id": "u"}}}`} {
		f.body.Store(body)
		if caller, _, err := c.validate(t.Context(), "good"); err == nil {
			t.Errorf("%s: %+v", body, caller)
		}
	}
}

// TestIdentityRenews: the service's token ends, and it gets another without anybody's noticing.
func TestIdentityRenews(t *testing.T) {
	f := newFakeAPI(t)
	c := f.client(t, "/identity", "secret")
	for range 3 {
		for range 2 {
			if _, _, err := c.validate(t.Context(), "good"); err != nil {
				t.Error(err)
			}
		}
		f.revoked.Store(true)
	}
	if got := f.logins.Load(); got != 3 {
		t.Errorf("%d logins", got)
	}
}

func TestIdentityFails(t *testing.T) {
	f := newFakeAPI(t)
	c := f.client(t, "/identity", "wrong")
	if _, _, err := c.validate(t.Context(), "good"); err == nil || errors.Is(err, ErrUnauthenticated) || errors.Is(err, errAnswered) {
		t.Errorf("wrong password: %v", err)
	}
	c = f.client(t, "/identity", "secret")
	for _, status := range []int64{400, 403, 500, 503} {
		f.status.Store(status)
		if _, _, err := c.validate(t.Context(), "good"); !errors.Is(err, errAnswered) {
			t.Errorf("%d: %v", status, err)
		}
	}
	f.Close()
	if _, _, err := c.validate(t.Context(), "good"); err == nil || errors.Is(err, errAnswered) {
		t.Errorf("gone: %v", err)
	}
}
