package limit

import (
	"context"
	"fmt"
	"sync"
)

// ShareError: one client alone takes as much as one may. It is an ErrBusy, whose cause is the client's to mend.
type ShareError struct {
	Client string // who
	Detail string // what it has
}

// Error names the limit.
func (e *ShareError) Error() string {
	return fmt.Sprintf("%s has %s, the most that one client may have (client-share): try again when they are done", e.Client, e.Detail)
}

// Unwrap gives ErrBusy.
func (e *ShareError) Unwrap() error { return ErrBusy }

// Shares bounds what each client has of the requests under way and of their bodies' memory, so that one cannot take the places of all others.
// It knows a client only while that has requests under way. A nil Shares bounds nothing.
type Shares struct {
	places int
	bytes  int64
	whole  *Budget

	mu      sync.Mutex
	clients map[string]*client
}

type client struct {
	inside int
	budget *Budget
}

// NewShares gives each client so many places and so many bytes of a budget, of which one request alone may always have more.
func NewShares(places int, bytes int64, whole *Budget) *Shares {
	return &Shares{places: places, bytes: bytes, whole: whole, clients: map[string]*client{}}
}

// Clients tells how many clients have requests under way.
func (s *Shares) Clients() int {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients)
}

// Guest is a request under way, of a client that is not known yet. It serves one goroutine. A nil Guest has no client.
type Guest struct {
	shares *Shares
	name   string
	client *client
}

type guestKey struct{}

// Enter gives a context of a request, and the request's guest, who has to Leave.
func (s *Shares) Enter(ctx context.Context) (context.Context, *Guest) {
	if s == nil {
		return ctx, nil
	}
	g := &Guest{shares: s}
	return context.WithValue(ctx, guestKey{}, g), g
}

// GuestOf gives the guest of a request's context; nil: there is none.
func GuestOf(ctx context.Context) *Guest {
	g, _ := ctx.Value(guestKey{}).(*Guest)
	return g
}

// Is says whose request it is, once. *ShareError: that client has as many under way as one may have.
func (g *Guest) Is(name string) error {
	if g == nil || g.client != nil {
		return nil
	}
	s := g.shares
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[name]
	if c == nil {
		c = &client{budget: s.whole.share(s.bytes, name)}
		s.clients[name] = c
	}
	if c.inside >= s.places {
		return &ShareError{Client: name, Detail: fmt.Sprintf("%d requests under way", c.inside)}
	}
	c.inside++
	g.name, g.client = name, c
	return nil
}

// Leave ends the request.
func (g *Guest) Leave() {
	if g == nil || g.client == nil {
		return
	}
	s := g.shares
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.client.inside--; g.client.inside == 0 {
		delete(s.clients, g.name)
	}
	g.client = nil
}

// BudgetOf gives the memory for the body of the request with the context: its client's share of whole, or all of it.
func BudgetOf(ctx context.Context, whole *Budget) *Budget {
	if g := GuestOf(ctx); g != nil && g.client != nil {
		return g.client.budget
	}
	return whole
}
