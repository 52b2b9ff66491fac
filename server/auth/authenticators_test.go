package auth

import (
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"slices"
	"testing"
)

func TestBasic(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for header, want := range map[string]string{
		"":                                    "",
		"basic":                               "",
		"Basic " + encode("foobar:"):          "foobar",
		"basic " + encode("foobar:pass:w"):    "foobar",
		"BASIC   " + encode("foobar:x") + " ": "foobar",
		"Basic " + encode("admin:admin"):      "admin",
		"Basic " + encode("foobar"):           "",
		"Basic " + encode(":password"):        "",
		"Basic not base64":                    "",
		"Bearer " + encode("foobar:"):         "",
		"Basic " + encode("\xff:"):            "\uFFFD",
		"Basic " + encode("jürgen:"):          "jürgen",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		c, err := NewGate(nil, nil).Caller(r)
		if want == "" {
			if !errors.Is(err, ErrUnauthenticated) {
				t.Errorf("%q: %v %v", header, c, err)
			}
			continue
		}
		if err != nil || c.User != want || c.Can(GetStatus, nil) != (want == "admin") || c.Scoped {
			t.Errorf("%q: %+v %v", header, c, err)
		}
	}
}

func TestRemoteUser(t *testing.T) {
	u, err := NewRemoteUser("x-remote-user", []string{"192.0.2.7", "198.51.100.0/24", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		peer  string
		names []string
		want  string
	}{
		{"192.0.2.7:80", []string{"foobar"}, "foobar"},
		{"[::ffff:192.0.2.7]:80", []string{"admin"}, "admin"},
		{"198.51.100.200:1", []string{"J\xfcrgen"}, "Jürgen"},
		{"[2001:db8::1]:80", []string{"foobar"}, "foobar"},
		{"[2001:db8::1%eth0]:80", []string{"foobar"}, "foobar"},
		{"192.0.2.8:80", []string{"foobar"}, ""},
		{"127.0.0.1:80", []string{"admin"}, ""},
		{"192.0.2.7:80", []string{"foobar", "admin"}, ""}, // one of them comes from somebody else
		{"192.0.2.7:80", []string{""}, ""},
		{"192.0.2.7:80", nil, ""},
		{"@", []string{"foobar"}, ""},
		{"name:80", []string{"foobar"}, ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tc.peer
		r.Header["X-Remote-User"] = tc.names
		r.Header.Set("X-Forwarded-For", "192.0.2.7")
		c, err := NewGate(u, nil).Caller(r)
		if tc.want == "" {
			if !errors.Is(err, ErrUnauthenticated) {
				t.Errorf("%v: %+v %v", tc, c, err)
			}
			continue
		}
		if err != nil || c.User != tc.want || c.Can(GetStatus, nil) != (tc.want == "admin") {
			t.Errorf("%v: %+v %v", tc, c, err)
		}
	}
	for _, from := range [][]string{nil, {"nowhere"}, {"192.0.2.0/33"}} {
		if _, err := NewRemoteUser("X-Remote-User", from); err == nil {
			t.Errorf("%v: no error", from)
		}
	}
	if _, err := NewRemoteUser("", []string{"::1"}); err == nil {
		t.Error("no header: no error")
	}
}

func TestNone(t *testing.T) {
	gate := NewGate(None{}, nil)
	r := httptest.NewRequest("GET", "/", nil)
	c, err := gate.Caller(r)
	if err != nil || c.User != "admin" || !c.Can(DeleteArchivePolicy, nil) || c.Scoped {
		t.Errorf("nothing said: %+v %v", c, err)
	}
	r.Header.Set("X-User-Id", "u")
	r.Header.Set("X-Project-Id", "p")
	r.Header.Set("X-Domain-Id", "d")
	r.Header.Set("X-Roles", "member, service,,")
	c, err = gate.Caller(r)
	if err != nil || c.User != "u:p" || c.DomainID != "d" || !slices.Equal(c.Roles, []string{"member", "service"}) || !c.Scoped ||
		c.Can(GetStatus, nil) || !c.Can(PostMeasures, nil) {
		t.Errorf("%+v %v", c, err)
	}
	if f, err := c.ResourceFilter(ListResource, "generic"); err != nil || f == nil {
		t.Errorf("%v %v", f, err)
	}
}
