package server

import (
	"net/http"
	"slices"
	"strings"
)

// corsMethods and corsHeaders are what pages of other origins may use; the second in capitals.
var (
	corsMethods = []string{"OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "PATCH"}
	corsHeaders = []string{
		"AUTHORIZATION", "X-AUTH-TOKEN", "X-SUBJECT-TOKEN", "X-USER-ID", "X-DOMAIN-ID", "X-PROJECT-ID", "X-ROLES",
		"ACCEPT", "ACCEPT-LANGUAGE", "CONTENT-TYPE", "CACHE-CONTROL", "CONTENT-LANGUAGE", "EXPIRES", "LAST-MODIFIED", "PRAGMA",
	}
)

const corsMaxAge = "3600" // seconds that a browser may remember a permission for

// cors lets pages of the origins use the API from a browser. It answers requests for OPTIONS itself, which carry no credentials.
func cors(origins []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := allowedOrigin(origins, r.Header.Get("Origin"))
		if r.Method == http.MethodOptions {
			if origin != "" {
				preflight(w.Header(), r, origin)
			}
			w.Header().Set("Content-Length", "0")
			return
		}
		if origin != "" {
			allow(w.Header(), origin)
		}
		next.ServeHTTP(w, r)
	})
}

// allowedOrigin is the origin to name in an answer, "" if the one that asks is not among those allowed.
func allowedOrigin(origins []string, origin string) string {
	switch {
	case origin == "":
		return ""
	case slices.Contains(origins, origin):
		return origin
	case slices.Contains(origins, "*"):
		return "*"
	}
	return ""
}

func allow(h http.Header, origin string) {
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
}

// preflight permits the method and the headers that a browser asks for, or says nothing.
func preflight(h http.Header, r *http.Request, origin string) {
	method := r.Header.Get("Access-Control-Request-Method")
	if !slices.Contains(corsMethods, method) {
		return
	}
	var names []string
	for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !slices.Contains(corsHeaders, strings.ToUpper(name)) {
			return
		}
		names = append(names, name)
	}
	allow(h, origin)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	h.Set("Access-Control-Allow-Methods", method)
	if names != nil {
		h.Set("Access-Control-Allow-Headers", strings.Join(names, ","))
	}
}
