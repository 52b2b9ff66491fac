package ceilometer

import (
	"fmt"
	"strings"
	"testing"
)

// Whoever is limited to a project cannot write samples of a resource that is another's: they would be in the owner's aggregates, and in place
// of the owner's samples where an archive policy keeps one of an instant. The original takes them.
func TestForeignResourceStays(t *testing.T) {
	h := newHarness(t)
	const sample = `[{"counter_name": "%s", "counter_type": "gauge", "counter_unit": "%s", "counter_volume": 1, "resource_id": "r1",
		"timestamp": "2024-01-01T00:00:0%d", "resource_metadata": {"of": "%s"}}]`
	post := func(n int, meter, project string, want int) any {
		t.Helper()
		return h.decoded(h.ask("POST", "/v2/meters/"+meter, fmt.Sprintf(sample, meter, project, n, project), as(project)), want)
	}
	post(5, "m", "a", 201)
	for n, meter := range []string{"m", "m", "other"} {
		if said := fmt.Sprint(post(n, meter, "b", 400)); !strings.Contains(said, "resource_id. Value: 'r1'. It belongs to another project.") {
			t.Errorf("refused by %s", said)
		}
	}
	post(6, "m", "a", 201)
	r, err := h.db.Resource(h.store.ResourceUUID("r1"))
	if err != nil {
		t.Fatal(err)
	}
	if r.ProjectID == nil || *r.ProjectID != "a" || r.UserID == nil || *r.UserID != "u-a" || r.Source != "a:openstack" || len(r.Metrics) != 1 {
		t.Errorf("the resource is of %v, %v, %s, with %v", r.ProjectID, r.UserID, r.Source, r.Metrics)
	}
	for _, tc := range []struct {
		project, path string
		want          int
	}{
		{"a", "/v2/samples", 2}, {"b", "/v2/samples", 0}, {"a", "/v2/resources", 1}, {"b", "/v2/resources", 0},
		{"b", "/v2/resources?q.field=timestamp&q.op=ge&q.value=2024-01-01", 0},
	} {
		if list := h.decoded(h.ask("GET", tc.path, "", as(tc.project)), 200).([]any); len(list) != tc.want {
			t.Errorf("%s as %s: %d, want %d: %v", tc.path, tc.project, len(list), tc.want, list)
		}
	}
	if w := h.ask("GET", "/v2/resources/r1", "", as("b")); w.Code != 404 {
		t.Errorf("the resource, as b: %d", w.Code)
	}
}

// An expression is refused before it takes memory: of few letters a machine of gigabytes can be made.
func TestExpressionsAreBounded(t *testing.T) {
	h := newHarness(t)
	ask := func(pattern string, times int) (code int) {
		leaf := fmt.Sprintf(`{\"=~\": {\"meter\": \"%s\"}}`, pattern)
		body := `{"filter": "{\"or\": [` + strings.Repeat(leaf+", ", times) + leaf + `]}"}`
		return h.ask("POST", "/v2/query/samples", body, nil).Code
	}
	for _, tc := range []struct {
		name, pattern string
		times, want   int
	}{
		{"a usual one", "^disk.*(read|write)$", 3, 200},
		{"a repetition", "[a-z]{36}", 10, 200},
		{"one of many repetitions", strings.Repeat("a{1000}", 3000), 1, 400},
		{"many of a repetition", "a{1000}", 2000, 400},
		{"a long one", strings.Repeat("ab", 20_000), 1, 400},
	} {
		if got := ask(tc.pattern, tc.times); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}
