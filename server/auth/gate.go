package auth

import (
	"errors"
	"net/http"
	"time"
)

// ErrUnauthenticated: the request does not say, or not credibly, who sends it.
var ErrUnauthenticated = errors.New("not authenticated")

// ErrForbidden: the caller may not do this to anything.
var ErrForbidden = errors.New("Insufficient privileges")

// UnavailableError says that it cannot be found out now who sends a request.
type UnavailableError struct {
	RetryAfter time.Duration // when to try again
	Err        error         // what failed
}

func (e *UnavailableError) Error() string {
	return "authentication is not possible now: " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Authenticator finds out who sends a request. Its methods may be called by any number of goroutines.
type Authenticator interface {
	// Authenticate gives the caller of a request, which becomes the gate's. ErrUnauthenticated: the request does not say, or
	// not credibly. *UnavailableError: this cannot be found out now. It does not read the body.
	Authenticate(r *http.Request) (*Caller, error)
	// Challenge is the value of WWW-Authenticate for those who did not say who they are; may be empty.
	Challenge() string
	// Optional tells whether what is the same for everybody may be asked without saying who asks.
	Optional() bool
}

// Gate is what requests pass: it says who sends them and what those may do.
type Gate struct {
	authenticator Authenticator
	policy        *Policy
	admit         func(*http.Request, *Caller) error // may be nil
}

// NewGate puts a gate together. nil: basic authentication, the default policy.
func NewGate(a Authenticator, p *Policy) *Gate {
	if a == nil {
		a = Basic{}
	}
	if p == nil {
		p = DefaultPolicy()
	}
	return &Gate{authenticator: a, policy: p}
}

// Admitting gives a gate like this one that asks admit about each caller who is known, and refuses the request with its error.
func (g *Gate) Admitting(admit func(r *http.Request, c *Caller) error) *Gate {
	return &Gate{authenticator: g.authenticator, policy: g.policy, admit: admit}
}

// Caller gives who sends a request, by the errors of Authenticator and of who admits.
func (g *Gate) Caller(r *http.Request) (*Caller, error) {
	c, err := g.authenticator.Authenticate(r)
	if err != nil {
		return nil, err
	}
	c.policy = g.policy
	if g.admit != nil {
		if err := g.admit(r, c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Challenge is the value of WWW-Authenticate for those who did not say who they are; may be empty.
func (g *Gate) Challenge() string { return g.authenticator.Challenge() }

// Optional tells whether what is the same for everybody may be asked without saying who asks.
func (g *Gate) Optional() bool { return g.authenticator.Optional() }
