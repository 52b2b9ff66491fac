package gnocchi

import (
	"net/http"
	"sync"
)

const (
	flushBytes     = 64 << 10 // an answer longer than this goes out in pieces
	maxPooledReply = 256 << 10
)

// reply is a buffer for an answer.
type reply struct {
	b    []byte
	c    *call // nil: a text that is not an answer
	sent bool  // the head and some of the body are
}

var replies = sync.Pool{New: func() any { return new(reply) }}

func (r *reply) release() {
	if cap(r.b) > maxPooledReply {
		return
	}
	*r = reply{b: r.b[:0]}
	replies.Put(r)
}

// stream begins a successful answer of JSON that is appended to b bit by bit.
func (c *call) stream() *reply {
	r := replies.Get().(*reply)
	r.c = c
	return r
}

func (r *reply) flushIfLong() {
	if len(r.b) >= flushBytes && r.c != nil {
		r.flush()
	}
}

func (r *reply) flush() {
	if !r.sent {
		r.c.w.Header().Set("Content-Type", "application/json")
		r.c.written = true
		r.c.w.WriteHeader(http.StatusOK)
		r.sent = true
	}
	r.c.w.Write(r.b) // a client that is gone need not be told
	r.b = r.b[:0]
}

// end sends what is left; status counts if nothing was sent yet.
func (r *reply) end(status int) {
	if r.sent {
		r.flush()
		return
	}
	r.c.write(status, "application/json", r.b)
}
