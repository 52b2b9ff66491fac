package ceilometer

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/server/auth"
)

// sampleWith is a sample of apples as JSON, with members added or replaced.
func sampleWith(members string) string {
	s := `"counter_name": "apples", "counter_type": "gauge", "counter_unit": "i", "counter_volume": 1, "resource_id": "r1"`
	for member := range strings.SplitSeq(members, "; ") {
		name, _, _ := strings.Cut(member, ":")
		for old := range strings.SplitSeq(s, ", ") {
			if strings.HasPrefix(old, name+":") {
				s = strings.Replace(s, old, member, 1)
				member = ""
				break
			}
		}
		if member != "" {
			s += ", " + member
		}
	}
	return "[{" + s + "}]"
}

const valid = "valid keys: ['message_id', 'meter', 'project', 'resource', 'search_offset', 'source', 'timestamp', 'user']"

// errorTable is what the specification says of wrong requests: texts are whole, or their beginning if they end in dots.
var errorTable = []struct {
	method, path, body string
	status             int
	text               string
}{
	{"GET", "/v2/samples?limit=0", "", 400, "Limit must be positive"},
	{"GET", "/v2/meters?limit=-3", "", 400, "Limit must be positive"},
	{"GET", "/v2/meters/apples?limit=abc", "", 400, "Invalid input for field/attribute limit. Value: 'abc'. unable to convert to int. Error: ..."},
	{"GET", "/v2/meters/apples/statistics?period=1.5", "", 400, "Invalid input for field/attribute period. Value: '1.5'. unable to convert to int. Error: ..."},
	{"GET", "/v2/resources?meter_links=x", "", 400, "Invalid input for field/attribute meter_links. Value: 'x'. unable to convert to int. Error: ..."},
	{"GET", "/v2/samples?limit=1&limit=1", "", 400, "..."},
	{"GET", "/v2/samples?bogus=1", "", 400, `Unknown argument: "bogus"`},
	{"GET", "/v2/samples?q.zzz=1", "", 400, `Unknown argument: "q.zzz"`},
	{"GET", "/v2/meters/apples/statistics?limit=1", "", 400, `Unknown argument: "limit"`},
	{"GET", "/v2/resources/r1?limit=1", "", 400, `Unknown argument: "limit"`},
	{"GET", "/v2/samples?" + q("bogus eq x"), "", 400, `Unknown argument: "bogus": unrecognized field in query: [<Query 'bogus' eq 'x' None>], ` + valid},
	{"GET", "/v2/samples?" + q("metaquery eq x"), "", 400, `Unknown argument: "metaquery": unrecognized field in query: ...`},
	{"GET", "/v2/meters/apples/statistics?" + q("start_timestamp eq x"), "", 400, `Unknown argument: "start_timestamp": unrecognized field in query: ...`},
	{"GET", "/v2/resources?" + q("meter eq x"), "", 400, `Unknown argument: "meter": unrecognized field in query: ...`},
	{"GET", "/v2/meters?" + q("message_id eq x"), "", 400, `Unknown argument: "message_id": unrecognized field in query: ...`},
	{"GET", "/v2/meters?" + q("timestamp ge 2013-01-01"), "", 400, `Unknown argument: "timestamp": not valid for this resource`},
	{"GET", "/v2/meters?" + q("search_offset eq 1"), "", 400, `Unknown argument: "search_offset": not valid for this resource`},
	{"GET", "/v2/samples?" + q("user ne x"), "", 400, "Invalid input for field/attribute op. Value: 'ne'. unimplemented operator for user"},
	{"GET", "/v2/samples?" + q("resource_id xx x"), "", 400, "Invalid input for field/attribute op. Value: 'xx'. unimplemented operator for resource_id"},
	{"GET", "/v2/samples?" + q("metadata.x gt 1"), "", 400, "Invalid input for field/attribute op. Value: 'gt'. unimplemented operator for metadata.x"},
	{"GET", "/v2/samples?" + q("timestamp eq 2013-01-01"), "", 400, "Invalid input for field/attribute op. Value: 'eq'. unimplemented operator for timestamp"},
	{"GET", "/v2/samples?" + q("timestamp ge 2013-01-01", "timestamp ne 2013-01-02"), "", 400, "Invalid input for field/attribute op. Value: 'ne'. unimplemented operator for timestamp"},
	{"GET", "/v2/samples?" + q("timestamp ge zzz"), "", 400, "Invalid input for field/attribute timestamp. Value: 'zzz'. invalid timestamp format"},
	{"GET", "/v2/samples?" + q("search_offset eq 5"), "", 400, "Invalid input for field/attribute field. Value: 'search_offset'. search_offset cannot be used without timestamp"},
	{"GET", "/v2/samples?" + q("timestamp ge 2013-01-01", "search_offset gt 5"), "", 400, "Invalid input for field/attribute op. Value: 'gt'. unimplemented operator for search_offset"},
	{"GET", "/v2/samples?" + q("timestamp ge 2013-01-01", "search_offset eq x"), "", 400, "Invalid input for field/attribute search_offset. Value: 'x'. unable to convert to int. Error: ..."},
	{"GET", "/v2/samples?" + q("metadata.x eq bigint::5"), "", 400, "The data type bigint is not supported. The supported data type list is: ['integer', 'float', 'string', 'boolean', 'datetime']"},
	{"GET", "/v2/samples?" + q("metadata.x eq integer::5x"), "", 400, "Unable to convert the value 5x to the expected data type integer."},
	{"GET", "/v2/samples?" + q("metadata.x eq boolean::maybe"), "", 400, "Unable to convert the value maybe to the expected data type boolean."},
	{"GET", "/v2/samples?q.op=eq&q.value=x", "", 400, "Invalid input for field/attribute field. Value: 'None'. Mandatory field missing."},
	{"GET", "/v2/samples?q.field=user", "", 400, "Invalid input for field/attribute value. Value: 'None'. Mandatory field missing."},
	{"GET", "/v2/meters/apples/statistics?period=-1", "", 400, "Period must be positive."},
	{"GET", "/v2/meters/apples/statistics?period=86400000000000", "", 400, "Invalid period 86400000000000: ..."},
	{"GET", "/v2/meters/apples/statistics?period=999999999999", "", 400, "Invalid period 999999999999: ..."},
	{"GET", "/v2/meters/apples/statistics?groupby=house", "", 400, `Unknown argument: "{'house'}": Invalid groupby fields`},
	{"GET", "/v2/meters/apples/statistics?groupby=metadata.instance_type", "", 400, `Unknown argument: "{'metadata.instance_type'}": Invalid groupby fields`},
	{"GET", "/v2/meters/apples/statistics?aggregate.func=max&aggregate.func=mmm", "", 400, "Invalid aggregation function: mmm"},
	{"GET", "/v2/meters/apples/statistics?aggregate.func=cardinality", "", 400, "Bad aggregate: cardinality.None"},
	{"GET", "/v2/meters/apples/statistics?aggregate.func=max&aggregate.func=cardinality&aggregate.param=resource_id", "", 400, "Bad aggregate: cardinality.None"},
	{"GET", "/v2/meters/apples/statistics?aggregate.func=cardinality&aggregate.param=foo", "", 400, "Bad aggregate: cardinality.foo"},
	{"GET", "/v2/meters/apples/statistics?aggregate=max", "", 400, `Unknown argument: "aggregate"`},
	{"POST", "/v2/meters/apples", "", 400, "Samples should be included in request body"},
	{"POST", "/v2/meters/apples", "[]", 400, "Samples should be included in request body"},
	{"POST", "/v2/meters/apples", sampleWith(`"counter_name": "cars"`), 400, "Invalid input for field/attribute counter_name. Value: 'cars'. should be apples"},
	{"POST", "/v2/meters/apples", sampleWith(`"counter_type": "elev"`), 400, "Invalid input for field/attribute counter_type. Value: 'elev'. The counter type must be: gauge, delta, cumulative"},
	{"POST", "/v2/meters/apples", sampleWith(`"message_id": "x"`), 400, "Invalid input for field/attribute message_id. Value: 'x'. The message_id must not be set"},
	{"POST", "/v2/meters/apples", `[{"counter_name": "apples", "counter_type": "gauge", "counter_unit": "", "counter_volume": 1}]`, 400, "Invalid input for field/attribute resource_id. Value: 'None'. Mandatory field missing."},
	{"POST", "/v2/meters/apples", sampleWith(`"resource_id": null`), 400, "Invalid input for field/attribute resource_id. Value: 'None'. Mandatory field missing."},
	{"POST", "/v2/meters/apples", sampleWith(`"timestamp": "zzz"`), 400, "Invalid input for field/attribute samples. Value: ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"timestamp": "0001-01-01T00:00:00"`), 400, "Invalid input for field/attribute samples. Value: ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"timestamp": "9999-12-31T23:59:59"`), 400, "Invalid input for field/attribute samples. Value: ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"counter_volume": "abc"`), 400, "Invalid input for field/attribute samples. Value: ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"counter_volume": null`), 400, "Invalid input for field/attribute samples. Value: ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"counter_volume": true`), 400, "Invalid input for field/attribute samples. Value: ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"counter_volume": 1e400`), 400, "Invalid input for field/attribute samples. Value: ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"counter_volume": "NaN"`), 400, "Invalid input for field/attribute samples. Value: ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"resource_metadata": "x"`), 400, "Invalid input for field/attribute samples. Value: ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"resource_metadata": {"n": 5}`), 400, "Invalid input for field/attribute resource_metadata. ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"resource_metadata": {"n": {"m": "x"}}`), 400, "Invalid input for field/attribute resource_metadata. ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"resource_metadata": {"n": "` + strings.Repeat("x", 2<<20) + `"}`), 400, "Invalid input for field/attribute resource_metadata. ..."},
	{"POST", "/v2/meters/apples", sampleWith(`"bogus": 1`), 400, "Unknown attribute for argument samples: bogus"},
	{"POST", "/v2/meters/apples", `{"a": 1}`, 400, "Invalid input for field/attribute samples. ..."},
	{"POST", "/v2/meters/apples", `"x"`, 400, "Invalid input for field/attribute samples. ..."},
	{"POST", "/v2/meters/apples", `[{`, 400, "Request is not in valid JSON format"},
	{"POST", "/v2/meters/apples?bogus=1", sampleWith(`"source": "s"`), 400, `Unknown argument: "bogus"`},
	{"POST", "/v2/meters/a%2Fb", strings.ReplaceAll(sampleWith(`"source": "s"`), "apples", "a/b"), 400, "Invalid input for field/attribute counter_name. Value: 'a/b'. ..."},
	{"GET", "/v2/samples/nonsense", "", 404, "Sample nonsense Not Found"},
	{"GET", "/v2/samples/2b31a6c1-9fd1-4f38-b1a5-3c9dbf8a5b01", "", 404, "Sample 2b31a6c1-9fd1-4f38-b1a5-3c9dbf8a5b01 Not Found"},
	{"GET", "/v2/resources/nothing", "", 404, "Resource nothing Not Found"},
	{"GET", "/v2", "", 404, "..."},
	{"GET", "/v2/", "", 404, "..."},
	{"GET", "/v2/nothing", "", 404, "..."},
	{"GET", "/v2/meters/apples/other", "", 404, "..."},
	{"POST", "/v2/query/other", "{}", 404, "..."},
	{"GET", "/v2/alarms", "", 410, "alarms URLs is unavailable when Aodh is disabled or unavailable."},
	{"PUT", "/v2/alarms/5/state", "", 410, "alarms URLs is unavailable when Aodh is disabled or unavailable."},
	{"POST", "/v2/query/alarms/history", "", 410, "alarms URLs is unavailable when Aodh is disabled or unavailable."},
	{"POST", "/v2/query/samples", "", 400, "Missing argument: body"},
	{"POST", "/v2/query/samples", `{"bogus": 1}`, 400, "Unknown attribute for argument body: bogus"},
	{"POST", "/v2/query/samples", `{"filter": {"=": {"meter": "a"}}}`, 400, "Invalid input for field/attribute filter. ..."},
	{"POST", "/v2/query/samples", `{"filter": "{}"}`, 400, "Filter expression not valid: ..."},
	{"POST", "/v2/query/samples", `{"filter": ""}`, 400, "Filter expression not valid: ..."},
	{"POST", "/v2/query/samples", `{"filter": "{\"like\": {\"meter\": \"a\"}}"}`, 400, "Filter expression not valid: ..."},
	{"POST", "/v2/query/samples", `{"filter": "{\"=\": {\"id\": \"a\"}}"}`, 400, "Filter expression not valid: ..."},
	{"POST", "/v2/query/samples", `{"filter": "{\"=\": {\"meter\": null}}"}`, 400, "Filter expression not valid: ..."},
	{"POST", "/v2/query/samples", `{"filter": "{\"and\": [{\"=\": {\"meter\": \"a\"}}]}"}`, 400, "Filter expression not valid: ..."},
	{"POST", "/v2/query/samples", `{"filter": "{\"in\": {\"meter\": []}}"}`, 400, "Filter expression not valid: ..."},
	{"POST", "/v2/query/samples", `{"filter": "{\"=~\": {\"meter\": \"(\"}}"}`, 400, "Filter expression not valid: ..."},
	{"POST", "/v2/query/samples", `{"filter": "{\"=\": {\"timestamp\": \"x\"}}"}`, 400, "Failed to parse the timestamp value x"},
	{"POST", "/v2/query/samples", `{"filter": "{\"in\": {\"timestamp\": [\"2013-01-01\"]}}"}`, 400, "Failed to parse the timestamp value ['2013-01-01']"},
	{"POST", "/v2/query/samples", `{"orderby": "{}"}`, 400, "Order-by expression not valid: ..."},
	{"POST", "/v2/query/samples", `{"orderby": "[{\"volume\": \"up\"}]"}`, 400, "Order-by expression not valid: ..."},
	{"POST", "/v2/query/samples", `{"orderby": "[{\"metadata.x\": \"asc\"}]"}`, 400, "Order-by expression not valid: ..."},
	{"POST", "/v2/query/samples", `{"limit": 0}`, 400, "Limit must be positive"},
	{"POST", "/v2/query/samples", `{"limit": "x"}`, 400, "Invalid input for field/attribute limit. Value: 'x'. unable to convert to int. Error: ..."},
}

func checkError(t *testing.T, h *harness, what string, body []byte, code, status int, text string) {
	t.Helper()
	rest := string(body)
	begin, end := `{"error_message": {"faultcode": "Client", "faultstring": "`, `", "debuginfo": null}}`
	if code != status || !strings.HasPrefix(rest, begin) || !strings.HasSuffix(rest, end) {
		t.Errorf("%s: %d %s", what, code, body)
		return
	}
	got := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(rest[len(begin) : len(rest)-len(end)])
	if prefix, open := strings.CutSuffix(text, "..."); got != text && !(open && strings.HasPrefix(got, prefix)) {
		t.Errorf("%s:\n got  %s\n want %s", what, got, text)
	}
}

func TestErrors(t *testing.T) {
	h := newHarness(t)
	h.fill()
	before := h.db.Stats().Samples
	for _, tc := range errorTable {
		w := h.ask(tc.method, tc.path, tc.body, nil)
		what := tc.method + " " + tc.path + " " + tc.body[:min(len(tc.body), 200)]
		checkError(t, h, what, w.Body.Bytes(), w.Code, tc.status, tc.text)
		if !strings.HasPrefix(w.Header().Get("X-Openstack-Request-Id"), "req-") || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v", what, w.Header())
		}
	}
	if after := h.db.Stats().Samples; after != before {
		t.Errorf("%d samples are stored of refused requests", after-before)
	}
}

func TestScopeErrors(t *testing.T) {
	h := newHarness(t)
	h.fill()
	for _, tc := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{"GET", "/v2/samples?" + q("project eq p2"), "", 401, "Not Authorized to access project p2"},
		{"GET", "/v2/meters?" + q("project_id eq p2", "project_id eq p1"), "", 401, "Not Authorized to access project p2"},
		{"GET", "/v2/meters/apples/statistics?" + q("project eq p2"), "", 401, "Not Authorized to access project p2"},
		{"GET", "/v2/resources?" + q("project eq p2"), "", 401, "Not Authorized to access project p2"},
		{"POST", "/v2/meters/apples", sampleWith(`"project_id": "p2"`), 400, "Invalid input for field/attribute project_id. Value: 'p2'. can not post samples to other projects"},
		{"POST", "/v2/query/samples", `{"filter": "{\"or\": [{\"=\": {\"meter\": \"a\"}}, {\"=\": {\"project\": \"p2\"}}]}"}`, 401, "Not Authorized to access project p2"},
		{"POST", "/v2/query/samples", `{"filter": "{\"in\": {\"project_id\": [\"p1\"]}}"}`, 401, "Not Authorized to access project ['p1']"},
	} {
		w := h.ask(tc.method, tc.path, tc.body, as("p1"))
		checkError(t, h, tc.path+tc.body, w.Body.Bytes(), w.Code, tc.status, tc.text)
	}
	admin := as("p1")
	admin.Set("X-Roles", "Member,admin")
	check(t, "an admin", show(h.get("/v2/samples?"+q("project eq p2"), admin), "volume"), "4; 2")
}

func TestFrame(t *testing.T) {
	h := newHarnessWith(t, &Options{Alarms: "http://aodh:8042/"})
	for _, tc := range []struct {
		method, path string
		header       http.Header
		status       int
		name, want   string
	}{
		{"DELETE", "/v2/meters", nil, 405, "Allow", "GET"},
		{"POST", "/v2/samples", nil, 405, "Allow", "GET"},
		{"PUT", "/v2/meters/x", nil, 405, "Allow", "GET, POST"},
		{"GET", "/v2/query/samples", nil, 405, "Allow", "POST"},
		{"GET", "/v2/meters/", http.Header{"Accept": {"text/plain"}}, 406, "Content-Type", "application/json"},
		{"GET", "/v2/meters/", http.Header{"Accept": {"text/html, application/json;q=0.5"}}, 200, "Content-Type", "application/json"},
		{"GET", "/v2/meters/", http.Header{"Accept": {"*/*"}}, 200, "", ""},
		{"POST", "/v2/meters/x", http.Header{"Content-Type": {"text/plain"}}, 415, "", ""},
		{"GET", "/v2/alarms/5?x=y", nil, 308, "Location", "http://aodh:8042/v2/alarms/5?x=y"},
		{"GET", "/", nil, 200, "Content-Type", "application/json"},
	} {
		body := ""
		if tc.status == 415 {
			body = "[]"
		}
		w := h.ask(tc.method, tc.path, body, tc.header)
		if w.Code != tc.status || tc.name != "" && w.Header().Get(tc.name) != tc.want {
			t.Errorf("%s %s: %d %v %s", tc.method, tc.path, w.Code, w.Header(), w.Body)
		}
		if tc.status == 415 && !strings.Contains(w.Body.String(), "Unknown mimetype: text/plain") {
			t.Errorf("%s", w.Body)
		}
	}
	if v := h.get("/v2/capabilities", nil).(map[string]any)["api"].(map[string]any)["samples:query:complex"]; v != true {
		t.Errorf("capabilities: %v", v)
	}
}

func TestWhoAsks(t *testing.T) {
	h := newHarnessWith(t, &Options{Gate: auth.NewGate(auth.Basic{}, nil)})
	if w := h.ask("GET", "/v2/meters", "", nil); w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	h.fill()
	for _, tc := range []struct {
		header http.Header
		want   string
	}{
		{http.Header{"X-Auth-Token": {"admin"}}, "4; 2; 1; 0.5"},
		{http.Header{"X-Auth-Token": {"p1"}}, "1; 0.5"},
		{http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("p2:x"))}, "X-Auth-Token": {"admin"}}, "4; 2"},
	} {
		check(t, "samples", show(h.get("/v2/samples", tc.header), "volume"), tc.want)
		h.get("/v2/events", tc.header)
	}
}
