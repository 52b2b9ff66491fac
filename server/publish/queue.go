package publish

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"github.com/valyala/fastjson"
)

// queue holds what came and waits to be stored: messages of a few protocols, end to end. Those who bring wait while it is full.
type queue struct {
	most int // bytes

	mu     sync.Mutex // guards what follows
	filled sync.Cond
	drawn  sync.Cond
	now    heap
	closed bool
}

// heap is messages end to end.
type heap struct {
	bytes    []byte
	messages []message
}

// message is where one ends, and where it came in.
type message struct {
	end  int
	door *intake
	from netip.AddrPort
}

// reset empties the heap, and keeps its memory unless a burst made it large.
func (h *heap) reset() {
	h.bytes, h.messages = h.bytes[:0], h.messages[:0]
	const keep = 8 << 20
	if cap(h.bytes) > keep {
		*h = heap{}
	}
}

const (
	maxTogether  = 1 << 13 // messages that are stored together
	messageBytes = 64      // that a message takes beside its own
)

func newQueue(bytes int) *queue {
	q := &queue{most: bytes}
	q.filled.L, q.drawn.L = &q.mu, &q.mu
	return q
}

// put adds a copy of a message.
func (q *queue) put(b []byte, door *intake, from netip.AddrPort) {
	q.mu.Lock()
	for len(q.now.messages) > 0 && len(q.now.bytes)+len(b)+messageBytes*len(q.now.messages) > q.most {
		q.drawn.Wait()
	}
	h := &q.now
	h.bytes = append(h.bytes, b...)
	h.messages = append(h.messages, message{len(h.bytes), door, from})
	q.mu.Unlock()
	q.filled.Signal()
}

// draw waits for messages and exchanges them for an empty heap. False: there are none, and there will be none.
func (q *queue) draw(h *heap) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.now.messages) == 0 && !q.closed {
		q.filled.Wait()
	}
	if len(q.now.messages) == 0 {
		return false
	}
	*h, q.now = q.now, *h
	q.drawn.Broadcast()
	return true
}

// close lets draw end when all is drawn. Nothing may be put any more.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.filled.Signal()
}

// Messages are what UDP and TCP bring, on their way into the store: one goroutine stores what has come while it stored the last.
type Messages struct {
	d     *Doors
	q     *queue
	ended chan struct{}
}

// Messages starts to store what ServeUDP and ServeTCP take. Close ends it.
func (d *Doors) Messages() *Messages {
	m := &Messages{d: d, q: newQueue(d.o.QueueBytes), ended: make(chan struct{})}
	go m.run() // stopped by Close, which waits for it
	return m
}

// Close stores what waits and returns. What serves has to have ended before.
func (m *Messages) Close() {
	m.q.close()
	<-m.ended
}

func (m *Messages) run() {
	defer close(m.ended)
	var h heap
	var json []byte
	ctx := context.Background() // what was taken is stored, whatever ends
	for m.q.draw(&h) {
		begin := 0
		for part := range slices.Chunk(h.messages, maxTogether) {
			var busy []*intake
			for _, one := range part {
				in := one.door
				if !in.gathering {
					in.reset()
					in.gathering = true
					busy = append(busy, in)
				}
				in.peer = one.from
				json = in.message(json[:0], h.bytes[begin:one.end])
				begin = one.end
			}
			for _, in := range busy {
				_ = in.store(ctx) // counted and told
				in.gathering = false
			}
		}
		h.reset()
	}
}

// message takes a message in msgpack, given room to spell it as JSON, which is returned to be used again.
func (in *intake) message(room, b []byte) []byte {
	room, rest, bad := appendMsgpack(room, b, maxDepth)
	if bad == nil && len(rest) > 0 {
		bad = refuse(reasonFormat, "%d bytes after the end of the message", len(rest))
	}
	if bad != nil {
		in.refuse(bad, 1)
		return room
	}
	g, ok := in.glance(room)
	if ok {
		defer g.release()
		if ok = g.single; ok && len(g.unknown) == 0 {
			g.take(nil)
			return room
		}
	}
	p := in.d.parsers.Get()
	defer in.d.parsers.Put(p)
	v, err := p.ParseBytes(room)
	switch {
	case err != nil:
		in.refuse(refuse(reasonFormat, "%v", err), 1)
	case ok:
		g.take([]*fastjson.Value{v})
	default:
		in.element(v)
	}
	return room
}
