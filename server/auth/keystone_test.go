package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeIdentity knows the tokens of users by the names good-USER, which end in an hour, and short-USER, in a minute.
type fakeIdentity struct {
	asked atomic.Int64
	err   atomic.Value // error, while there is one
	delay time.Duration
}

func (f *fakeIdentity) validate(ctx context.Context, token string) (*Caller, time.Time, error) {
	f.asked.Add(1)
	select {
	case <-time.After(f.delay):
	case <-ctx.Done():
		return nil, time.Time{}, ctx.Err()
	}
	if err, _ := f.err.Load().(error); err != nil && !errors.Is(err, errFine) {
		return nil, time.Time{}, err
	}
	kind, user, _ := strings.Cut(token, "-")
	switch kind {
	case "good":
		return scoped(user, "p", ""), time.Now().Add(time.Hour), nil
	case "short":
		return scoped(user, "p", ""), time.Now().Add(time.Minute), nil
	}
	return nil, time.Time{}, ErrUnauthenticated
}

var (
	errFine = errors.New("fine")
	errDown = errors.New("connection refused")
)

func fake(o KeystoneOptions) (*Keystone, *fakeIdentity) {
	o.URL, o.Username, o.Password, o.Project = "http://keystone.example", "u", "p", "s"
	k, err := NewKeystone(o)
	if err != nil {
		panic(err)
	}
	f := &fakeIdentity{}
	k.identity = f
	return k, f
}

func (k *Keystone) try(token string) (*Caller, error) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Auth-Token", token)
	return k.Authenticate(r)
}

// expect tries a token: want is the user it is of, "" if it is to be no good, or "later".
func (k *Keystone) expect(t *testing.T, token, want string) {
	t.Helper()
	c, err := k.try(token)
	var u *UnavailableError
	switch {
	case want == "" && errors.Is(err, ErrUnauthenticated):
	case want == "later" && errors.As(err, &u) && u.RetryAfter > 0:
	case want != "" && err == nil && c.UserID == want:
	default:
		t.Errorf("%s: %+v %v, want %q", token, c, err, want)
	}
}

func (f *fakeIdentity) expectAsked(t *testing.T, want int64) {
	t.Helper()
	if got := f.asked.Swap(0); got != want {
		t.Errorf("asked %d times, want %d", got, want)
	}
}

func TestKeystoneCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, f := fake(KeystoneOptions{Tokens: 2})
		for range 3 {
			k.expect(t, "good-a", "a")
			k.expect(t, "bad-a", "")
		}
		f.expectAsked(t, 2)
		time.Sleep(11 * time.Second) // the bad one is forgotten
		k.expect(t, "good-a", "a")
		k.expect(t, "bad-a", "")
		f.expectAsked(t, 1)
		time.Sleep(5 * time.Minute) // both are
		k.expect(t, "good-a", "a")
		k.expect(t, "short-b", "b")
		f.expectAsked(t, 2)
		time.Sleep(59 * time.Second)
		k.expect(t, "short-b", "b")
		f.expectAsked(t, 0)
		time.Sleep(time.Second) // the token has ended
		k.expect(t, "short-b", "b")
		f.expectAsked(t, 1)
		k.expect(t, "good-c", "c") // in place of good-a, the least recently used
		k.expect(t, "short-b", "b")
		f.expectAsked(t, 1)
		for i := range 100 { // tokens made up do not drive out good ones
			k.expect(t, fmt.Sprint("bad-", i), "")
		}
		f.expectAsked(t, 100)
		k.expect(t, "good-c", "c")
		k.expect(t, "short-b", "b")
		f.expectAsked(t, 0)
		if len(k.good.entries) != 2 || len(k.bad.entries) != 2 {
			t.Errorf("%d and %d are remembered", len(k.good.entries), len(k.bad.entries))
		}
		for _, token := range []string{"", "good a", "good-\x80", strings.Repeat("x", maxToken+1)} {
			k.expect(t, token, "")
		}
		f.expectAsked(t, 0)
	})
}

// TestKeystoneOwn: what one request does to its caller is nothing to the next.
func TestKeystoneOwn(t *testing.T) {
	k, _ := fake(KeystoneOptions{})
	first, _ := k.try("good-a")
	first.UserID = "changed"
	k.expect(t, "good-a", "a")
}

func TestKeystoneOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, f := fake(KeystoneOptions{})
		f.delay = time.Second
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { k.expect(t, "good-a", "a") })
			wg.Go(func() { k.expect(t, "bad", "") })
		}
		wg.Wait()
		f.expectAsked(t, 2)
	})
}

// TestKeystoneGone has the first of those who wait for a token go away: the others get their answer.
func TestKeystoneGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, f := fake(KeystoneOptions{})
		f.delay = time.Second
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequest("GET", "/", nil).WithContext(ctx)
		r.Header.Set("X-Auth-Token", "good-a")
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := k.Authenticate(r); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		wg.Go(func() { k.expect(t, "good-a", "a") })
		synctest.Wait()
		cancel()
		wg.Wait()
		f.expectAsked(t, 1)
	})
}

func TestKeystoneDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, f := fake(KeystoneOptions{})
		k.expect(t, "good-a", "a")
		k.expect(t, "bad", "")
		f.err.Store(errDown)
		f.asked.Store(0)
		for range 5 { // one question, then Keystone is left alone for a moment
			k.expect(t, "good-b", "later")
			k.expect(t, "good-c", "later")
			k.expect(t, "good-a", "a")
			k.expect(t, "bad", "")
		}
		f.expectAsked(t, 1)
		time.Sleep(downPause)
		k.expect(t, "good-b", "later")
		f.expectAsked(t, 1)
		f.err.Store(errFine)
		k.expect(t, "good-b", "later")
		f.expectAsked(t, 0)
		time.Sleep(downPause)
		k.expect(t, "good-b", "b")
		k.expect(t, "good-c", "c")
		f.expectAsked(t, 2)

		// An error of Keystone's about one token is no reason to keep others waiting.
		f.err.Store(errAnswered)
		k.expect(t, "good-d", "later")
		f.err.Store(errFine)
		k.expect(t, "good-e", "e")

		// One that does not answer at all counts as down after the timeout.
		f.delay = time.Hour
		begin := time.Now()
		k.expect(t, "good-f", "later")
		k.expect(t, "good-g", "later")
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestKeystoneBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, f := fake(KeystoneOptions{Flights: 2})
		f.delay = time.Second
		var wg sync.WaitGroup
		wg.Go(func() { k.expect(t, "good-a", "a") })
		wg.Go(func() { k.expect(t, "good-b", "b") })
		synctest.Wait()
		k.expect(t, "good-c", "later")
		wg.Wait()
		k.expect(t, "good-c", "c")
	})
}

func TestNewKeystone(t *testing.T) {
	for _, o := range []KeystoneOptions{{}, {URL: "x", Username: "x", Password: "x"}, {URL: "x", Username: "x", Project: "x"},
		{URL: "http://x", Username: "x", Password: "x", Project: "x", CAFile: "/no/such/file"}} {
		if _, err := NewKeystone(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
