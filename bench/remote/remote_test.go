package remote

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/telemetrydb/tsdb/bench/target"
)

func TestErrorsOfAServer(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/full":
			http.Error(w, "write /data/wal: no space left on device", http.StatusInternalServerError)
		case "/hangs":
			<-release
		case "/breaks":
			panic(http.ErrAbortHandler)
		}
	}))
	defer s.Close()
	defer close(release)
	c := NewClient("influxd", s.URL, nil)
	defer c.Close()
	c.transport.Timeout = 300 * time.Millisecond
	for path, want := range map[string]string{
		"/full":   "influxd: GET /full: status 500 Internal Server Error: write /data/wal: no space left on device",
		"/hangs":  "influxd: GET /hangs: no whole answer within 300ms",
		"/breaks": "influxd: GET /breaks: ",
	} {
		if _, err := c.Get(path); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
	c.ended = func(time.Duration) error { return errors.New("influxd has ended: signal: killed") }
	if _, err := c.Get("/breaks"); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("got %v", err)
	}
	var status *StatusError
	if _, err := c.Get("/full"); !errors.As(err, &status) || status.Status != 500 {
		t.Errorf("got %v", err)
	}
}

func TestServerTellsHowItsProcessEnds(t *testing.T) {
	s := Server{Product: "sh"}
	err := s.Start(t.TempDir(), "127.0.0.1:1", "/", nil, "sh", "-c", "echo wrong version >&2; exit 1")
	if err == nil || !strings.Contains(err.Error(), "wrong version") {
		t.Errorf("got %v", err)
	}
	if s.Processes() != nil || s.Close() != nil {
		t.Error("a server that isn't there")
	}
}

func TestRequire(t *testing.T) {
	for _, test := range []struct {
		o    target.Options
		sync bool
		ok   bool
	}{{target.Options{}, false, true}, {target.Options{Fsync: true}, false, false}, {target.Options{Fsync: true}, true, true},
		{target.Options{URI: "http://x"}, true, false}} {
		if err := Require(test.o, test.sync); (err == nil) != test.ok {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

func TestReader(t *testing.T) {
	r := NewReader([]byte(`{"metric":{"a":"b"},"values":[[1.5,"2.25"], [-3 , "1e3"]],"n": [12,13]}`))
	if !r.Skip(`"values":[`) {
		t.Fatal("not found")
	}
	var got []float64
	for {
		r.Want('[')
		got = append(got, r.Number())
		r.Want(',')
		got = append(got, r.Number())
		r.Want(']')
		if !r.Is(',') {
			break
		}
	}
	if r.Err() != nil || len(got) != 4 || got[1] != 2.25 || got[3] != 1000 {
		t.Errorf("%v %v", got, r.Err())
	}
	r.Skip(`[`)
	if n := r.Whole(); n != 12 || r.Err() != nil {
		t.Errorf("%d %v", n, r.Err())
	}
	if r.Skip("values") {
		t.Error("found again")
	}
	for _, text := range []string{``, `"`, `"a`, `"a\n"`, `x`} {
		r := NewReader([]byte(text))
		if s := r.Text(); r.Err() == nil {
			t.Errorf("%q gave %q", text, s)
		}
	}
	for _, text := range []string{``, `a`, `"1`, `"x"`, `,`} {
		r := NewReader([]byte(text))
		if n := r.Number(); r.Err() == nil {
			t.Errorf("%q gave %v", text, n)
		}
	}
}

func TestClock(t *testing.T) {
	const day = 1_767_571_200_000
	var c Clock
	for text, want := range map[string]int64{
		"2026-01-05T00:00:00+00:00": day, "2026-01-05T00:00:00.250000+00:00": day + 250, "2026-01-05T23:59:59.999": day + 86_399_999,
		"2026-01-06T01:02:03Z": day + 86_400_000 + 3_723_000, "1969-12-31T23:59:59.5": -500,
	} {
		if got, err := c.Millis([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "2026-01-05", "2026-01-05T00:00:00.0001", "2026-01-05T00:00:00+01:00", "2026-13-05T00:00:00", "2026-01-05T0x:00:00"} {
		if got, err := c.Millis([]byte(text)); err == nil {
			t.Errorf("%q gave %d", text, got)
		}
	}
	if got, err := c.Millis([]byte(Time(day + 5))); err != nil || got != day+5 {
		t.Errorf("%d %v", got, err)
	}
}

func TestFold(t *testing.T) {
	f := Fold{Width: 10}
	f.Add([]int64{1, 9, 10}, []float64{1, 3, 7})
	f.AddSum(10, 5, 3)
	if n, sum := f.Means(); n != 2 || sum != 2+3 {
		t.Errorf("%d, %v", n, sum)
	}
}
