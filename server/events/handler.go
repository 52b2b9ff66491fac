package events

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/accept"
)

// Caller is who asks, in Ceilometer's terms. Empty ids are not known.
type Caller struct {
	Admin             bool
	UserID, ProjectID string
}

// Options configures New. Every zero field means the default named beside it.
type Options struct {
	// Caller says who sends a request. Default: everybody is an administrator without a project.
	Caller func(r *http.Request) (Caller, error)
	// Fail answers a request with an error of Caller or of the database. Default: status 500.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
	// Limit is how many events a list has where the request does not say. Default: 100.
	Limit int
	// Logger gets what is wrong with stored data after an answer was begun. Default: silent.
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Caller == nil {
		c.Caller = func(*http.Request) (Caller, error) { return Caller{Admin: true}, nil }
	}
	if c.Fail == nil {
		c.Fail = func(w http.ResponseWriter, _ *http.Request, _ error) {
			writeError(w, &apiError{status: http.StatusInternalServerError, text: "The server failed on this request"})
		}
	}
	if c.Limit <= 0 {
		c.Limit = 100
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

type handler struct {
	db *engine.DB
	o  Options
}

// New returns a handler that answers from db. It sets the Pattern of each request to its route.
func New(db *engine.DB, o *Options) http.Handler { return &handler{db, o.withDefaults()} }

// call is one request on its way.
type call struct {
	*handler
	w   http.ResponseWriter
	r   *http.Request
	who Caller
	out writer
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{handler: h, w: w, r: r, out: writer{w: w}}
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

func (c *call) fail(err error) {
	if c.out.sent {
		if c.r.Context().Err() == nil {
			c.o.Logger.Error("answer broken off", "path", c.r.URL.Path, "err", err)
		}
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	if e := statusOf(err); e != nil {
		writeError(c.w, e)
		return
	}
	c.o.Fail(c.w, c.r, err)
}

// route is what one kind of path has.
type route struct {
	pattern string
	admin   bool // for administrators alone
	get     func(c *call) error
}

func (c *call) serve() (err error) {
	rt := findRoute(c.r.URL.EscapedPath())
	if rt == nil {
		return noRoute()
	}
	c.r.Pattern = rt.pattern
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		return &apiError{status: http.StatusMethodNotAllowed, text: "The method " + c.r.Method + " is not allowed for this resource.", allow: "GET"}
	}
	if !accept.JSON(c.r.Header.Values("Accept")) {
		return &apiError{status: http.StatusNotAcceptable, text: "There is only application/json here."}
	}
	if c.who, err = c.o.Caller(c.r); err != nil {
		return err
	}
	switch {
	case c.who.Admin:
	case c.who.UserID == "" || c.who.ProjectID == "":
		return &apiError{status: http.StatusForbidden, text: "RBAC Authorization Failed"}
	case rt.admin:
		return &apiError{status: http.StatusUnauthorized, text: "Not Authorized to access project " + c.who.ProjectID}
	}
	return rt.get(c)
}

// findRoute finds out what a path, escaped, is about; nil: nothing. A slash at its end does not count.
func findRoute(path string) *route {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(path, "/"), "/v2/")
	if !ok {
		return nil
	}
	parts := strings.Split(rest, "/")
	for i := range parts {
		var err error
		if parts[i], err = url.PathUnescape(parts[i]); err != nil || parts[i] == "" {
			return nil
		}
	}
	switch {
	case parts[0] == "events" && len(parts) == 1:
		return &route{"/v2/events", false, (*call).list}
	case parts[0] == "events" && len(parts) == 2:
		return &route{"/v2/events/{id}", false, func(c *call) error { return c.one(parts[1]) }}
	case parts[0] != "event_types":
		return nil
	case len(parts) == 1:
		return &route{"/v2/event_types", true, (*call).types}
	case len(parts) == 2:
		return &route{"/v2/event_types/{type}", true, func(*call) error { return noRoute() }}
	case parts[2] == "traits" && len(parts) == 3:
		return &route{"/v2/event_types/{type}/traits", true, func(c *call) error { return c.traits(parts[1]) }}
	case parts[2] == "traits" && len(parts) == 4:
		return &route{"/v2/event_types/{type}/traits/{name}", true, func(c *call) error { return c.values(parts[1], parts[3]) }}
	}
	return nil
}

// one answers with one event.
func (c *call) one(id string) error {
	if _, err := noArguments.Parse(c.r.URL.RawQuery); err != nil {
		return err
	}
	e, err := c.find(id, c.scope(false))
	if err != nil {
		return err
	}
	if e == nil {
		return &apiError{status: http.StatusNotFound, text: "Event " + id + " Not Found"}
	}
	c.out.begin()
	c.out.event(e)
	return c.out.end()
}

// find returns the event with the message id if the caller may see it, else nil.
func (c *call) find(id string, scope []engine.TraitFilter) (found *engine.Event, err error) {
	if id == "" {
		return nil, nil
	}
	for e, err := range c.db.Events(c.r.Context(), engine.EventQuery{MessageID: id, Traits: scope}) {
		if err != nil {
			return nil, err
		}
		found = e
	}
	return found, nil
}

// list answers with the events that the arguments select.
func (c *call) list() error {
	q, err := c.parse(c.r.URL.RawQuery)
	if err != nil {
		return err
	}
	if q.After != "" {
		marker, err := c.find(q.After, q.scope)
		if err != nil {
			return err
		}
		if marker == nil {
			return invalid("marker", q.After, "There is no event with this message id.")
		}
	}
	c.out.begin()
	c.out.open('[')
	for e, err := range c.db.Events(c.r.Context(), q.EventQuery) {
		if errors.Is(err, engine.ErrNotFound) { // the marker was expired meanwhile
			return invalid("marker", q.After, "There is no event with this message id.")
		}
		if err != nil {
			return err
		}
		c.out.next()
		c.out.event(e)
		if c.out.err != nil {
			break
		}
	}
	c.out.close(']')
	return c.out.end()
}

// types answers with the types of events.
func (c *call) types() error {
	if _, err := noArguments.Parse(c.r.URL.RawQuery); err != nil {
		return err
	}
	types, err := c.db.EventTypes()
	if err != nil {
		return err
	}
	c.out.begin()
	c.out.open('[')
	for _, t := range types {
		c.out.next()
		c.out.text(t)
	}
	c.out.close(']')
	return c.out.end()
}

// traits answers with the names and types of the traits of a type, each name once.
func (c *call) traits(eventType string) error {
	if _, err := noArguments.Parse(c.r.URL.RawQuery); err != nil {
		return err
	}
	traits, err := c.db.EventTraits(eventType)
	if err != nil {
		return err
	}
	c.out.begin()
	c.out.open('[')
	for i, t := range traits {
		if i+1 < len(traits) && traits[i+1].Name == t.Name && t.Kind == engine.TraitNone || // one with values says more
			i > 0 && traits[i-1].Name == t.Name && traits[i-1].Kind != engine.TraitNone {
			continue
		}
		c.out.next()
		c.out.description(&t)
	}
	c.out.close(']')
	return c.out.end()
}

// values answers with the traits by a name of the events of a type.
func (c *call) values(eventType, name string) error {
	if _, err := noArguments.Parse(c.r.URL.RawQuery); err != nil {
		return err
	}
	c.out.begin()
	c.out.open('[')
	for t, err := range c.db.EventTraitValues(c.r.Context(), eventType, name) {
		if err != nil {
			return err
		}
		c.out.next()
		c.out.trait(&t)
		if c.out.err != nil {
			break
		}
	}
	c.out.close(']')
	return c.out.end()
}
