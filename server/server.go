package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/ceilometer"
	"github.com/telemetrydb/tsdb/server/gnocchi"
	"github.com/telemetrydb/tsdb/server/ingest"
	"github.com/telemetrydb/tsdb/server/limit"
	"github.com/telemetrydb/tsdb/server/samples"
)

// Options configures New. A nil *Options and every zero field mean the default named beside the field.
type Options struct {
	// Gate says who sends a request and what they may do. Default: basic authentication and Gnocchi's rules.
	Gate *auth.Gate
	// MaxLimit is the most items a page of a list has. Default 1000.
	MaxLimit int
	// MaxBodyBytes is the largest request body that is taken. Default 64 MiB.
	MaxBodyBytes int64
	// MaxBodies is the memory that the bodies of all requests under way may take, in bytes. Default 256 MiB, at least
	// MaxBodyBytes.
	MaxBodies int64
	// MaxRequests is how many requests are served at once. Default 512.
	MaxRequests int
	// ClientShare is how much of MaxRequests and MaxBodies one client may have, in percent: a project, or an address where the caller has no
	// project. Default 75; 100: all of it.
	ClientShare int
	// MaxQueryBytes is the longest query string. Default 128 KiB. MaxHeaderBytes is the most that a request line and the
	// headers may have in all. Default 256 KiB.
	MaxQueryBytes, MaxHeaderBytes int
	// Query bounds what one request may read and compute. Default: as query.Limits says.
	Query query.Limits
	// Patience is how long in all a client may stall with a request or an answer. Default 20s.
	Patience time.Duration
	// CORSOrigins are the origins whose pages may use the API from a browser; "*": every one. Default: none.
	CORSOrigins []string
	// Prefix is the path that the API is mounted at, such as /metric. Default: the root.
	Prefix string
	// ProxyHeaders believes Forwarded, X-Forwarded-Proto, -Host, -For and -Prefix. Default: it does not.
	ProxyHeaders bool
	// Ceilometer configures Ceilometer's API, of which what it shares with the others comes from here. Default: as ceilometer.Options says.
	Ceilometer ceilometer.Options
	// Samples takes the samples that come through Ceilometer's API. Default: one of the server's own.
	Samples *samples.Store
	// Publish takes what ServePublish is sent. Default: nothing does.
	Publish http.Handler
	// TLS makes Serve speak HTTPS. Default: HTTP.
	TLS *tls.Config
	// Grace is how long requests under way may take when the server stops. Default 10s.
	Grace time.Duration
	// Refused counts the samples of other protocols than Gnocchi's that are not stored, and is told by /metrics. Default: one of the
	// server's own.
	Refused *ingest.Refused
	// Now is the clock that relative times in requests refer to. Default: time.Now.
	Now func() time.Time
	// Logger gets a line for each request (at level debug) and for each failure. Default: silent.
	Logger *slog.Logger
}

func (o *Options) withDefaults(db *engine.DB) Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Gate == nil {
		c.Gate = auth.NewGate(nil, nil)
	}
	c.MaxBodyBytes = cmp.Or(c.MaxBodyBytes, 64<<20)
	c.MaxBodies = max(cmp.Or(c.MaxBodies, 256<<20), c.MaxBodyBytes)
	c.MaxRequests = cmp.Or(c.MaxRequests, 512)
	c.ClientShare = cmp.Or(c.ClientShare, 75)
	c.MaxQueryBytes = cmp.Or(c.MaxQueryBytes, 128<<10)
	c.MaxHeaderBytes = cmp.Or(c.MaxHeaderBytes, 256<<10)
	c.Patience = cmp.Or(c.Patience, 20*time.Second)
	c.Prefix = strings.TrimRight(c.Prefix, "/")
	c.Grace = cmp.Or(c.Grace, 10*time.Second)
	if c.Refused == nil {
		c.Refused = ingest.NewRefused()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Samples == nil {
		c.Samples = samples.New(db, nil)
	}
	return c
}

// Server answers requests from one database.
type Server struct {
	db      *engine.DB
	o       Options
	origin  origin
	busy    *limit.Gate   // requests under way
	budget  *limit.Budget // memory for their bodies
	shares  *limit.Shares // what one client may have of both
	handler http.Handler
	ceilo   http.Handler
	publish http.Handler // nil: there is none
}

// What a client may take its time for, so that slow ones do not hold connections for ever. Bodies and answers have, in
// addition, to keep a pace (package limit).
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 5 * time.Minute
	writeTimeout  = 5 * time.Minute
	idleTimeout   = 2 * time.Minute
)

// New returns a server for db.
func New(db *engine.DB, o *Options) *Server {
	c := o.withDefaults(db)
	s := &Server{db: db, o: c, origin: origin{c.Prefix, c.ProxyHeaders}, busy: limit.NewGate(c.MaxRequests),
		budget: limit.NewBudget(c.MaxBodies)}
	s.shares = c.shares(s.budget)
	c.Gate = c.Gate.Admitting(s.admit)
	s.o.Gate = c.Gate
	m := newMetrics(s)
	own := http.NewServeMux()
	own.HandleFunc("/healthz", s.healthz)
	own.Handle("/metrics", m.handler())
	api := gnocchi.New(db, &gnocchi.Options{Gate: c.Gate, MaxLimit: c.MaxLimit, MaxBodyBytes: c.MaxBodyBytes, Budget: s.budget, Query: c.Query,
		Root: s.origin.root, Refused: c.Refused, Now: c.Now, Logger: c.Logger})
	below := cors(c.CORSOrigins, s.limited(s.origin.mounted(api), gnocchi.WriteError))
	s.handler = s.observed(m, besides(own, below))
	below = cors(c.CORSOrigins, s.limited(s.origin.mounted(s.ceilometer()), ceilometer.WriteError))
	s.ceilo = s.observed(m, besides(own, below))
	if c.Publish != nil {
		s.publish = s.observed(m, besides(own, s.limited(c.Publish, ceilometer.WriteError)))
	}
	return s
}

// ceilometer gives Ceilometer's API.
func (s *Server) ceilometer() http.Handler {
	c, o := s.o, s.o.Ceilometer
	o.Gate, o.MaxBodyBytes, o.Budget, o.Query, o.Root, o.Now, o.Logger = c.Gate, c.MaxBodyBytes, s.budget, c.Query, s.origin.root, c.Now, c.Logger
	return ceilometer.New(s.db, c.Samples, &o)
}

// besides serves from mux what it has, and the rest from api without touching the path: a mux would redirect paths with
// double slashes, which clients of that API use.
func besides(mux *http.ServeMux, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/healthz", "/metrics":
			mux.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	})
}

// Handler gives everything the server answers, but for Ceilometer's API, for those who bring a listener of their own.
func (s *Server) Handler() http.Handler { return s.handler }

// CeilometerHandler is Handler of Ceilometer's API.
func (s *Server) CeilometerHandler() http.Handler { return s.ceilo }

// Serve answers on ln until ctx is done, then stops accepting, lets requests under way finish within Options.Grace, and returns
// nil, or the error that ended it before or cut requests off. It closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return s.serve(ctx, ln, s.handler)
}

// ServeCeilometer is Serve of Ceilometer's API.
func (s *Server) ServeCeilometer(ctx context.Context, ln net.Listener) error {
	return s.serve(ctx, ln, s.ceilo)
}

// ServePublish is Serve of Options.Publish, which has to be there.
func (s *Server) ServePublish(ctx context.Context, ln net.Listener) error {
	return s.serve(ctx, ln, s.publish)
}

func (s *Server) serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    s.o.MaxHeaderBytes,
		TLSConfig:         s.o.TLS,
		ErrorLog:          slog.NewLogLogger(s.o.Logger.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	serve := srv.Serve
	if s.o.TLS != nil {
		serve = func(ln net.Listener) error { return srv.ServeTLS(ln, "", "") }
	}
	go func() { ended <- serve(ln) }() // stopped by Shutdown or Close; waited for below
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Grace)
	defer cancel()
	err := srv.Shutdown(grace)
	if err != nil {
		err = errors.Join(errors.New("requests were cut off"), srv.Close())
	}
	<-ended
	return err
}

// healthz answers 200 while the database takes writes, 503 with the reason while it does not.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if fault := s.db.Stats().Fault; fault != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write([]byte("read-only: " + fault + "\n"))
		return
	}
	w.Write([]byte("ok\n"))
}
