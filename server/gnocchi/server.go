package gnocchi

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/server/accept"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/body"
	"github.com/telemetrydb/tsdb/server/ingest"
	"github.com/telemetrydb/tsdb/server/limit"
)

// Build is the version of Gnocchi that the API says it is: clients look at it to know what they may use.
const Build = "4.7.0"

// Options configures New. A nil *Options and every zero field mean the default named beside the field.
type Options struct {
	// MaxLimit is the most items a page of a list has. Default 1000.
	MaxLimit int
	// MaxBodyBytes is the largest request body that is taken, after decompression. Default 64 MiB.
	MaxBodyBytes int64
	// Gate says who sends a request and what they may do. Default: basic authentication and Gnocchi's rules.
	Gate *auth.Gate
	// Budget is the memory for the bodies of requests under way. Default: without a bound.
	Budget *limit.Budget
	// Root gives the URL of the server as the client of a request sees it, without a slash at its end. Default: what the
	// request says.
	Root func(r *http.Request) string
	// Refused counts the samples of other protocols than Gnocchi's that are not stored. Default: nothing does.
	Refused *ingest.Refused
	// Query bounds what one request may read and compute. Default: as query.Limits says.
	Query query.Limits
	// Now is the clock that relative times refer to. Default: time.Now.
	Now func() time.Time
	// Logger gets a line for each request that failed by the server's fault. Default: silent.
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	c.MaxLimit = cmp.Or(c.MaxLimit, 1000)
	c.MaxBodyBytes = cmp.Or(c.MaxBodyBytes, 64<<20)
	if c.Gate == nil {
		c.Gate = auth.NewGate(nil, nil)
	}
	if c.Root == nil {
		c.Root = rootOf
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// handler is the API of one database.
type handler struct {
	db     *engine.DB
	o      Options
	routes routes
}

// New returns a handler that answers from db. It sets the Pattern of each request to its route.
func New(db *engine.DB, o *Options) http.Handler {
	h := &handler{db: db, o: o.withDefaults()}
	h.routes = newRoutes()
	return h
}

// call is one request on its way.
type call struct {
	*handler
	w      http.ResponseWriter
	r      *http.Request
	caller *auth.Caller // who asks; nil: not known, and of no interest
	user   string       // the caller as a creator
	body   *body.Body   // decoded, released after the answer

	// what the path names
	id   string              // of a policy, a rule, a metric or a resource
	name string              // of a metric of a resource
	typ  string              // of a resource
	kind engine.ResourceType // what typ is

	written bool // the answer has begun
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{handler: h, w: w, r: r}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			h.o.Logger.Error("panic", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			c.fail(&apiError{status: http.StatusInternalServerError, desc: ""})
		}
		c.body.Release()
	}()
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

func (c *call) serve() error {
	if !c.o.Gate.Optional() && isV1(c.r.URL.Path) { // tell strangers nothing, not even what exists
		if err := c.authenticate(false); err != nil {
			return err
		}
	}
	rt, err := c.route()
	if err != nil {
		return err
	}
	if c.r.Method == http.MethodOptions {
		return c.empty(http.StatusOK)
	}
	m := rt.method(c.r.Method)
	if m == nil {
		return &apiError{status: http.StatusMethodNotAllowed, desc: "", allow: rt.allow}
	}
	if !rt.anyAccept && !accept.JSON(c.r.Header.Values("Accept")) {
		return fail(http.StatusNotAcceptable, "")
	}
	if c.caller == nil && isV1(c.r.URL.Path) {
		if err := c.authenticate(m.open); err != nil {
			return err
		}
	}
	err = m.serve(c)
	for try := 0; try < 3 && c.r.Method == http.MethodGet && !c.written && isMoved(err); try++ {
		err = m.serve(c)
	}
	return err
}

// fail answers with an error.
func (c *call) fail(err error) {
	e := statusOfAny(c.o.Gate, err)
	if e.status >= 500 && !errors.Is(err, context.Canceled) && e.cause != nil {
		c.o.Logger.Error("request failed", "method", c.r.Method, "path", c.r.URL.Path, "status", e.status, "err", err)
	}
	if c.written {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	c.written = true
	writeError(c.w, c.r, e)
}

// write sends a whole answer.
func (c *call) write(status int, contentType string, b []byte) {
	header := c.w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(b)))
	c.written = true
	c.w.WriteHeader(status)
	c.w.Write(b) // a client that is gone need not be told
}

// json sends v.
func (c *call) json(status int, v any) error {
	buf := replies.Get().(*reply)
	defer buf.release()
	buf.b = appendJSON(buf.b[:0], v)
	c.write(status, "application/json", buf.b)
	return nil
}

// created sends v, which now has its place at path below the root.
func (c *call) created(path string, v any) error {
	c.w.Header().Set("Location", c.url(path))
	return c.json(http.StatusCreated, v)
}

// empty sends an answer without a body.
func (c *call) empty(status int) error {
	if status != http.StatusNoContent {
		c.w.Header().Set("Content-Length", "0")
	}
	c.written = true
	c.w.WriteHeader(status)
	return nil
}

// root is the URL of the server as the client sees it, without a slash at its end.
func (c *call) root() string { return c.o.Root(c.r) }

func rootOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
