package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/telemetrydb/tsdb/engine"
)

func openDB(t testing.TB, fs vfs.FS) *engine.DB {
	t.Helper()
	db, err := engine.Open("db", &engine.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func at(text string) int64 {
	t, err := time.Parse("2006-01-02T15:04:05.999999", text)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

func text(name, value string) engine.Trait {
	return engine.Trait{Name: name, Kind: engine.TraitText, Text: value}
}

// fixture are the events of the tables.
var fixture = []engine.Event{
	{MessageID: "1", Type: "image.upload", Generated: at("2020-01-01T00:00:01"), Raw: []byte(`{"a": {"b": [1, null, "é<"]}}`), Traits: []engine.Trait{
		text("project_id", "p1"), text("user_id", "u1"), {Name: "size", Kind: engine.TraitInt, Int: 5}, {Name: "load", Kind: engine.TraitFloat, Float: 2},
		{Name: "at", Kind: engine.TraitTime, Int: at("2020-01-01T10:00:00.5")}, {Name: "nothing"}}},
	{MessageID: "2", Type: "image.upload", Generated: at("2020-01-01T00:00:02.5"), Traits: []engine.Trait{
		text("project_id", "p2"), text("user_id", "u1"), {Name: "size", Kind: engine.TraitInt, Int: 50}, text("size", "big"), {Name: "load", Kind: engine.TraitFloat, Float: 1e16}}},
	{MessageID: "3", Type: "compute/start", Generated: at("2020-01-01T00:00:02.5") + 300, Traits: []engine.Trait{text("project_id", "p1"), text("user_id", "u2")}},
	{MessageID: "a/b", Type: "compute/start", Generated: at("2020-01-03T00:00:00"), Traits: []engine.Trait{text("size", "5")}},
}

func newFixture(t testing.TB, db *engine.DB) {
	t.Helper()
	if n, err := db.AppendEvents(context.Background(), fixture); err != nil || n != len(fixture) {
		t.Fatal(n, err)
	}
}

// byHeaders is a Caller of headers, as tests of several callers need one.
func byHeaders(r *http.Request) (Caller, error) {
	if r.Header.Get("X-Fail") != "" {
		return Caller{}, errors.New("failed")
	}
	roles, project := r.Header.Get("X-Roles"), r.Header.Get("X-Project-Id")
	return Caller{Admin: roles == "admin" || roles+project == "", UserID: r.Header.Get("X-User-Id"), ProjectID: project}, nil
}

func newHandler(db *engine.DB) http.Handler { return New(db, &Options{Caller: byHeaders}) }

// ask sends a request with headers, name and value by turns, and returns the answer.
func ask(h http.Handler, method, url string, headers ...string) (int, string, http.Header) {
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	b, _ := io.ReadAll(w.Body)
	return w.Code, string(b), w.Header()
}

// ids returns the message ids of a list.
func ids(t testing.TB, body string) string {
	t.Helper()
	var list []struct {
		ID string `json:"message_id"`
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.ID)
	}
	return strings.Join(out, " ")
}

var (
	userOne   = []string{"X-Roles", "member", "X-Project-Id", "p1", "X-User-Id", "u1"}
	adminTwo  = []string{"X-Roles", "admin", "X-Project-Id", "p2", "X-User-Id", "u9"}
	adminNone = []string{"X-Roles", "admin"}
)

func TestList(t *testing.T) {
	db := openDB(t, vfs.NewMem())
	newFixture(t, db)
	h := newHandler(db)
	for _, tc := range []struct {
		name, query, want string
		headers           []string
	}{
		{"all", "", "1 2 3 a/b", nil},
		{"an admin without project", "", "1 2 3 a/b", adminNone},
		{"event_type", "q.field=event_type&q.value=image.upload", "1 2", nil},
		{"event_type in brackets", "q[0].field=event_type&q[0].op=eq&q[0].value=compute/start", "3 a/b", nil},
		{"unknown event_type", "q.field=event_type&q.value=x", "", nil},
		{"the last event_type wins", "q.field=event_type&q.value=x&q.field=event_type&q.value=image.upload", "1 2", nil},
		{"message_id", "q.field=message_id&q.value=2", "2", nil},
		{"start is within", "q.field=start_timestamp&q.op=ge&q.value=2020-01-01T00:00:02.500000", "2 3 a/b", nil},
		{"end is within, to the microsecond", "q.field=end_timestamp&q.op=le&q.value=2020-01-01T00:00:02.500000", "1 2 3", nil},
		{"an offset is dropped", "q.field=end_timestamp&q.op=le&q.value=2020-01-01T00:00:01%2b09:00", "1", nil},
		{"both", "q.field=start_timestamp&q.field=end_timestamp&q.op=ge&q.op=le&q.value=2020-01-01T00:00:02&q.value=2020-01-02", "2 3", nil},
		{"reversed", "q.field=start_timestamp&q.field=end_timestamp&q.op=ge&q.op=le&q.value=2021-01-01&q.value=2020-01-02", "", nil},
		{"string by default", "q.field=size&q.value=5", "a/b", nil},
		{"string", "q.field=size&q.value=5&q.type=string", "a/b", nil},
		{"integer", "q.field=size&q.value=5&q.type=integer", "1", nil},
		{"integer lt", "q.field=size&q.op=lt&q.value=50&q.type=integer", "1", nil},
		{"integer le", "q.field=size&q.op=le&q.value=50&q.type=integer", "1 2", nil},
		{"integer gt", "q.field=size&q.op=gt&q.value=5&q.type=integer", "2", nil},
		{"integer ge", "q.field=size&q.op=ge&q.value=5&q.type=integer", "1 2", nil},
		{"integer ne", "q.field=size&q.op=ne&q.value=5&q.type=integer", "2", nil},
		{"string ne", "q.field=size&q.op=ne&q.value=5", "2", nil},
		{"float", "q.field=load&q.op=gt&q.value=2&q.type=float", "2", nil},
		{"float eq", "q.field=load&q.value=2&q.type=float", "1", nil},
		{"datetime", "q.field=at&q.op=ge&q.value=2020-01-01T10:00:00.5&q.type=datetime", "1", nil},
		{"datetime lt", "q.field=at&q.op=lt&q.value=2020-01-01T10:00:00.5&q.type=datetime", "", nil},
		{"an unknown trait", "q.field=zzz&q.value=1", "", nil},
		{"two traits", "q.field=size&q.op=ge&q.value=5&q.type=integer&q.field=user_id&q.value=u1", "1 2", nil},
		{"a trait without value", "q.field=nothing&q.value=None", "", nil},
		{"one's own", "", "1", userOne},
		{"one's own, asking for all", "q.field=all_tenants&q.value=true", "1", userOne},
		{"another's", "q.field=project_id&q.value=p2", "", userOne},
		{"an admin with project", "", "2 a/b", adminTwo},
		{"an admin with project, all_tenants", "q.field=all_tenants&q.value=True", "1 2 3 a/b", adminTwo},
		{"all_tenants is false", "q.field=all_tenants&q.value=0", "2 a/b", adminTwo},
		{"limit", "limit=2", "1 2", nil},
		{"limit 0", "limit=0", "1 2 3 a/b", nil},
		{"marker", "marker=2", "3 a/b", nil},
		{"marker and limit", "marker=1&limit=1", "2", nil},
		{"marker that the filter does not select", "marker=3&q.field=event_type&q.value=image.upload", "", nil},
		{"sort desc", "sort=generated:desc", "a/b 3 2 1", nil},
		{"sort by two keys", "sort=generated:desc&sort=message_id:desc", "a/b 3 2 1", nil},
		{"sort by message_id", "sort=message_id", "1 2 3 a/b", nil},
		{"sort by message_id desc", "sort=message_id:desc&sort=generated:asc", "a/b 3 2 1", nil},
		{"marker and sort", "sort=message_id:DESC&marker=3", "2 1", nil},
		{"empty filter of an id", "q.field=message_id&q.value=", "1 2 3 a/b", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, path := range []string{"/v2/events?", "/v2/events/?"} {
				code, body, header := ask(h, "GET", path+tc.query, tc.headers...)
				if code != 200 || header.Get("Content-Type") != "application/json" || ids(t, body) != tc.want {
					t.Fatalf("%d %s, want %s", code, body, tc.want)
				}
			}
		})
	}
}

func TestErrors(t *testing.T) {
	db := openDB(t, vfs.NewMem())
	newFixture(t, db)
	h := newHandler(db)
	for _, tc := range []struct {
		method, url string
		headers     []string
		code        int
		text        string
	}{
		{"GET", "/v2/events?limit=-1", nil, 400, "Invalid input for field/attribute limit. Value: '-1'. the limit should be a positive integer."},
		{"GET", "/v2/events?limit=abc", nil, 400, "Invalid input for field/attribute limit. Value: 'abc'. unable to convert to int."},
		{"GET", "/v2/events?limit=1&limit=1", nil, 400, "Invalid input for field/attribute limit."},
		{"GET", "/v2/events?bogus=1", nil, 400, `Unknown argument: "bogus"`},
		{"GET", "/v2/events?q.zzz=1", nil, 400, `Unknown argument: "q.zzz"`},
		{"GET", "/v2/events?q.value=1", nil, 400, "Invalid input for field/attribute field."},
		{"GET", "/v2/events?q.field=x&q.op=xx&q.value=1", nil, 400, "Invalid input for field/attribute op. Value: 'xx'. unimplemented operator for x"},
		{"GET", "/v2/events?q.field=event_type&q.op=gt&q.value=1", nil, 400,
			"Operator gt is not supported. Only `eq' operator is available for field event_type"},
		{"GET", "/v2/events?q.field=message_id&q.op=ne&q.value=1", nil, 400, "Operator ne is not supported. Only `eq' operator is available for field message_id"},
		{"GET", "/v2/events?q.field=start_timestamp&q.value=2020-01-01", nil, 400, "Operator eq is not supported."},
		{"GET", "/v2/events?q.field=end_timestamp&q.op=ge&q.value=2020-01-01", nil, 400, "Operator ge is not supported."},
		{"GET", "/v2/events?q.field=start_timestamp&q.op=ge&q.value=zzz", nil, 400,
			"Invalid input for field/attribute start_timestamp. Value: 'zzz'. invalid timestamp format"},
		{"GET", "/v2/events?q.field=x&q.value=true&q.type=boolean", nil, 400,
			"The data type boolean is not supported. The supported data type list is: ['integer', 'float', 'string', 'datetime']"},
		{"GET", "/v2/events?q.field=x&q.value=5x&q.type=integer", nil, 400, "Unable to convert the value 5x to the expected data type integer."},
		{"GET", "/v2/events?q.field=x&q.value=99999999999999999999&q.type=integer", nil, 400, "Unable to convert the value"},
		{"GET", "/v2/events?q.field=x&q.value=nan&q.type=float", nil, 400, "Unable to convert the value nan to the expected data type float."},
		{"GET", "/v2/events?q.field=x&q.value=5x&q.type=datetime", nil, 400, "Unable to convert the value 5x to the expected data type datetime."},
		{"GET", "/v2/events?sort=bogus", nil, 400, "Invalid input for field/attribute sort. Value: 'bogus'."},
		{"GET", "/v2/events?sort=generated:up", nil, 400, "Invalid input for field/attribute sort. Value: 'generated:up'."},
		{"GET", "/v2/events?marker=9", nil, 400, "Invalid input for field/attribute marker. Value: '9'."},
		{"GET", "/v2/events?marker=2", userOne, 400, "Invalid input for field/attribute marker. Value: '2'."},
		{"GET", "/v2/events/9", nil, 404, "Event 9 Not Found"},
		{"GET", "/v2/events/2", userOne, 404, "Event 2 Not Found"},
		{"GET", "/v2/events/1", adminTwo, 404, "Event 1 Not Found"},
		{"GET", "/v2/events/1?limit=1", nil, 400, `Unknown argument: "limit"`},
		{"GET", "/v2/events/1/2", nil, 404, ""},
		{"GET", "/v2/event_types/image.upload", nil, 404, ""},
		{"GET", "/v2/event_types/image.upload/bogus", nil, 404, ""},
		{"GET", "/v2/event_types/image.upload/traits/a/b", nil, 404, ""},
		{"GET", "/v2/event_types/", userOne, 401, "Not Authorized to access project p1"},
		{"GET", "/v2/event_types/image.upload", userOne, 401, "Not Authorized to access project p1"},
		{"GET", "/v2/event_types/image.upload/traits", userOne, 401, "Not Authorized to access project p1"},
		{"GET", "/v2/event_types/image.upload/traits/size", userOne, 401, "Not Authorized to access project p1"},
		{"GET", "/v2/events", []string{"X-Roles", "member", "X-Project-Id", "p1"}, 403, "RBAC Authorization Failed"},
		{"GET", "/v2/events", []string{"X-Roles", "member", "X-User-Id", "u1"}, 403, "RBAC Authorization Failed"},
		{"GET", "/v2/events", []string{"Accept", "text/plain"}, 406, ""},
		{"GET", "/v2/events", []string{"Accept", "application/json;q=0, text/html"}, 406, ""},
		{"POST", "/v2/events", nil, 405, ""},
		{"PUT", "/v2/events/1", nil, 405, ""},
		{"DELETE", "/v2/event_types", nil, 405, ""},
		{"GET", "/v2/events", []string{"X-Fail", "1"}, 500, "The server failed on this request"},
	} {
		t.Run(tc.method+" "+tc.url, func(t *testing.T) {
			code, body, header := ask(h, tc.method, tc.url, tc.headers...)
			var raw map[string]map[string]any
			if err := json.Unmarshal([]byte(body), &raw); err != nil {
				t.Fatal(body, err)
			}
			m := raw["error_message"]
			text, _ := m["faultstring"].(string)
			want := "Client"
			if tc.code >= 500 {
				want = "Server"
			}
			if code != tc.code || len(raw) != 1 || m["faultcode"] != want || !strings.HasPrefix(text, tc.text) || header.Get("Content-Type") != "application/json" {
				t.Errorf("%d %s", code, body)
			}
			if detail, ok := m["debuginfo"]; !ok || detail != nil {
				t.Errorf("debuginfo: %s", body)
			}
			if allow := header.Get("Allow"); (code == 405) != (allow == "GET") {
				t.Errorf("Allow: %q", allow)
			}
		})
	}
}

func TestBodies(t *testing.T) {
	db := openDB(t, vfs.NewMem())
	newFixture(t, db)
	h := newHandler(db)
	one := `{"message_id": "1", "event_type": "image.upload", "generated": "2020-01-01T00:00:01", "traits": [
		{"name": "project_id", "type": "string", "value": "p1"}, {"name": "user_id", "type": "string", "value": "u1"},
		{"name": "size", "type": "integer", "value": "5"}, {"name": "load", "type": "float", "value": "2.0"},
		{"name": "at", "type": "datetime", "value": "2020-01-01T10:00:00.500000"}, {"name": "nothing", "type": "none", "value": "None"}],
		"raw": {"a": {"b": [1, null, "é<"]}}}`
	for _, tc := range []struct{ url, want string }{
		{"/v2/events/1", one},
		{"/v2/events/1/", one},
		{"/v2/events?limit=1", "[" + one + "]"},
		{"/v2/events/3", `{"message_id": "3", "event_type": "compute/start", "generated": "2020-01-01T00:00:02.500000", "traits": [
			{"name": "project_id", "type": "string", "value": "p1"}, {"name": "user_id", "type": "string", "value": "u2"}], "raw": {}}`},
		{"/v2/events/a%2Fb", `{"message_id": "a/b", "event_type": "compute/start", "generated": "2020-01-03T00:00:00", "traits": [
			{"name": "size", "type": "string", "value": "5"}], "raw": {}}`},
		{"/v2/event_types", `["compute/start", "image.upload"]`},
		{"/v2/event_types/", `["compute/start", "image.upload"]`},
		{"/v2/event_types/image.upload/traits", `[{"name": "at", "type": "datetime"}, {"name": "load", "type": "float"}, {"name": "nothing", "type": "none"},
			{"name": "project_id", "type": "string"}, {"name": "size", "type": "string"}, {"name": "user_id", "type": "string"}]`},
		{"/v2/event_types/compute%2Fstart/traits/", `[{"name": "project_id", "type": "string"}, {"name": "size", "type": "string"}, {"name": "user_id", "type": "string"}]`},
		{"/v2/event_types/image.upload/traits/size", `[{"name": "size", "type": "integer", "value": "5"}, {"name": "size", "type": "integer", "value": "50"},
			{"name": "size", "type": "string", "value": "big"}]`},
		{"/v2/event_types/image.upload/traits/load/", `[{"name": "load", "type": "float", "value": "2.0"}, {"name": "load", "type": "float", "value": "1e+16"}]`},
		{"/v2/event_types/image.upload/traits/zzz", `[]`},
		{"/v2/event_types/zzz/traits/size", `[]`},
		{"/v2/event_types/zzz/traits", `[]`},
	} {
		t.Run(tc.url, func(t *testing.T) {
			code, body, header := ask(h, "GET", tc.url, "Accept", "text/html;q=0.5, application/*")
			var got, want any
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(code, body, err)
			}
			if err := json.Unmarshal([]byte(tc.want), &want); err != nil {
				t.Fatal(err)
			}
			if code != 200 || !reflect.DeepEqual(got, want) || header.Get("Content-Length") != fmt.Sprint(len(body)) {
				t.Errorf("%d %s", code, body)
			}
		})
	}
}

// TestRestart wants the same answers after the database was closed and opened.
func TestRestart(t *testing.T) {
	fs := vfs.NewMem()
	db := openDB(t, fs)
	newFixture(t, db)
	urls := []string{"/v2/events", "/v2/events/1", "/v2/events?sort=message_id:desc", "/v2/event_types", "/v2/event_types/image.upload/traits",
		"/v2/event_types/image.upload/traits/size", "/v2/events?q.field=size&q.op=ge&q.value=5&q.type=integer"}
	var before []string
	for _, u := range urls {
		_, body, _ := ask(newHandler(db), "GET", u)
		before = append(before, body)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openDB(t, fs)
	if n, err := db.AppendEvents(context.Background(), fixture[:2]); err != nil || n != 0 { // known still
		t.Fatal(n, err)
	}
	for i, u := range urls {
		if _, body, _ := ask(newHandler(db), "GET", u); body != before[i] {
			t.Errorf("%s: %s, was %s", u, body, before[i])
		}
	}
}

// TestFailWhileAnswering wants a failure to be told when nothing was sent, and the answer to break off when something was.
func TestFailWhileAnswering(t *testing.T) {
	db := openDB(t, vfs.NewMem())
	var many []engine.Event
	for i := range 2000 {
		many = append(many, engine.Event{MessageID: fmt.Sprint(i), Type: "t", Generated: int64(i), Traits: []engine.Trait{text("x", strings.Repeat("x", 100))}})
	}
	if _, err := db.AppendEvents(context.Background(), many); err != nil {
		t.Fatal(err)
	}
	failed := error(nil)
	h := New(db, &Options{Fail: func(w http.ResponseWriter, _ *http.Request, err error) { failed = err; w.WriteHeader(503) }})
	ctx, cancel := context.WithCancel(context.Background())
	w := &cancelling{ResponseRecorder: httptest.NewRecorder(), cancel: cancel}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler || failed != nil {
			t.Errorf("got %v, %v", p, failed)
		}
		db.Close()
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", "/v2/events", nil))
		if rec.Code != 503 || !errors.Is(failed, engine.ErrClosed) {
			t.Errorf("%d %v", rec.Code, failed)
		}
	}()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/v2/events?limit=2000", nil).WithContext(ctx))
}

// cancelling gives up the request when the first piece is sent.
type cancelling struct {
	*httptest.ResponseRecorder
	cancel func()
}

func (w *cancelling) Write(b []byte) (int, error) {
	w.cancel()
	return w.ResponseRecorder.Write(b)
}

// byFixed is a Caller who is always the same.
func byFixed(who Caller) func(*http.Request) (Caller, error) {
	return func(*http.Request) (Caller, error) { return who, nil }
}
