package ceilometer

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/body"
	"github.com/telemetrydb/tsdb/server/familiar"
	"github.com/telemetrydb/tsdb/server/limit"
	"github.com/telemetrydb/tsdb/server/samples"
)

// Options configures New. A nil *Options and every zero field mean the default named beside the field.
type Options struct {
	// Gate says who sends a request. Default: basic authentication.
	Gate *auth.Gate
	// DefaultLimit is how many elements an answer has when the request does not say. Default 100.
	DefaultLimit int
	// Source is that of samples that are posted without one. Default: openstack.
	Source string
	// Alarms is the URL of the alarm service, to which requests about alarms are sent on. Default: there is none.
	Alarms string
	// MaxBodyBytes is the largest request body that is taken. Default 64 MiB.
	MaxBodyBytes int64
	// Budget is the memory for the bodies of requests under way. Default: without a bound.
	Budget *limit.Budget
	// Root gives the URL of the server as the client of a request sees it, without a slash at its end. Default: what the request says.
	Root func(r *http.Request) string
	// Query bounds what one request may read. Default: as query.Limits says.
	Query query.Limits
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Logger gets a line for each request that failed by the server's fault, or was limited by default. Default: silent.
	Logger *slog.Logger
	// Beside serves what else is on this API's listener, by the beginnings of paths. It has to authenticate by itself. Default: nothing.
	Beside map[string]http.Handler
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Gate == nil {
		c.Gate = auth.NewGate(nil, nil)
	}
	c.DefaultLimit = cmp.Or(c.DefaultLimit, 100)
	c.Source = cmp.Or(c.Source, "openstack")
	c.MaxBodyBytes = cmp.Or(c.MaxBodyBytes, 64<<20)
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

func rootOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// handler is the API of one database.
type handler struct {
	flat  flatTexts
	db    *engine.DB
	store *samples.Store
	o     Options
	sent  familiar.Memo[*sentMetadata] // by the texts that they were sent as

	meterTexts kept[*engine.Resource, meterText] // states of resources never change

	events http.Handler
}

// New returns a handler that answers from db and writes to store. It sets the Pattern of each request to its route.
func New(db *engine.DB, store *samples.Store, o *Options) http.Handler {
	h := &handler{db: db, store: store, o: o.withDefaults()}
	h.events = h.newEvents()
	return h
}

// call is one request on its way.
type call struct {
	*handler
	w   http.ResponseWriter
	r   *http.Request
	who identity

	out  []byte     // of the answer, what is not sent yet
	sent bool       // the head and some of the answer are
	body *body.Body // released after the answer
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := engine.NewUUID()
	w.Header().Set("X-Openstack-Request-Id", "req-"+id.String())
	if next := h.beside(r.URL.Path); next != nil {
		own := named(r, h.o.Gate)
		defer func() { r.Pattern = own.Pattern }()
		next.ServeHTTP(w, own)
		return
	}
	c := &call{handler: h, w: w, r: r}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			h.o.Logger.Error("panic", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			c.fail(&apiError{status: http.StatusInternalServerError, text: "The server failed on this request"})
		}
		c.release()
	}()
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

// fail answers with an error.
func (c *call) fail(err error) {
	if cause := context.Cause(c.r.Context()); cause != nil && errors.Is(err, context.Canceled) {
		err = cause
	}
	e := statusOf(c.o.Gate, err)
	if e.status >= 500 && !errors.Is(err, context.Canceled) && e.cause != nil {
		c.o.Logger.Error("request failed", "method", c.r.Method, "path", c.r.URL.Path, "status", e.status, "err", err)
	}
	if c.sent {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	writeError(c.w, e)
}

// Answers are collected in buffers that are used again, and go out in pieces.
const (
	flushBytes     = 64 << 10
	maxPooledReply = 256 << 10
)

var replies = sync.Pool{New: func() any { return new([]byte) }}

// begin gives the buffer that the answer is to be appended to.
func (c *call) begin() []byte {
	if c.out == nil {
		c.out = (*replies.Get().(*[]byte))[:0]
	}
	return c.out
}

// flushed sends what is in b if it is long, and gives the buffer to go on with.
func (c *call) flushed(b []byte) []byte {
	if len(b) < flushBytes {
		return b
	}
	if !c.sent {
		c.w.Header().Set("Content-Type", "application/json")
		c.sent = true
		c.w.WriteHeader(http.StatusOK)
	}
	c.w.Write(b) // a client that is gone need not be told
	c.out = b[:0]
	return c.out
}

// end sends what is left of the answer; the status counts if nothing was sent yet.
func (c *call) end(status int, b []byte) error {
	if !c.sent {
		header := c.w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Content-Length", strconv.Itoa(len(b)))
		c.sent = true
		c.w.WriteHeader(status)
	}
	c.w.Write(b) // a client that is gone need not be told
	c.out = b
	return nil
}

func (c *call) release() {
	if c.out != nil && cap(c.out) <= maxPooledReply {
		b := c.out[:0]
		replies.Put(&b)
	}
	c.out = nil
	c.body.Release()
}
