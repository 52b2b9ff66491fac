package wire

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

const (
	headBytes = 4 << 10   // the longest head that is served here, and what is read at once
	drained   = 256 << 10 // the most of a body that nobody wanted that is read to keep the connection
	linger    = 500 * time.Millisecond
)

// The states of a connection. Who takes one out of idle decides what becomes of it.
const (
	idle int32 = iota
	busy
	ended
)

// conn is a connection. But for state and watch, it is its goroutine's.
type conn struct {
	s      *Server
	nc     net.Conn
	in     *bufio.Reader // of watch
	peer   string
	state  atomic.Int32
	watch  watch
	body   *body              // of the request under way; nil: it has none
	cancel context.CancelFunc // of its context
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{s: s, nc: nc, peer: nc.RemoteAddr().String()}
	c.watch.nc = nc
	c.in = bufio.NewReaderSize(&c.watch, headBytes)
	return c
}

// serve answers requests until there are no more for it.
func (c *conn) serve() {
	defer c.s.forget(c)
	defer c.watch.close()
	for patience := c.s.http.ReadHeaderTimeout; ; patience = c.s.http.IdleTimeout {
		if patience > 0 {
			_ = c.nc.SetReadDeadline(time.Now().Add(patience))
		}
		if _, err := c.in.Peek(1); err != nil || !c.state.CompareAndSwap(idle, busy) {
			c.nc.Close()
			return
		}
		if c.in.Buffered() == 1 { // read ahead, while the request before took long
			c.deadline(c.nc.SetReadDeadline, time.Now(), c.s.http.ReadHeaderTimeout)
			_, _ = c.in.Peek(2) // what is wrong is net/http's
		}
		came, _ := c.in.Peek(c.in.Buffered())
		n := headLength(came)
		if n == 0 || !plain(came[:n]) {
			c.handOver(came)
			return
		}
		r, err := http.ReadRequest(c.in) // from what came: nothing is read into its place
		if err != nil {
			c.handOver(came)
			return
		}
		if !c.answer(r) {
			c.hangUp()
			return
		}
		c.state.Store(idle)
		if c.s.closing.Load() && c.state.CompareAndSwap(idle, ended) {
			c.nc.Close()
			return
		}
	}
}

// answer has a request answered. False: the connection has to end.
func (c *conn) answer(r *http.Request) (goesOn bool) {
	now := time.Now()
	ctx, cancel := context.WithCancel(c.s.context)
	c.cancel, c.body = cancel, nil
	r = r.WithContext(ctx)
	r.RemoteAddr = c.peer
	if r.ContentLength > 0 {
		c.body = &body{c: c, left: r.ContentLength}
		r.Body = c.body
		c.deadline(c.nc.SetReadDeadline, now, c.s.http.ReadTimeout)
	}
	c.deadline(c.nc.SetWriteDeadline, now, c.s.http.WriteTimeout)
	c.watch.begin(now, c.body == nil, cancel)
	a := &answer{c: c, header: http.Header{}, length: -1}
	a.begin()
	defer a.release()
	defer func() {
		p := recover()
		cancel()
		c.watch.end()
		if p != nil {
			goesOn = false
			c.told(p)
		}
	}()
	c.s.http.Handler.ServeHTTP(a, r)
	c.watch.end() // before the client can send the next request
	goesOn = a.finish()
	return goesOn && c.drain()
}

func (c *conn) deadline(set func(time.Time) error, now time.Time, after time.Duration) {
	if after > 0 {
		_ = set(now.Add(after))
	}
}

// told logs what a handler failed with.
func (c *conn) told(p any) {
	if p != http.ErrAbortHandler && c.s.http.ErrorLog != nil {
		c.s.http.ErrorLog.Printf("http: panic serving %s: %v\n%s", c.peer, p, debug.Stack())
	}
}

// mustClose tells whether the connection cannot be kept after the answer that is being begun.
func (c *conn) mustClose() bool {
	return c.s.closing.Load() || c.body != nil && (c.body.left > drained || c.body.err != nil)
}

// drain reads what nobody read of the request.
func (c *conn) drain() bool {
	b := c.body
	if b == nil || b.left == 0 {
		return true
	}
	if b.left > drained || b.err != nil {
		return false
	}
	n, err := io.CopyN(io.Discard, c.in, b.left)
	b.left -= n
	return err == nil
}

// hangUp ends the connection so that the client gets to see the answer, although it may still be sending.
func (c *conn) hangUp() {
	defer c.nc.Close()
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || c.body == nil || c.body.left == 0 || half.CloseWrite() != nil {
		return
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(linger))
	_, _ = io.CopyN(io.Discard, c.nc, drained)
}

// handOver gives the connection to net/http, with what came of a request.
func (c *conn) handOver(came []byte) {
	_ = c.nc.SetReadDeadline(time.Time{})
	_ = c.nc.SetWriteDeadline(time.Time{})
	if !c.s.others.give(&replayed{Conn: c.nc, came: bytes.Clone(came)}) {
		c.nc.Close()
	}
}

// replayed is a connection of which some was read before.
type replayed struct {
	net.Conn
	came []byte
}

// Read implements net.Conn.
func (r *replayed) Read(p []byte) (int, error) {
	if len(r.came) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.came)
	r.came = r.came[n:]
	return n, nil
}

// CloseWrite lets net/http end a connection gently.
func (r *replayed) CloseWrite() error {
	if half, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
