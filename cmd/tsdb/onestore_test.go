package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/ceilometer"
	"github.com/telemetrydb/tsdb/server/publish"
	"github.com/telemetrydb/tsdb/server/samples"
)

// oneStore is one database behind all doors and both APIs.
type oneStore struct {
	t       *testing.T
	db      *engine.DB
	store   *samples.Store
	doors   *publish.Doors
	open    apis // callers say who they are
	checked apis // of the same database: callers have to give a name
	clock   atomic.Int64
}

// apis are what a server has.
type apis struct{ gnocchi, ceilometer http.Handler }

// The two samples that come in through each door: 61 seconds apart, so that they are in two minutes, with numbers that have to be
// the same to the last bit, and times with a fraction that not every reader shows all of.
var (
	firstTime  = time.Date(2026, 1, 2, 12, 0, 0, 123_456_000, time.UTC).UnixNano()
	secondTime = firstTime + int64(61*time.Second)
	volumes    = [2]float64{0.1, 12345678.9}
)

func newOneStore(t *testing.T) *oneStore {
	db, err := engine.Open("db", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &oneStore{t: t, db: db}
	h.clock.Store(secondTime + int64(time.Minute))
	now := func() time.Time { return time.Unix(0, h.clock.Load()) }
	h.store = samples.New(db, &samples.Options{Now: now})
	h.doors = publish.New(h.store, &publish.Options{Now: now, Events: db.AppendEvents})
	gate := auth.NewGate(auth.None{}, nil)
	s := server.New(db, &server.Options{Gate: gate, Samples: h.store, Now: now, Ceilometer: ceilometer.Options{Beside: h.doors.Beside(gate)}})
	h.open = apis{s.Handler(), s.CeilometerHandler()}
	s = server.New(db, &server.Options{Samples: h.store, Now: now})
	h.checked = apis{s.Handler(), s.CeilometerHandler()}
	return h
}

// caller is who sends a request; the zero value is an administrator.
type caller struct{ user, project, roles string }

var stranger = caller{"u-stranger", "p-stranger", "member"}

func (c caller) as(r *http.Request) {
	if c != (caller{}) {
		r.Header.Set("X-User-Id", c.user)
		r.Header.Set("X-Project-Id", c.project)
		r.Header.Set("X-Roles", c.roles)
	}
}

// ask sends a request; headers as name, value.
func ask(api http.Handler, who caller, method, path, body string, headers ...string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	who.as(r)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// must is ask of something that has to go well.
func (h *oneStore) must(api http.Handler, who caller, want int, method, path, body string, headers ...string) string {
	h.t.Helper()
	status, answer := ask(api, who, method, path, body, headers...)
	if status != want {
		h.t.Fatalf("%s %s: %d %s, want %d", method, path, status, answer, want)
	}
	return answer
}

// written is what a door brought, as it has to be read.
type written struct {
	door              string
	resource, meter   string
	typ, unit, source string
	user, project     *string
	times             [2]int64
	volumes           [2]float64
	metadata          string // of samples, with types
	flat              string // as Ceilometer's API shows it
	kind              string // of the resource in Gnocchi's API
	attributes        string // there
	unitless          bool   // the metric in Gnocchi's API says no unit
	owner             caller // sees it through Gnocchi's API
	nobodys           bool   // and through Ceilometer's only an administrator does
	aggregated        bool   // only aggregates are kept

	id, metric, messageID string // filled in by look
}

// The metadata of the samples: what makes a resource of type instance, and values of all types.
const (
	richMetadata = `{"display_name":"web \u00e9","host":"h1","flavor_id":"f1","flavor_name":"m1","vcpus":2,"ratio":2.0,"up":true,"none":null,` +
		`"deep":{"a.b":{"c":1}},"ips":["10.0.0.1",2]}`
	richFlat = `{"display_name":"web \u00e9","host":"h1","flavor_id":"f1","flavor_name":"m1","vcpus":"2","ratio":"2.0","up":"True","none":"None",` +
		`"deep.a:b:c":"1","ips":"['10.0.0.1', 2]"}`
	textMetadata = `{"display_name":"web \u00e9","host":"h1","flavor_id":"f1","flavor_name":"m1","vcpus":"2"}`
	attributes   = `{"display_name":"web \u00e9","host":"h1","flavor_id":"f1","flavor_name":"m1","server_group":null}`
)

// usual is what a door brings that loses nothing.
func usual(door string) *written {
	user, project := "u-"+door, "p-"+door
	return &written{door: door, resource: "vm-" + door, meter: "memory.usage", typ: "gauge", unit: "MB", source: "cloud", user: &user, project: &project,
		times: [2]int64{firstTime, secondTime}, volumes: volumes, metadata: richMetadata, flat: richFlat, kind: "instance", attributes: attributes,
		owner: caller{"u-other", project, "member"}}
}

// look finds out the ids that readers need, as an administrator.
func (h *oneStore) look(w *written) {
	h.t.Helper()
	answer := h.must(h.open.gnocchi, caller{}, 200, "POST", "/v1/search/resource/generic", `{"=": {"original_resource_id": "`+w.resource+`"}}`)
	var found []struct {
		ID      string            `json:"id"`
		Metrics map[string]string `json:"metrics"`
	}
	if err := json.Unmarshal([]byte(answer), &found); err != nil || len(found) != 1 || found[0].Metrics[w.meter] == "" {
		h.t.Fatalf("resource %s with metric %s: %s", w.resource, w.meter, answer)
	}
	w.id, w.metric, w.messageID = found[0].ID, found[0].Metrics[w.meter], "none"
	answer = h.must(h.open.ceilometer, caller{}, 200, "GET", "/v2/samples?limit=1&"+w.filter(), "")
	var newest []struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(answer), &newest); err != nil {
		h.t.Fatal(answer)
	}
	if len(newest) > 0 {
		w.messageID = newest[0].ID
	}
}

// TestOneStore writes through each door and reads through each reader: the owner, or an administrator where nobody owns it, reads what
// was written, a stranger nothing, and who does not say who they are is turned away.
func TestOneStore(t *testing.T) {
	h := newOneStore(t)
	h.prepare()
	var all []*written
	for _, d := range oneStoreDoors {
		w := d.write(h)
		h.clock.Store(secondTime + int64(time.Minute))
		all = append(all, w)
	}
	for _, w := range all { // when everything is there that could be mistaken for it
		t.Run(w.door, func(t *testing.T) {
			h.t = t
			h.look(w)
			for _, r := range oneStoreReaders {
				who := w.owner
				if w.nobodys && r.ceilometer {
					who = caller{}
				}
				h.check(w, &r, "the owner", h.open, who, r.seen(w))
				h.check(w, &r, "an administrator", h.open, caller{}, r.seen(w))
				hidden := r.hidden
				if hidden == "401" && w.project == nil { // there is no owner that the request could name
					hidden = ""
				}
				h.check(w, &r, "a stranger", h.open, stranger, hidden)
				if w.nobodys && r.ceilometer {
					h.check(w, &r, "the creator", h.open, w.owner, hidden)
				}
				h.check(w, &r, "nobody", h.checked, caller{}, "401")
			}
			h.checkExport(w)
		})
	}
}

// check compares what a reader shows to somebody.
func (h *oneStore) check(w *written, r *reader, who string, on apis, c caller, want string) {
	h.t.Helper()
	api := on.gnocchi
	if r.ceilometer {
		api = on.ceilometer
	}
	method, path, body := r.ask(w)
	status, answer := ask(api, c, method, path, body)
	got := fmt.Sprint(status)
	if status == 200 {
		got = r.show(w, []byte(answer))
	}
	if got != want {
		h.t.Errorf("%s, through %s, to %s:\n got %s\nwant %s\n(%s)", w.door, r.name, who, got, want, answer)
	}
}
