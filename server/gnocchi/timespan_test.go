package gnocchi

import (
	"testing"
	"time"
)

func TestParseTimespan(t *testing.T) {
	good := func(s string, want time.Duration) {
		t.Helper()
		if got, ok := parseTimespan(s); !ok || time.Duration(got) != want {
			t.Errorf("%q: got %v %v, want %v", s, time.Duration(got), ok, want)
		}
	}
	good("60", time.Minute)
	good("0.5", 500*time.Millisecond)
	good("1 second", time.Second)
	good("10s", 10*time.Second)
	good("1d12h", 36*time.Hour)
	good("2 hours, 5 min", 125*time.Minute)
	good("1.5 minutes", 90*time.Second)
	good("1.77 min", 106*time.Second)
	good("1.77 min 5 s", 111*time.Second)
	good("1.5 s", 1500*time.Millisecond)
	good("1W 2DYS 3Hrs 4Mins 5Secs", (7*24+2*24+3)*time.Hour+4*time.Minute+5*time.Second)
	good("1 wk/2 days", 9*24*time.Hour)
	good("5:06", 5*time.Minute+6*time.Second)
	good("0:01:01", 61*time.Second)
	good("7 days, 0:00:00", 7*24*time.Hour)
	good("1 week 2 days 1:00:00.5", 9*24*time.Hour+time.Hour+500*time.Millisecond)
	good("1:02:03:04", 26*time.Hour+3*time.Minute+4*time.Second)
	good(":30", 30*time.Second)
	good(":30.25", 30250*time.Millisecond)
	good(" - 5 minutes ", -5*time.Minute)
	good("+1 day", 24*time.Hour)
	good("1 minute", time.Minute)
	for _, s := range []string{"", " ", "-", ",", "1 shenanigan", "5 months", "1 year", "1s 1m", "1.2.3 s", "nan", "inf", "1e30", "1:2:3", "foobar", "99999999999 weeks"} {
		if got, ok := parseTimespan(s); ok {
			t.Errorf("%q: got %v, want none", s, time.Duration(got))
		}
	}
}

func FuzzParseTimespan(f *testing.F) {
	for _, s := range []string{"1d12h", "7 days, 0:00:00", "-5 minutes", "1e3", ":30.5", "1.5 minutes"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		nanos, ok := parseTimespan(s)
		if !ok {
			return
		}
		d := time.Duration(nanos)
		if d < time.Microsecond || d%time.Microsecond != 0 {
			return
		}
		back, ok := parseTimespan(pyTimedelta(d)) // floats lose some of the longest
		if diff := time.Duration(back) - d; !ok || diff.Abs() > time.Microsecond+d/1e15 {
			t.Fatalf("%q: %v printed as %q reads as %v %v", s, d, pyTimedelta(d), time.Duration(back), ok)
		}
	})
}
