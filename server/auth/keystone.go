package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// KeystoneOptions configures NewKeystone. URL, Username, Password and Project are needed; every other zero field means the
// default named beside it.
type KeystoneOptions struct {
	URL                string // of the Identity API, with or without /v3
	Username, Password string // of the service's own user, who may validate tokens
	Project            string // of that user
	UserDomain         string // name; default Default
	ProjectDomain      string // name; default Default

	CAFile   string        // PEM, to check an https URL; default: the system's
	Timeout  time.Duration // of a question to Keystone; default 5s
	Cache    time.Duration // how long an answer may be used at most; default 5m
	Negative time.Duration // how long a token is remembered as no good; default 10s
	Tokens   int           // how many tokens are remembered; default 10000
	Flights  int           // how many tokens are asked for at once; default 16

	Now    func() time.Time // clock; default time.Now
	Logger *slog.Logger     // of failures; default: silent
}

// Keystone believes tokens (X-Auth-Token) that a Keystone confirms. What it finds out is used until the token expires, at
// most for the time of KeystoneOptions.Cache: so long a revoked token may go on.
type Keystone struct {
	o          KeystoneOptions
	identity   identity
	good, bad  *cache
	flights    singleflight.Group
	inFlight   chan struct{}
	downBefore atomic.Int64 // Unix nanoseconds: Keystone did not answer, and is not asked before
}

// identity is what tells whose a token is.
type identity interface {
	// validate gives the caller of a token and when the token expires, or ErrUnauthenticated. errAnswered: it failed, but on
	// this token alone, perhaps.
	validate(ctx context.Context, token string) (*Caller, time.Time, error)
}

// maxToken is the longest token that is looked at, in bytes.
const maxToken = 16 << 10

// downPause is how long Keystone is left alone after it did not answer.
const downPause = 2 * time.Second

var (
	errBusy     = errors.New("too many tokens are being validated at once")
	errAnswered = errors.New("keystone answered with an error")
)

// NewKeystone gives an authenticator that asks the Keystone of o. It does not ask before the first request.
func NewKeystone(o KeystoneOptions) (*Keystone, error) {
	if o.URL == "" || o.Username == "" || o.Password == "" || o.Project == "" {
		return nil, errors.New("keystone: URL, user name, password and project of the service are needed")
	}
	o.UserDomain = cmp.Or(o.UserDomain, "Default")
	o.ProjectDomain = cmp.Or(o.ProjectDomain, "Default")
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.Cache = cmp.Or(o.Cache, 5*time.Minute)
	o.Negative = cmp.Or(o.Negative, 10*time.Second)
	o.Tokens = cmp.Or(o.Tokens, 10000)
	o.Flights = cmp.Or(o.Flights, 16)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	id, err := newIdentityClient(&o)
	if err != nil {
		return nil, err
	}
	return keystone(o, id), nil
}

func keystone(o KeystoneOptions, id identity) *Keystone {
	return &Keystone{o: o, identity: id, good: newCache(o.Tokens), bad: newCache(o.Tokens), inFlight: make(chan struct{}, o.Flights)}
}

// Challenge implements Authenticator.
func (k *Keystone) Challenge() string { return fmt.Sprintf("Keystone uri=%q", k.o.URL) }

// Optional implements Authenticator.
func (*Keystone) Optional() bool { return false }

// Authenticate implements Authenticator. While Keystone does not answer, tokens that are remembered go on.
func (k *Keystone) Authenticate(r *http.Request) (*Caller, error) {
	token := r.Header.Get("X-Auth-Token")
	if !plausible(token) {
		return nil, ErrUnauthenticated
	}
	key := tokenKey(sha256.Sum256([]byte(token)))
	c, known := k.remembered(key)
	if !known {
		flight := k.flights.DoChan(string(key[:]), func() (any, error) { return k.ask(key, token) })
		select {
		case res := <-flight:
			if res.Err != nil {
				return nil, res.Err
			}
			c = res.Val.(*Caller)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if c == nil {
		return nil, ErrUnauthenticated
	}
	own := *c
	return &own, nil
}

// plausible tells whether text can be a token. Keystone is not to be troubled with what may trouble it.
func plausible(token string) bool {
	if token == "" || len(token) > maxToken {
		return false
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return false
		}
	}
	return true
}

func (k *Keystone) remembered(key tokenKey) (caller *Caller, known bool) {
	now := k.o.Now()
	if c, ok := k.good.get(key, now); ok {
		return c, true
	}
	return k.bad.get(key, now)
}

// ask asks Keystone for a token and remembers the answer: a nil Caller if the token is no good. It outlives the request it is
// done for, since others may wait for it.
func (k *Keystone) ask(key tokenKey, token string) (*Caller, error) {
	if c, known := k.remembered(key); known { // an earlier flight has just landed
		return c, nil
	}
	now := k.o.Now()
	if down := time.Duration(k.downBefore.Load() - now.UnixNano()); down > 0 {
		return nil, &UnavailableError{RetryAfter: down, Err: errors.New("keystone did not answer a moment ago")}
	}
	select {
	case k.inFlight <- struct{}{}:
		defer func() { <-k.inFlight }()
	default:
		return nil, &UnavailableError{RetryAfter: time.Second, Err: errBusy}
	}
	ctx, cancel := context.WithTimeout(context.Background(), k.o.Timeout)
	defer cancel()
	c, expires, err := k.identity.validate(ctx, token)
	switch {
	case errors.Is(err, ErrUnauthenticated):
		k.bad.put(key, nil, now.Add(k.o.Negative))
		return nil, nil
	case err != nil:
		if !errors.Is(err, errAnswered) {
			k.downBefore.Store(k.o.Now().Add(downPause).UnixNano())
		}
		k.o.Logger.Error("keystone cannot be asked", "err", err)
		return nil, &UnavailableError{RetryAfter: downPause, Err: err}
	}
	if limit := now.Add(k.o.Cache); expires.After(limit) {
		expires = limit
	}
	k.good.put(key, c, expires)
	return c, nil
}
