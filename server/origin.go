package server

import (
	"net"
	"net/http"
	"strings"
)

// origin tells where clients see the server, which differs behind a proxy.
type origin struct {
	prefix  string // what the server is mounted at: no slash at its end, empty for the root
	proxied bool   // headers of a proxy are believed
}

// root is the URL of the server as the client sees it, without a slash at its end.
func (o origin) root(r *http.Request) string {
	scheme, host, prefix := "http", r.Host, o.prefix
	if r.TLS != nil {
		scheme = "https"
	}
	if o.proxied {
		fwd := forwarded(r.Header)
		if fwd.scheme != "" {
			scheme = fwd.scheme
		}
		if fwd.host != "" {
			host = fwd.host
		}
		prefix = strings.TrimRight(r.Header.Get("X-Forwarded-Prefix"), "/") + prefix
	}
	return scheme + "://" + host + prefix
}

// peer is who sends the request, for the log.
func (o origin) peer(r *http.Request) string {
	if o.proxied {
		if fwd := forwarded(r.Header); fwd.peer != "" {
			return fwd.peer
		}
	}
	return r.RemoteAddr
}

// address is that of the peer without its port.
func (o origin) address(r *http.Request) string {
	peer, _, _ := strings.Cut(o.peer(r), ",") // the first of many is the client, the others are proxies
	peer = strings.TrimSpace(peer)
	if host, _, err := net.SplitHostPort(peer); err == nil {
		return host
	}
	return peer
}

// via is what a proxy says of the request it passes on. Empty members are not said.
type via struct{ scheme, host, peer string }

// forwarded reads the header Forwarded (RFC 7239), of which the first element counts, or else the X-Forwarded- headers.
func forwarded(h http.Header) via {
	v := via{scheme: h.Get("X-Forwarded-Proto"), host: h.Get("X-Forwarded-Host"), peer: h.Get("X-Forwarded-For")}
	if all := h.Get("Forwarded"); all != "" {
		v = via{}
		first, _, _ := strings.Cut(all, ",")
		for pair := range strings.SplitSeq(first, ";") {
			name, value, _ := strings.Cut(pair, "=")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "proto":
				v.scheme = value
			case "host":
				v.host = value
			case "for":
				v.peer = value
			}
		}
	}
	v.scheme = strings.ToLower(v.scheme)
	if v.scheme != "http" && v.scheme != "https" {
		v.scheme = "" // a link of another scheme could make a browser do things
	}
	return v
}

// mounted passes on what is below the prefix, without it. The rest is not there.
func (o origin) mounted(next http.Handler) http.Handler {
	if o.prefix == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, below := strings.CutPrefix(r.URL.Path, o.prefix)
		if !below || path != "" && path[0] != '/' {
			http.NotFound(w, r)
			return
		}
		r.URL.Path = path
		r.URL.RawPath = strings.TrimPrefix(r.URL.RawPath, o.prefix)
		next.ServeHTTP(w, r)
	})
}
