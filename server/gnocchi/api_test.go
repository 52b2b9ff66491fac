package gnocchi

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/engine"
)

// TestAPI runs testdata/api: requests and their answers, each file on an empty database. With -rewrite it rewrites the answers.
//
//	http [user=NAME]
//	METHOD PATH
//	Header: value
//
//	BODY
//	----
//	STATUS, headers worth seeing, body
//
// The user is foobar unless said otherwise, or nobody with user=none. Ids that the server made up are written as <1>, <2>
// and so on, in requests as well. clock +D moves the clock, which stands still otherwise; count tells what is stored.
func TestAPI(t *testing.T) {
	datadriven.Walk(t, "testdata/api", func(t *testing.T, path string) {
		h := newHarness(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "http":
				user := "foobar"
				d.MaybeScanArgs(t, "user", &user)
				return h.http(t, user, d.Input)
			case "clock":
				by, err := time.ParseDuration(d.CmdArgs[0].Key)
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				h.now.Add(int64(by))
				return ""
			case "defaults":
				if err := CreateDefaults(t.Context(), h.db); err != nil {
					return err.Error()
				}
				return "ok"
			case "count":
				return fmt.Sprintf("%d resources, %d metrics, %d samples", h.db.CountResources(), h.db.CountMetrics(), h.db.Stats().Samples)
			}
			d.Fatalf(t, "unknown command %q", d.Cmd)
			return ""
		})
	})
}

// harness is an API on a database in memory.
type harness struct {
	db      *engine.DB
	handler http.Handler
	now     atomic.Int64
	names   map[string]string // of ids that the server made up
	ids     map[string]string // the other way round
	given   map[string]bool   // ids that requests held
}

func newHarness(t testing.TB) *harness {
	h := openHarness(t)
	t.Cleanup(func() {
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// openHarness leaves it to the caller to close the database.
func openHarness(t testing.TB) *harness {
	h := &harness{names: map[string]string{}, ids: map[string]string{}, given: map[string]bool{}}
	h.now.Store(testNow.UnixNano())
	now := func() time.Time { return time.Unix(0, h.now.Load()).UTC() }
	db, err := engine.Open("db", &engine.Options{FS: vfs.NewMem(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	h.db = db
	h.handler = New(db, &Options{MaxLimit: 7, MaxBodyBytes: 64 << 10, Now: now})
	return h
}

var (
	uuidPattern = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-([0-9a-fA-F])[0-9a-fA-F]{3}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)
	namePattern = regexp.MustCompile(`<[0-9]+>`)
	shown       = []string{"Allow", "Content-Type", "ETag", "Last-Modified", "Link", "Location", "Retry-After", "Warning", "Www-Authenticate"}
)

func (h *harness) http(t testing.TB, user, input string) string {
	input = namePattern.ReplaceAllStringFunc(input, func(name string) string {
		if id, ok := h.ids[name]; ok {
			return id
		}
		return name
	})
	for _, id := range uuidPattern.FindAllString(input, -1) {
		if h.names[id] == "" {
			h.given[strings.ToLower(id)] = true
		}
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, parseRequest(t, user, input))
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", w.Code)
	for _, name := range shown {
		for _, v := range w.Header()[name] {
			if name != "Content-Type" || v != "application/json" {
				fmt.Fprintf(&b, "%s: %s\n", name, v)
			}
		}
	}
	if w.Body.Len() > 0 {
		fmt.Fprintf(&b, "%s", w.Body)
	}
	return uuidPattern.ReplaceAllStringFunc(b.String(), h.name)
}

// name replaces an id that the server made up. Those of version 5 follow from requests.
func (h *harness) name(id string) string {
	if h.given[strings.ToLower(id)] || id[14] == '5' {
		return id
	}
	if h.names[id] == "" {
		name := fmt.Sprintf("<%d>", len(h.names)+1)
		h.names[id], h.ids[name] = name, id
	}
	return h.names[id]
}

func parseRequest(t testing.TB, user, input string) *http.Request {
	head, body, _ := strings.Cut(input, "\n\n")
	lines := strings.Split(head, "\n")
	method, path, ok := strings.Cut(lines[0], " ")
	if !ok {
		t.Fatalf("no request line: %q", lines[0])
	}
	r := httptest.NewRequest(method, path, bytes.NewReader([]byte(body)))
	r.Host = "api.example"
	if user != "none" {
		r.SetBasicAuth(user, "")
	}
	if method == "POST" || method == "PATCH" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("no header: %q", line)
		}
		r.Header.Set(name, value)
	}
	return r
}
