package ceilometer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/samples"
)

// harness is an API over a fresh database in memory.
type harness struct {
	t       testing.TB
	db      *engine.DB
	store   *samples.Store
	handler http.Handler
}

var testNow = time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)

func newHarness(t testing.TB) *harness { return newHarnessWith(t, &Options{}) }

func newHarnessWith(t testing.TB, o *Options) *harness { return newHarnessOf(t, o, &samples.Options{}) }

func newHarnessOf(t testing.TB, o *Options, so *samples.Options) *harness {
	t.Helper()
	db, err := engine.Open("db", &engine.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	so.Now = func() time.Time { return testNow }
	h := &harness{t: t, db: db, store: samples.New(db, so)}
	if o.Gate == nil {
		o.Gate = auth.NewGate(auth.None{}, nil)
	}
	o.Now = func() time.Time { return testNow }
	h.handler = New(db, h.store, o)
	return h
}

// as are the headers of somebody of a project.
func as(project string) http.Header {
	return http.Header{"X-Roles": {"Member"}, "X-Project-Id": {project}, "X-User-Id": {"u-" + project}}
}

func (h *harness) ask(method, path, body string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for k, v := range header {
		r.Header[k] = v
	}
	if body != "" && header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// get decodes what a path answers.
func (h *harness) get(path string, header http.Header) any {
	h.t.Helper()
	return h.decoded(h.ask("GET", path, "", header), 200)
}

func (h *harness) decoded(w *httptest.ResponseRecorder, status int) any {
	h.t.Helper()
	if w.Code != status {
		h.t.Fatalf("%d %s, want %d", w.Code, w.Body, status)
	}
	var v any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		h.t.Fatalf("%v in %s", err, w.Body)
	}
	return v
}

// write stores samples of the store's kind; texts that are empty become usual ones.
func (h *harness) write(in ...samples.Sample) []string {
	h.t.Helper()
	for i := range in {
		if in[i].Type == "" {
			in[i].Type = "gauge"
		}
		if in[i].Source == "" {
			in[i].Source = "openstack"
		}
	}
	ids, err := h.store.Write(h.t.Context(), in)
	if err != nil {
		h.t.Fatal(err)
	}
	return ids
}

func at(text string) int64 {
	t, err := time.Parse("2006-01-02T15:04:05.999999999", text)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

func ptr(s string) *string { return &s }

// q makes the query string of filters: FIELD OP VALUE, perhaps TYPE::VALUE.
func q(filters ...string) string {
	v := url.Values{}
	for _, f := range filters {
		p := strings.SplitN(f, " ", 3)
		typ, val, ok := strings.Cut(p[2], "::")
		if !ok {
			typ, val = "", p[2]
		}
		v.Add("q.field", p[0])
		v.Add("q.op", p[1])
		v.Add("q.type", typ)
		v.Add("q.value", val)
	}
	return v.Encode()
}

// show prints values of members of a list of objects.
func show(v any, members ...string) string {
	var rows []string
	for _, x := range v.([]any) {
		var cells []string
		for _, m := range members {
			cells = append(cells, fmt.Sprint(x.(map[string]any)[m]))
		}
		rows = append(rows, strings.Join(cells, " "))
	}
	return strings.Join(rows, "; ")
}

func check(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got  %s\n want %s", what, got, want)
	}
}

// fill stores some samples of two projects.
func (h *harness) fill() []string {
	return h.write(
		samples.Sample{Meter: "apples", Unit: "instance", Volume: 1, ResourceID: "r1", UserID: ptr("u1"), ProjectID: ptr("p1"),
			Time: at("2013-01-01T10:00:00.1239"), Metadata: []byte(`{"host": "a", "n": 5, "deep": {"x": {"y": 1}}, "l": ["a", 1]}`)},
		samples.Sample{Meter: "apples", Unit: "instance", Volume: 2, ResourceID: "r2", UserID: ptr("u2"), ProjectID: ptr("p2"),
			Time: at("2013-01-01T10:00:30"), Metadata: []byte(`{"host": "b"}`)},
		samples.Sample{Meter: "apples", Unit: "instance", Volume: 4, ResourceID: "r2", UserID: ptr("u2"), ProjectID: ptr("p2"),
			Time: at("2013-01-01T10:03:30"), Metadata: []byte(`{"host": "c"}`)},
		samples.Sample{Meter: "pears", Type: "cumulative", Unit: "", Volume: 0.5, ResourceID: "r1", UserID: ptr("u1"), ProjectID: ptr("p1"),
			Time: at("2013-01-01T09:59:00"), Metadata: []byte(`{}`)},
	)
}

func TestSampleLists(t *testing.T) {
	h := newHarness(t)
	ids := h.fill()
	check(t, "all", show(h.get("/v2/samples", nil), "meter", "volume", "timestamp", "resource_id"),
		"apples 4 2013-01-01T10:03:30 r2; apples 2 2013-01-01T10:00:30 r2; apples 1 2013-01-01T10:00:00.123000 r1; pears 0.5 2013-01-01T09:59:00 r1")
	check(t, "of a meter", show(h.get("/v2/meters/apples?limit=2", nil), "counter_name", "counter_volume", "message_id"),
		"apples 4 "+ids[2]+"; apples 2 "+ids[1])
	for _, tc := range []struct{ filter, want string }{
		{q("resource eq r2"), "4; 2"},
		{q("resource_id eq r2", "user_id eq u2", "source eq openstack"), "4; 2"},
		{q("user eq u1"), "1"},
		{q("project eq p1", "meter eq pears"), "1"},
		{q("project eq p1", "project eq p2"), "4; 2"},
		{q("project eq "), "4; 2; 1"},
		{q("metadata.host eq b"), "2"},
		{q("resource_metadata.host eq c"), "4"},
		{q("metadata.n eq 5"), "1"},
		{q("metadata.n eq 5.0"), "1"},
		{q("metadata.n eq string::5"), ""},
		{q("metadata.n eq None"), "4; 2"},
		{q("metadata.deep.x.y eq 1"), "1"},
		{q("metadata.l eq a"), "1"},
		{q("metadata.l eq ['a', 1]"), "1"},
		{q("metadata.l eq [1, 'a']"), ""},
		{q("timestamp ge 2013-01-01T10:00:30"), "4; 2"},
		{q("timestamp gt 2013-01-01T10:00:30"), "4"},
		{q("timestamp le 2013-01-01T10:00:00.123"), "1"},
		{q("timestamp lt 2013-01-01T10:00:00.123"), ""},
		{q("timestamp gt 2013-01-01T10:00:00.123", "timestamp lt 2013-01-01T10:03:30+02:00"), "2"},
		{q("timestamp ge 2013-01-01T10:01:30", "timestamp le 2013-01-01T10:02:30", "search_offset eq 1"), "4; 2"},
		{q("message_id eq " + ids[1]), "2"},
		{q("message_id eq "+ids[1], "user eq u1"), ""},
		{q("message_id eq zzz"), ""},
		{"q.field=resource&q.value=r1", "1"},
		{"q[0].field=resource&q[0].value=r1", "1"},
	} {
		check(t, tc.filter, show(h.get("/v2/meters/apples?"+tc.filter, nil), "counter_volume"), tc.want)
	}
	check(t, "unknown", show(h.get("/v2/meters/plums", nil)), "")
	check(t, "one project", show(h.get("/v2/samples", as("p1")), "volume"), "1; 0.5")
}

func TestSampleForms(t *testing.T) {
	h := newHarness(t)
	ids := h.fill()
	want := `{"id": "` + ids[0] + `", "meter": "apples", "type": "gauge", "unit": "instance", "volume": 1.0, "user_id": "u1", "project_id": "p1",
		"resource_id": "r1", "source": "openstack", "timestamp": "2013-01-01T10:00:00.123000", "recorded_at": "2024-05-06T07:08:09.123000",
		"metadata": {"host": "a", "n": "5", "deep.x:y": "1", "l": "['a', 1]"}}`
	same(t, h.get("/v2/samples/"+ids[0], nil), want)
	same(t, h.get("/v2/samples/"+ids[0]+"/", as("p1")), want)
	same(t, h.get("/v2/meters/pears", nil), `[{"message_id": "`+ids[3]+`", "counter_name": "pears", "counter_type": "cumulative", "counter_unit": "",
		"counter_volume": 0.5, "user_id": "u1", "project_id": "p1", "resource_id": "r1", "source": "openstack",
		"timestamp": "2013-01-01T09:59:00", "recorded_at": "2024-05-06T07:08:09.123000", "resource_metadata": {}}]`)
}

// same compares with a text of JSON.
func same(t *testing.T, got any, want string) {
	t.Helper()
	var w any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	g, _ := json.Marshal(got)
	e, _ := json.Marshal(w)
	if string(g) != string(e) {
		t.Errorf("got  %s\nwant %s", g, e)
	}
}

func TestMeters(t *testing.T) {
	h := newHarness(t)
	h.fill()
	check(t, "meters", show(h.get("/v2/meters", nil), "resource_id", "name", "type", "unit", "user_id", "project_id", "source", "meter_id"),
		"r1 apples gauge instance u1 p1 openstack cjErYXBwbGVz; r1 pears cumulative  u1 p1 openstack cjErcGVhcnM=; "+
			"r2 apples gauge instance u2 p2 openstack cjIrYXBwbGVz")
	check(t, "unique", show(h.get("/v2/meters?unique=True", nil), "name", "resource_id", "meter_id"),
		"apples <nil> Tm9uZSthcHBsZXM=; pears <nil> Tm9uZStwZWFycw==")
	check(t, "limit", show(h.get("/v2/meters?unique=True&limit=1", nil), "name"), "apples")
	for _, tc := range []struct{ filter, want string }{
		{q("resource eq r2"), "r2 apples"},
		{q("project eq p1"), "r1 apples; r1 pears"},
		{q("project eq "), ""},
		{q("project eq None"), ""},
		{q("source eq openstack", "user_id eq u2"), "r2 apples"},
		{q("source eq other"), ""},
		{q("metadata.host eq c"), "r2 apples"},
		{q("metadata.host eq b"), ""},
	} {
		check(t, tc.filter, show(h.get("/v2/meters?"+tc.filter, nil), "resource_id", "name"), tc.want)
	}
	check(t, "one project", show(h.get("/v2/meters", as("p2")), "resource_id"), "r2")
}

func TestResources(t *testing.T) {
	h := newHarness(t)
	h.fill()
	same(t, h.get("/v2/resources", nil), `[
		{"resource_id": "r2", "project_id": "p2", "user_id": "u2", "source": "openstack", "first_sample_timestamp": "2013-01-01T10:00:30",
		"last_sample_timestamp": "2013-01-01T10:03:30", "metadata": {"host": "c"}, "links": [
			{"href": "http://example.com/v2/resources/r2", "rel": "self"},
			{"href": "http://example.com/v2/meters/apples?q.field=resource_id&q.value=r2", "rel": "apples"}]},
		{"resource_id": "r1", "project_id": "p1", "user_id": "u1", "source": "openstack", "first_sample_timestamp": "2013-01-01T09:59:00",
		"last_sample_timestamp": "2013-01-01T10:00:00.123000", "metadata": {"host": "a", "n": "5", "deep.x:y": "1", "l": "['a', 1]"}, "links": [
			{"href": "http://example.com/v2/resources/r1", "rel": "self"},
			{"href": "http://example.com/v2/meters/apples?q.field=resource_id&q.value=r1", "rel": "apples"},
			{"href": "http://example.com/v2/meters/pears?q.field=resource_id&q.value=r1", "rel": "pears"}]}]`)
	same(t, h.get("/v2/resources?meter_links=0&"+q("timestamp le 2013-01-01T10:01:00", "resource eq r2"), nil), `[
		{"resource_id": "r2", "project_id": "p2", "user_id": "u2", "source": "openstack", "first_sample_timestamp": "2013-01-01T10:00:30",
		"last_sample_timestamp": "2013-01-01T10:00:30", "metadata": {"host": "b"}, "links": [{"href": "http://example.com/v2/resources/r2", "rel": "self"}]}]`)
	for _, tc := range []struct{ filter, want string }{
		{q("timestamp ge 2013-01-01T00:00:00"), "r1; r2"},
		{q("timestamp ge 2013-01-01T00:00:00", "metadata.host eq b"), "r2"},
		{q("metadata.host eq b"), ""},
		{q("metadata.host eq c", "project eq p2"), "r2"},
		{q("timestamp gt 2013-01-01T10:03:30"), ""},
		{"limit=1", "r2"},
	} {
		check(t, tc.filter, show(h.get("/v2/resources?"+tc.filter, nil), "resource_id"), tc.want)
	}
	check(t, "one project", show(h.get("/v2/resources", as("p1")), "resource_id"), "r1")
	if id := h.get("/v2/resources/r1", as("p1")).(map[string]any)["resource_id"]; id != "r1" {
		t.Errorf("resource %v", id)
	}
	if w := h.ask("GET", "/v2/resources/r1", "", as("p2")); w.Code != 404 || !strings.Contains(w.Body.String(), "Resource r1 Not Found") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.write(samples.Sample{Meter: "storage", ResourceID: "AUTH/gl ance", Time: 1e18})
	for _, path := range []string{"AUTH%252Fgl%2520ance", "AUTH%2Fgl%20ance", "AUTH/gl%20ance"} {
		if id := h.get("/v2/resources/"+path, nil).(map[string]any)["resource_id"]; id != "AUTH/gl ance" {
			t.Errorf("%s: %v", path, id)
		}
	}
}

func TestPost(t *testing.T) {
	h := newHarness(t)
	w := h.ask("POST", "/v2/meters/apples?direct=True", `[{"counter_name": "apples", "counter_type": "gauge", "counter_unit": "i", "counter_volume": "1.5",
		"resource_id": "r1", "timestamp": "2013-01-01T12:00:00.5+02:00", "resource_metadata": {"nest.name1": "v", "plain": "w"}},
		{"counter_name": "apples", "counter_type": "gauge", "counter_unit": "i", "counter_volume": 3, "resource_id": "r1", "user_id": "me",
		"project_id": "p", "source": "here", "recorded_at": "2013-01-01T12:00:00Z"}]`, nil)
	got := h.decoded(w, 201).([]any)
	first, second := got[0].(map[string]any), got[1].(map[string]any)
	check(t, "source", fmt.Sprint(first["source"], " ", second["source"]), "None:openstack p:here")
	check(t, "timestamp", fmt.Sprint(first["timestamp"], " ", second["timestamp"], " ", second["recorded_at"]),
		"2013-01-01T12:00:00.500000+02:00 2024-05-06T07:08:09.123456 2013-01-01T12:00:00+00:00")
	if _, ok := first["recorded_at"]; ok || first["counter_volume"] != 1.5 || first["resource_metadata"].(map[string]any)["nest.name1"] != "v" {
		t.Errorf("%v", first)
	}
	stored := h.get("/v2/samples/"+first["message_id"].(string), nil).(map[string]any)
	check(t, "stored", fmt.Sprint(stored["timestamp"], " ", stored["metadata"]), "2013-01-01T10:00:00.500000 map[nest.name1:v plain:w]")
	check(t, "filter", show(h.get("/v2/samples?"+q("metadata.nest.name1 eq v"), nil), "volume"), "1.5")
	mine := h.decoded(h.ask("POST", "/v2/meters/pears", `{"samples": [{"counter_name": "pears", "counter_type": "delta", "counter_unit": "",
		"counter_volume": 1e3, "resource_id": "r2"}]}`, as("p1")), 201).([]any)[0].(map[string]any)
	check(t, "own", fmt.Sprint(mine["user_id"], mine["project_id"], mine["source"]), "u-p1p1p1:openstack")
}

func TestStatistics(t *testing.T) {
	h := newHarness(t)
	h.fill()
	stat := func(args string, members ...string) string {
		return show(h.get("/v2/meters/apples/statistics?"+args, nil), members...)
	}
	r2 := q("resource eq r2")
	check(t, "all", stat("", "period", "unit", "count", "min", "max", "sum", "avg", "duration", "duration_start", "duration_end", "period_start", "period_end", "groupby"),
		"0 instance 3 1 4 7 2.3333333333333335 209.877 2013-01-01T10:00:00.123000 2013-01-01T10:03:30 2013-01-01T09:59:00 2013-01-01T10:03:30 <nil>")
	check(t, "period", stat("period=60&"+r2, "period_start", "count"), "2013-01-01T10:00:00 1; 2013-01-01T10:03:00 1")
	check(t, "lower", stat("period=60&"+q("resource eq r2", "timestamp ge 2013-01-01T10:00:10", "timestamp lt 2013-01-01T10:03:30"), "period_start", "period_end", "count"),
		"2013-01-01T10:00:10 2013-01-01T10:01:10 1")
	check(t, "offset", stat("period=120&"+q("resource eq r2", "timestamp ge 2013-01-01T10:00:10", "timestamp le 2013-01-01T10:01:30", "search_offset eq 5"),
		"period_start", "period_end", "sum", "duration", "duration_start"),
		"2013-01-01T09:59:10 2013-01-01T10:01:10 2 0 2013-01-01T10:00:30; 2013-01-01T10:03:10 2013-01-01T10:05:10 4 <nil> <nil>")
	check(t, "groups", stat("groupby=resource_id&groupby=user_id&groupby=user_id", "groupby", "sum"),
		"map[resource_id:r1 user_id:u1] 1; map[resource_id:r2 user_id:u2] 6")
	check(t, "aggregates", stat("aggregate.func=cardinality&aggregate.param=resource_id&aggregate.func=max&aggregate.func=stddev&aggregate.func=max", "max", "min", "aggregate"),
		"4 <nil> map[cardinality/resource_id:2 max:4 stddev:1.247219128924647]")
	check(t, "unknown", show(h.get("/v2/meters/plums/statistics", nil)), "")
	check(t, "instance types", stat("groupby=resource_metadata.instance_type", "groupby"), "map[resource_metadata.instance_type:<nil>]")
}

func TestComplexQuery(t *testing.T) {
	h := newHarness(t)
	ids := h.fill()
	for _, tc := range []struct{ body, want string }{
		{`{}`, "4; 2; 1; 0.5"},
		{`{"filter": "{\"=\": {\"meter\": \"apples\"}}", "limit": "2"}`, "4; 2"},
		{`{"filter": "{\"AND\": [{\">\": {\"volume\": 0.5}}, {\"<=\": {\"counter_volume\": 2}}]}"}`, "2; 1"},
		{`{"filter": "{\">\": {\"volume\": \"1\"}}"}`, ""},
		{`{"filter": "{\"not\": {\">\": {\"volume\": \"1\"}}}"}`, "4; 2; 1; 0.5"},
		{`{"filter": "{\"!=\": {\"metadata.host\": \"a\"}}"}`, "4; 2; 0.5"},
		{`{"filter": "{\"or\": [{\"=\": {\"metadata.n\": 5}}, {\"=~\": {\"metadata.host\": \"^[c-d]\"}}]}"}`, "4; 1"},
		{`{"filter": "{\"not\": {\"and\": [{\"=\": {\"resource\": \"r2\"}}, {\"=\": {\"meter\": \"apples\"}}]}}"}`, "1; 0.5"},
		{`{"filter": "{\"in\": {\"meter\": [\"pears\", \"plums\"]}}"}`, "0.5"},
		{`{"filter": "{\">=\": {\"timestamp\": \"2013-01-01T10:00:30\"}}"}`, "4; 2"},
		{`{"filter": "{\"=\": {\"message_id\": \"` + ids[1] + `\"}}"}`, "2"},
		{`{"orderby": "[{\"volume\": \"ASC\"}]"}`, "0.5; 1; 2; 4"},
		{`{"orderby": "[{\"timestamp\": \"asc\"}]", "limit": 3}`, "0.5; 1; 2"},
		{`{"orderby": "[{\"resource\": \"asc\"}, {\"volume\": \"desc\"}]", "limit": 3}`, "1; 0.5; 4"},
		{`{"orderby": "[]"}`, "4; 2; 1; 0.5"},
	} {
		got := h.decoded(h.ask("POST", "/v2/query/samples", tc.body, nil), 200)
		check(t, tc.body, show(got, "volume"), tc.want)
	}
	own := h.decoded(h.ask("POST", "/v2/query/samples", `{"filter": "{\"not\": {\"=\": {\"project\": \"p1\"}}}"}`, as("p1")), 200)
	check(t, "a negation", show(own, "volume"), "")
	own = h.decoded(h.ask("POST", "/v2/query/samples", `{}`, as("p1")), 200)
	check(t, "own", show(own, "volume"), "1; 0.5")
}

func TestEventsAndBeside(t *testing.T) {
	h := newHarnessWith(t, &Options{Beside: map[string]http.Handler{"/other": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	})}})
	for path, want := range map[string]string{"/v2/events": "[]", "/v2/event_types/": "[]"} {
		if w := h.ask("GET", path, "", nil); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := h.ask("GET", "/v2/event_types", "", as("p1")); w.Code != 401 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.ask("GET", "/other/x", "", nil); w.Code != http.StatusTeapot {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestSamplesOfGnocchi has measures that came without contexts.
func TestSamplesOfGnocchi(t *testing.T) {
	h := newHarness(t)
	creator := "u:p"
	var m engine.Metric
	err := h.db.Update(t.Context(), func(tx *engine.Tx) error {
		r := engine.Resource{ID: engine.NewUUID(), OriginalID: "vm", Type: "generic", Creator: &creator, ProjectID: ptr("p1"), UserID: ptr("u1")}
		if err := tx.CreateResource(&r); err != nil {
			return err
		}
		if err := tx.CreateArchivePolicy(engine.ArchivePolicy{Name: "raw", Raw: engine.RawForever, Methods: []rollup.Method{rollup.Mean},
			Definition: []engine.Granularity{{Width: time.Minute, Points: 1000, Timespan: 1000 * time.Minute}}}); err != nil {
			return err
		}
		var err error
		m, err = tx.CreateMetric(engine.Metric{Name: ptr("cpu"), Unit: ptr("%"), Creator: &creator, Policy: "raw", Resource: &r.ID})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var b engine.Batch
	b.Add(m.Ref, at("2024-01-01T00:00:00"), 1)
	b.Add(m.Ref, at("2024-01-01T00:00:01"), 3)
	if _, err := h.db.Append(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	h.fill()
	check(t, "meter", show(h.get("/v2/meters?"+q("resource eq vm"), nil), "name", "type", "unit", "user_id", "source"), "cpu gauge % u1 openstack")
	for _, path := range []string{"/v2/samples?" + q("resource eq vm"), "/v2/meters/cpu", "/v2/meters/cpu?" + q("project eq p1", "source eq openstack"),
		"/v2/meters/cpu?" + q("resource eq vm", "user eq u1")} {
		if got := h.get(path, nil).([]any); len(got) != 2 {
			t.Errorf("%s: %v", path, got)
		}
	}
	check(t, "a project", show(h.get("/v2/samples?"+q("user eq u1"), as("p1")), "volume"), "3; 1; 1; 0.5")
	check(t, "another", show(h.get("/v2/samples", as("p2")), "volume"), "4; 2")
	check(t, "metadata", show(h.get("/v2/samples?"+q("metadata.host eq None"), as("p1")), "volume"), "3; 1; 0.5")
	check(t, "statistics", show(h.get("/v2/meters/cpu/statistics?"+q("project eq p1"), nil), "sum", "unit"), "4 %")
	got := h.decoded(h.ask("POST", "/v2/query/samples", `{"filter": "{\"=\": {\"unit\": \"%\"}}"}`, nil), 200)
	check(t, "a complex query", show(got, "volume"), "3; 1")
	check(t, "resource", show(h.get("/v2/resources?"+q("timestamp ge 2024-01-01"), nil), "resource_id", "first_sample_timestamp"), "vm 2024-01-01T00:00:00")
}
