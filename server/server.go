package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/gnocchi"
)

// Options configures New. A nil *Options and every zero field mean the default named beside the field.
type Options struct {
	// MaxLimit is the most items a page of a list has. Default 1000.
	MaxLimit int
	// MaxBodyBytes is the largest request body that is taken. Default 64 MiB.
	MaxBodyBytes int64
	// Grace is how long requests under way may take when the server stops. Default 10s.
	Grace time.Duration
	// Now is the clock that relative times in requests refer to. Default: time.Now.
	Now func() time.Time
	// Logger gets a line for each request (at level debug) and for each failure. Default: silent.
	Logger *slog.Logger
}

// Server answers requests from one database.
type Server struct {
	db      *engine.DB
	o       Options
	handler http.Handler
}

// What a client may take its time for, so that slow ones do not hold connections for ever. A body of the largest size
// passes in time at a few megabits a second.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 5 * time.Minute
	writeTimeout  = 5 * time.Minute
	idleTimeout   = 2 * time.Minute
)

// New returns a server for db.
func New(db *engine.DB, o *Options) *Server {
	var c Options
	if o != nil {
		c = *o
	}
	c.Grace = cmp.Or(c.Grace, 10*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{db: db, o: c}
	m := newMetrics(db)
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", s.healthz)
	mux.Handle("/metrics", m.handler())
	api := gnocchi.New(db, &gnocchi.Options{MaxLimit: c.MaxLimit, MaxBodyBytes: c.MaxBodyBytes, Now: c.Now, Logger: c.Logger})
	s.handler = s.observed(m, besides(mux, api))
	return s
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

// Handler gives everything the server answers, for those who bring a listener of their own.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers on ln until ctx is done, then stops accepting, lets requests under way finish within Options.Grace, and returns
// nil, or the error that ended it before or cut requests off. It closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(s.o.Logger.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }() // stopped by Shutdown or Close; waited for below
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
