package ceilometer

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/telemetrydb/tsdb/server/accept"
)

// beside gives the handler of what else is on the listener.
func (h *handler) beside(path string) http.Handler {
	for at, next := range h.o.Beside {
		if strings.HasPrefix(path, at) {
			return next
		}
	}
	if isEvents(path) {
		return h.events
	}
	return nil
}

// A route is what one kind of path has, by method.
type route struct {
	pattern   string
	get, post func(c *call) error
}

// serve answers the call.
func (c *call) serve() error {
	if c.r.URL.Path == "/" || c.r.URL.Path == "" {
		return c.dispatch(&route{pattern: "/", get: (*call).versions})
	}
	var err error
	if c.who, err = identify(c.r, c.o.Gate); err != nil {
		return err
	}
	rt, err := c.route()
	if err != nil {
		return err
	}
	return c.dispatch(rt)
}

func (c *call) dispatch(rt *route) error {
	c.r.Pattern = rt.pattern
	serve, allow := rt.get, ""
	switch {
	case rt.get != nil && rt.post != nil:
		allow = "GET, POST"
	case rt.get != nil:
		allow = "GET"
	default:
		allow = "POST"
	}
	switch c.r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		serve = rt.post
	default:
		serve = nil
	}
	if serve == nil {
		return &apiError{status: http.StatusMethodNotAllowed, text: "The method " + c.r.Method + " is not allowed for this resource.", allow: allow}
	}
	if !accept.JSON(c.r.Header.Values("Accept")) {
		return fail(http.StatusNotAcceptable, "The resource could not be generated that was acceptable to your browser: only application/json is.")
	}
	return serve(c)
}

// route finds out what a path is about. A slash at its end does not count.
func (c *call) route() (*route, error) {
	escaped := c.r.URL.EscapedPath()
	path, v2 := strings.CutPrefix(escaped, "/v2/")
	if !v2 {
		return nil, noRoute()
	}
	path = strings.TrimSuffix(path, "/")
	if id, ok := strings.CutPrefix(path, "resources/"); ok {
		return c.resourceRoute(id)
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		var err error
		if parts[i], err = url.PathUnescape(p); err != nil || parts[i] == "" {
			return nil, noRoute()
		}
	}
	if len(parts) == 1 {
		if rt, ok := lists[parts[0]]; ok {
			return &rt, nil
		}
	}
	last := parts[len(parts)-1]
	switch parts[0] {
	case "meters":
		switch {
		case len(parts) == 2:
			return &route{"/v2/meters/{name}", func(c *call) error { return c.oldSamples(last) },
				func(c *call) error { return c.postSamples(last) }}, nil
		case len(parts) == 3 && last == "statistics":
			return &route{"/v2/meters/{name}/statistics", func(c *call) error { return c.statistics(parts[1]) }, nil}, nil
		}
	case "samples":
		if len(parts) == 2 {
			return &route{"/v2/samples/{id}", func(c *call) error { return c.oneSample(last) }, nil}, nil
		}
	case "query":
		if len(parts) == 2 && last == "samples" {
			return &route{"/v2/query/samples", nil, (*call).querySamples}, nil
		}
		if len(parts) == 2 && last == "alarms" || len(parts) == 3 && parts[1] == "alarms" && last == "history" {
			return nil, c.alarms()
		}
	case "alarms":
		return nil, c.alarms()
	}
	return nil, noRoute()
}

// lists are the paths of one part.
var lists = map[string]route{
	"meters":       {"/v2/meters", (*call).meters, nil},
	"samples":      {"/v2/samples", (*call).samples, nil},
	"resources":    {"/v2/resources", (*call).resources, nil},
	"capabilities": {"/v2/capabilities", (*call).capabilities, nil},
}

// resourceRoute is the route of a resource. Its id is escaped twice if it has slashes; once, or not at all, will do.
func (c *call) resourceRoute(escaped string) (*route, error) {
	id, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, noRoute()
	}
	if again, err := url.PathUnescape(id); err == nil {
		id = again
	}
	return &route{"/v2/resources/{id}", func(c *call) error { return c.oneResource(id) }, nil}, nil
}

// alarms answers requests about alarms, which are another service's.
func (c *call) alarms() error {
	c.r.Pattern = "/v2/alarms"
	if c.o.Alarms == "" {
		return fail(http.StatusGone, "alarms URLs is unavailable when Aodh is disabled or unavailable.")
	}
	to := strings.TrimSuffix(c.o.Alarms, "/") + c.r.URL.EscapedPath()
	if c.r.URL.RawQuery != "" {
		to += "?" + c.r.URL.RawQuery
	}
	c.w.Header().Set("Location", to)
	return fail(http.StatusPermanentRedirect, "Alarms are at "+to)
}
