package gnocchi

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/valyala/fastjson"
)

// projects is an API whose callers say themselves who they are, with things that ada of the project alpha made for beta.
type projects struct {
	*harness
	t *testing.T
}

const (
	betasResource = "00000000-0000-4000-8000-000000000001"
	catsResource  = "00000000-0000-4000-8000-000000000002"
)

func newProjects(t *testing.T) *projects {
	p := &projects{newHarness(t), t}
	p.handler = New(p.db, &Options{Gate: auth.NewGate(auth.None{}, nil), MaxLimit: 7})
	p.must("root", 201, "POST", "/v1/archive_policy", `{"name": "minutes", "definition": [{"granularity": 60, "points": 10}]}`)
	p.must("ada", 201, "POST", "/v1/resource/generic", `{"id": "`+betasResource+`", "project_id": "beta",
		"metrics": {"cpu": {"archive_policy_name": "minutes"}}}`)
	p.must("cat", 201, "POST", "/v1/resource/generic", `{"id": "`+catsResource+`", "metrics": {"cpu": {"archive_policy_name": "minutes"}}}`)
	return p
}

// callers are user, project and roles of those who ask.
var callers = map[string][3]string{
	"ada": {"ada", "alpha", "member"}, "amy": {"amy", "alpha", "member"}, "bob": {"bob", "beta", "member"}, "cat": {"cat", "gamma", "member"},
	"svc": {"svc", "service", "service"}, "root": {"root", "alpha", "admin"}, "dan": {"dan", "", ""},
}

func (p *projects) ask(who, method, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	for i, name := range []string{"X-User-Id", "X-Project-Id", "X-Roles"} {
		r.Header.Set(name, callers[who][i])
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (p *projects) must(who string, want int, method, path, body string) string {
	p.t.Helper()
	status, answer := p.ask(who, method, path, body)
	if status != want {
		p.t.Errorf("%s: %s %s: %d %s, want %d", who, method, path, status, answer, want)
	}
	return answer
}

// ids gives the members id of a list.
func (p *projects) ids(answer string) (ids []string) {
	p.t.Helper()
	v, err := fastjson.Parse(answer)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, item := range v.GetArray() {
		ids = append(ids, string(item.GetStringBytes("id")))
	}
	slices.Sort(ids)
	return ids
}

// TestProjects asks for lists: each caller sees what their project owns or created.
func TestProjects(t *testing.T) {
	p := newProjects(t)
	metricOf := map[string]string{}
	for who, resource := range map[string]string{"ada": betasResource, "cat": catsResource} {
		metric := p.must(who, 200, "GET", "/v1/resource/generic/"+resource+"/metric/cpu", "")
		v, err := fastjson.Parse(metric)
		if err != nil {
			t.Fatal(err)
		}
		metricOf[resource] = string(v.GetStringBytes("id"))
	}
	for who, want := range map[string][]string{
		"ada": {betasResource}, "amy": {betasResource}, "bob": {betasResource}, "cat": {catsResource}, "svc": nil,
		"root": {betasResource, catsResource},
	} {
		if got := p.ids(p.must(who, 200, "GET", "/v1/resource/generic", "")); !slices.Equal(got, want) {
			t.Errorf("%s sees resources %v", who, got)
		}
		var metrics []string
		for _, r := range want {
			metrics = append(metrics, metricOf[r])
		}
		slices.Sort(metrics)
		for _, query := range []string{"", "?name=cpu", "?archive_policy_name=minutes&sort=name"} {
			if got := p.ids(p.must(who, 200, "GET", "/v1/metric"+query, "")); !slices.Equal(got, metrics) {
				t.Errorf("%s sees metrics %v, want %v", who, got, metrics)
			}
		}
		if who == "svc" { // which may search, but not list
			want = []string{betasResource, catsResource}
		}
		if got := p.ids(p.must(who, 200, "POST", "/v1/search/resource/generic", "{}")); !slices.Equal(got, want) {
			t.Errorf("%s finds resources %v", who, got)
		}
		// A filter of the caller's own cannot widen what they see.
		any := `{"or": [{"=": {"id": "` + betasResource + `"}}, {"=": {"id": "` + catsResource + `"}}]}`
		if got := p.ids(p.must(who, 200, "POST", "/v1/search/resource/generic", any)); !slices.Equal(got, want) {
			t.Errorf("%s finds resources %v", who, got)
		}
	}
	for _, to := range []target{{"GET", "/v1/resource/generic"}, {"GET", "/v1/metric"}, {"POST", "/v1/search/resource/generic"}} {
		answer := p.must("dan", 403, to.method, to.path, "{}")
		if !strings.Contains(answer, `"description": "Insufficient privileges"`) {
			t.Errorf("%s: %s", to.path, answer)
		}
	}
}

// TestForeign has callers touch one thing of others.
func TestForeign(t *testing.T) {
	p := newProjects(t)
	resource := "/v1/resource/generic/" + betasResource
	measures := `[{"timestamp": 60, "value": 1}]`
	batch := `{"` + betasResource + `": {"cpu": ` + measures + `}}`
	create := `{"` + betasResource + `": {"made": {"measures": ` + measures + `, "archive_policy_name": "minutes"}}}`
	metric := "/v1/metric/" + p.ids("[" + p.must("ada", 200, "GET", resource+"/metric/cpu", "") + "]")[0]
	for _, tc := range []struct {
		method, path, body string
		want               int
		who                string
	}{
		{"GET", resource, "", 200, "ada amy bob root"},
		{"PATCH", resource, `{"user_id": "u"}`, 200, "ada amy svc root"},
		{"GET", resource + "/history", "", 200, "ada amy bob root"},
		{"GET", resource + "/metric", "", 200, "ada amy bob root"},
		{"POST", resource + "/metric", `{}`, 200, "ada amy svc root"},
		{"GET", resource + "/metric/cpu", "", 200, "ada amy bob svc root"},
		{"GET", resource + "/metric/cpu/measures", "", 200, "ada amy bob svc root"},
		{"PATCH", metric, `{"archive_policy_name": "minutes"}`, 200, "ada amy root"},
		{"POST", resource + "/metric/cpu/measures", measures, 202, "ada amy svc root"},
		{"POST", "/v1/batch/resources/metrics/measures", batch, 202, "ada amy svc root"},
		{"POST", "/v1/batch/resources/metrics/measures?create_metrics=true", batch, 202, "ada amy svc root"},
		{"POST", "/v1/metric", `{"archive_policy_name": "minutes"}`, 201, "ada amy bob cat svc root dan"},
		{"GET", "/v1/status", "", 200, "root"},
		{"POST", "/v1/archive_policy", `{"name": "%s", "definition": [{"granularity": 1}]}`, 201, "svc root"},
		{"DELETE", "/v1/archive_policy/none", "", 404, "root"}, // others are not told that there is none
	} {
		for who := range callers {
			want := tc.want
			if !slices.Contains(strings.Fields(tc.who), who) {
				want = 403
			}
			body := tc.body
			if strings.Contains(body, "%s") {
				body = fmt.Sprintf(body, who)
			}
			p.must(who, want, tc.method, tc.path, body)
		}
	}
	p.must("bob", 403, "POST", "/v1/batch/resources/metrics/measures?create_metrics=true", create)
	p.must("bob", 403, "POST", "/v1/metric", `{"archive_policy_name": "minutes", "name": "made", "resource_id": "`+betasResource+`"}`)
	if n := p.db.CountMetrics(); n != 2+len(callers) {
		t.Errorf("%d metrics: one was created although that was refused", n)
	}
	p.must("svc", 202, "POST", "/v1/batch/resources/metrics/measures?create_metrics=true", create)
	p.must("bob", 200, "DELETE", "/v1/resource/generic?filter=project_id%3Dbeta", "")
	p.must("bob", 200, "GET", resource, "")
	p.must("amy", 204, "DELETE", resource, "")
}
