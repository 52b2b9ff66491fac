package auth

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// RemoteUser believes the name in a header that a server in front of this one puts there, from the addresses listed. The user
// admin has the role admin, the others have none.
type RemoteUser struct {
	header  string
	trusted []netip.Prefix
}

// NewRemoteUser gives an authenticator that believes the header from the addresses or networks (192.0.2.0/24) in trusted.
func NewRemoteUser(header string, trusted []string) (*RemoteUser, error) {
	u := &RemoteUser{header: http.CanonicalHeaderKey(header)}
	if header == "" || len(trusted) == 0 {
		return nil, errors.New("a header and the addresses to believe it from are needed")
	}
	for _, text := range trusted {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("%q is no address or network", text)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		u.trusted = append(u.trusted, p.Masked())
	}
	return u, nil
}

// Authenticate implements Authenticator.
func (u *RemoteUser) Authenticate(r *http.Request) (*Caller, error) {
	names := r.Header[u.header]
	if len(names) != 1 || names[0] == "" || !u.trusts(r.RemoteAddr) {
		return nil, ErrUnauthenticated
	}
	return named(latin1(names[0])), nil
}

// Challenge implements Authenticator.
func (*RemoteUser) Challenge() string { return "" }

// Optional implements Authenticator.
func (*RemoteUser) Optional() bool { return true }

func (u *RemoteUser) trusts(peer string) bool {
	host, _, err := net.SplitHostPort(peer)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	for _, p := range u.trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// latin1 decodes what headers are by the letter of HTTP: a byte a character.
func latin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}
