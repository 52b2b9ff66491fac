package gnocchi

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestPyTimedelta(t *testing.T) {
	f := func(d time.Duration, want string) {
		t.Helper()
		if got := pyTimedelta(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	f(5*time.Minute, "0:05:00")
	f(time.Hour, "1:00:00")
	f(7*24*time.Hour, "7 days, 0:00:00")
	f(24*time.Hour, "1 day, 0:00:00")
	f(365*24*time.Hour+25*time.Second, "365 days, 0:00:25")
	f(3600*time.Millisecond, "0:00:03.600000")
	f(1500*time.Millisecond, "0:00:01.500000")
	f(23*time.Hour+59*time.Minute+58*time.Second, "23:59:58")
	f(1500, "0:00:00.000002")
}

func TestPyTime(t *testing.T) {
	f := func(at time.Time, want string) {
		t.Helper()
		if got := pyTime(at); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(time.Date(2014, 1, 3, 2, 2, 2, 0, time.UTC), "2014-01-03T02:02:02+00:00")
	f(time.Date(2026, 11, 21, 19, 23, 32, 168398000, time.UTC), "2026-11-21T19:23:32.168398+00:00")
	f(time.Date(2026, 11, 21, 19, 23, 32, 8000, time.UTC), "2026-11-21T19:23:32.000008+00:00")
}

func TestDayWriter(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	var w dayWriter
	for i := range 20_000 {
		nanos := rng.Int64()
		if i%2 == 0 {
			nanos = rng.Int64N(3 * 86400 * 1e9)
		}
		if i%5 == 0 {
			nanos = -nanos
		}
		got := string(w.append(nil, nanos))
		if want := time.Unix(0, nanos).UTC().Format("2006-01-02T15:04:05+00:00"); got != want {
			t.Fatalf("%d: got %s, want %s", nanos, got, want)
		}
	}
}
