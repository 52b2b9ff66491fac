package wire

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server serves one listener.
type Server struct {
	http    *http.Server
	context context.Context // of all requests
	end     context.CancelFunc
	others  *handover
	closing atomic.Bool
	empty   chan struct{} // gets a value when the last connection has gone while closing

	mu    sync.Mutex
	ln    net.Listener
	conns map[*conn]struct{}
}

// New puts a Server in front of s, whose handler, timeouts and log it shares, and which has to serve nothing else. The caller does not
// change s afterwards.
func New(s *http.Server) *Server {
	ctx, end := context.WithCancel(context.WithValue(context.Background(), http.ServerContextKey, s))
	return &Server{http: s, context: ctx, end: end, others: &handover{conns: make(chan net.Conn), closed: make(chan struct{})},
		empty: make(chan struct{}, 1), conns: map[*conn]struct{}{}}
}

// Serve serves the connections of ln until that fails, Shutdown or Close is called: then it is http.ErrServerClosed. It closes ln.
func (s *Server) Serve(ln net.Listener) error {
	s.mu.Lock()
	s.ln = ln
	s.mu.Unlock()
	s.others.addr = ln.Addr()
	defer ln.Close()
	if s.closing.Load() {
		return http.ErrServerClosed
	}
	ended := make(chan error, 1)
	go func() { ended <- s.http.Serve(s.others) }() // ends with others
	err := s.accept(ln)
	_ = s.others.Close()
	<-ended
	return err
}

// accept starts a goroutine for each connection.
func (s *Server) accept(ln net.Listener) error {
	const longest = time.Second
	for wait := time.Duration(0); ; {
		nc, err := ln.Accept()
		if err == nil {
			wait = 0
			s.add(nc)
			continue
		}
		if s.closing.Load() {
			return http.ErrServerClosed
		}
		var temporary interface{ Temporary() bool }
		if !errors.As(err, &temporary) || !temporary.Temporary() {
			return err
		}
		wait = min(max(2*wait, 5*time.Millisecond), longest) // there are no descriptors left, perhaps
		time.Sleep(wait)
	}
}

func (s *Server) add(nc net.Conn) {
	c := newConn(s, nc)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		nc.Close()
		return
	}
	s.conns[c] = struct{}{}
	go c.serve() // ends with the connection
}

// forget takes a connection off the list.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.tellEmpty()
}

func (s *Server) tellEmpty() {
	if len(s.conns) == 0 && s.closing.Load() {
		select {
		case s.empty <- struct{}{}:
		default:
		}
	}
}

// Shutdown ends Serve and all connections without a request under way, and waits until the others are done. It returns the
// error of ctx if that is done before.
func (s *Server) Shutdown(ctx context.Context) error {
	s.close(func(c *conn) bool { return c.state.CompareAndSwap(idle, ended) })
	err := s.http.Shutdown(ctx)
	select {
	case <-s.empty:
		s.end()
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends Serve and all connections at once.
func (s *Server) Close() error {
	s.close(func(c *conn) bool { return true })
	s.end()
	return s.http.Close()
}

// close ends Serve and the connections that are chosen.
func (s *Server) close(chosen func(c *conn) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing.Store(true)
	if s.ln != nil {
		_ = s.ln.Close()
	}
	for c := range s.conns {
		if chosen(c) {
			_ = c.nc.Close()
		}
	}
	s.tellEmpty()
}

// handover is a listener whose connections come from this package.
type handover struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// give hands a connection over. False: nobody takes it any more.
func (h *handover) give(nc net.Conn) bool {
	select {
	case h.conns <- nc:
		return true
	case <-h.closed:
		return false
	}
}

// Accept implements net.Listener.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case nc := <-h.conns:
		return nc, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handover) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements net.Listener.
func (h *handover) Addr() net.Addr { return h.addr }
