package wire

import (
	"context"
	"net"
	"sync"
	"time"
)

// watchAfter is how long a request takes before anybody looks whether its client is still there.
const watchAfter = 100 * time.Millisecond

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// watch ends the context of a request that takes long when its client goes away. It looks by reading ahead, which nobody else does once the request has
// been read. One timer is for all requests of a connection, so that most of them neither set nor stop one.
type watch struct {
	nc    net.Conn
	timer *time.Timer // calls look

	mu       sync.Mutex
	armed    bool               // the timer runs, or look is about to begin
	began    time.Time          // of the request under way; zero: there is none
	heard    bool               // all of it was read
	gone     context.CancelFunc // of its context
	stopping bool               // reading ahead is to end
	reading  chan struct{}      // closed when reading ahead ends; nil: it has not begun
	ahead    byte               // what was read ahead,
	has      bool               // if this
}

// begin says that a request begins. heard: there is no more of it to be read.
func (w *watch) begin(now time.Time, heard bool, gone context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began, w.heard, w.gone = now, heard, gone
	if w.armed {
		return
	}
	w.armed = true
	if w.timer == nil {
		w.timer = time.AfterFunc(watchAfter, w.look)
	} else {
		w.timer.Reset(watchAfter)
	}
}

// hear says that the whole request was read.
func (w *watch) hear() {
	w.mu.Lock()
	w.heard = true
	w.mu.Unlock()
}

// look reads ahead, unless it is too early, until something comes or end is called.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
	if w.began.IsZero() {
		return
	}
	wait := watchAfter - time.Since(w.began)
	if !w.heard {
		wait = watchAfter
	}
	if wait > 0 {
		w.armed = true
		w.timer.Reset(wait)
		return
	}
	w.reading = make(chan struct{})
	_ = w.nc.SetReadDeadline(time.Time{})
	w.mu.Unlock()
	var b [1]byte
	n, err := w.nc.Read(b[:])
	w.mu.Lock()
	w.ahead, w.has = b[0], n == 1
	if err != nil && !w.stopping {
		w.gone()
	}
	close(w.reading)
}

// end says that the request is done. Afterwards nobody reads ahead.
func (w *watch) end() {
	w.mu.Lock()
	w.began, w.gone = time.Time{}, nil
	reading := w.reading
	if reading != nil {
		w.stopping = true
		_ = w.nc.SetReadDeadline(longAgo)
	}
	w.mu.Unlock()
	if reading == nil {
		return
	}
	<-reading
	_ = w.nc.SetReadDeadline(time.Time{})
	w.mu.Lock()
	w.reading, w.stopping = nil, false
	w.mu.Unlock()
}

// close says that there will be no other request.
func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

// Read reads from the connection, first what was read ahead. It is not for when a request is under way that was heard.
func (w *watch) Read(p []byte) (int, error) {
	if w.has && len(p) > 0 {
		p[0], w.has = w.ahead, false
		return 1, nil
	}
	return w.nc.Read(p)
}
