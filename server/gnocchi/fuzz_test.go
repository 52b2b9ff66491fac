package gnocchi

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/rollup"
)

// target is a request whose body is fuzzed.
type target struct{ method, path string }

// Ids of what a fuzzed database holds.
const (
	fuzzResource = "5eed0001-0000-4000-8000-000000000001"
	fuzzMetric   = "5eed0001-0000-4000-8000-00000000000a"
	fuzzSpare    = "5eed0001-0000-4000-8000-00000000000b"
	fuzzTyped    = "5eed0001-0000-4000-8000-000000000002" // of the type vm
)

var (
	catalogueTargets = []target{
		{"POST", "/v1/archive_policy"}, {"PATCH", "/v1/archive_policy/low"},
		{"POST", "/v1/archive_policy_rule"}, {"PATCH", "/v1/archive_policy_rule/r"},
		{"POST", "/v1/resource/generic"}, {"PATCH", "/v1/resource/generic/" + fuzzResource},
		{"POST", "/v1/resource/generic/" + fuzzResource + "/metric"}, {"POST", "/v1/metric"}, {"PATCH", "/v1/metric/" + fuzzMetric},
	}
	typedTargets = []target{
		{"POST", "/v1/resource_type"}, {"PATCH", "/v1/resource_type/vm"},
		{"POST", "/v1/resource/vm"}, {"PATCH", "/v1/resource/vm/" + fuzzTyped},
		{"POST", "/v1/search/resource/vm?history=true&sort=size&sort=revision:desc&details=true"}, {"DELETE", "/v1/resource/vm"},
	}
	measureTargets = []target{
		{"POST", "/v1/metric/" + fuzzMetric + "/measures"},
		{"POST", "/v1/resource/generic/" + fuzzResource + "/metric/cpu/measures"},
		{"POST", "/v1/batch/metrics/measures"},
		{"POST", "/v1/batch/resources/metrics/measures"},
		{"POST", "/v1/batch/resources/metrics/measures?create_metrics=true"},
	}
)

// FuzzCatalogueBody fuzzes the bodies that change what there is.
func FuzzCatalogueBody(f *testing.F) {
	seeds := [][]string{
		{`{"name": "p", "definition": [{"granularity": "1 second", "points": 20}, {"granularity": "2 second"}], "back_window": 1}`,
			`{"name": "p", "definition": [{"timespan": "1 hour", "granularity": "7s"}], "aggregation_methods": ["*", "-mean", "rate:95pct"]}`,
			`{"name": "p", "definition": [{"timespan": "1 hour", "points": 9}], "raw_timespan": null}`},
		{`{"definition": [{"granularity": "1 minute", "points": 50}], "back_window": 3}`},
		{`{"name": "q", "metric_pattern": "disk.[a-z]*", "archive_policy_name": "low"}`},
		{`{"name": "q"}`},
		{`{"id": "x y", "started_at": "2014-01-03T02:02:02.5", "ended_at": 1e10, "user_id": null, "project_id": "p",
			"metrics": {"a": {"archive_policy_name": "low", "unit": "B"}, "b": "` + fuzzSpare + `"}}`},
		{`{"ended_at": "2030-01-01", "metrics": {"cpu": "` + fuzzMetric + `", "n": {}}}`},
		{`{"mem": {"unit": "\u00e9\ud83d\ude00"}, "cpu": {}}`},
		{`{"name": "n\u0000", "unit": "B", "archive_policy_name": "low", "resource_id": "` + fuzzResource + `"}`},
		{`{"archive_policy_name": "p"}`},
	}
	fuzzBodies(f, catalogueTargets, seeds)
}

// FuzzTypedBody fuzzes the bodies about resource types, their resources, and filters of them.
func FuzzTypedBody(f *testing.F) {
	filter := `{"or": [{"and": [{"≥": {"size": 1}}, {"like": {"host": "h%"}}]}, {"not": {"in": {"id": ["x", "` + fuzzTyped + `"]}}}, {"<": {"lifespan": "1h"}}]}`
	fuzzBodies(f, typedTargets, [][]string{
		{`{"name": "t", "attributes": {"a": {"type": "string", "max_length": 9}, "b": {"type": "number", "min": -1.5, "required": false}}}`},
		{`[{"op": "remove", "path": "/attributes/on"}, {"op": "add", "path": "/attributes/x~1y", "value": {"type": "uuid", "options": {"fill": "` + fuzzTyped + `"}}}]`,
			`[{"op": "add", "path": "/attributes/size/max", "value": {}}, {"op": "remove", "path": "/attributes"}]`},
		{`{"id": "x", "host": "h", "size": 1e3, "on": true, "at": "2026-01-01T00:00:00+01:00"}`},
		{`{"host": "h2", "size": 4, "ended_at": "2100-01-01", "metrics": {"cpu": {}}}`},
		{filter}, {filter},
	})
}

// FuzzMeasuresBody fuzzes the bodies that bring measures.
func FuzzMeasuresBody(f *testing.F) {
	list := `[{"timestamp": "2015-03-06T14:33:57.5+01:00", "value": 43.1}, {"timestamp": "-5 minutes", "value": "nan"},
		{"timestamp": 1425652437.25, "value": -1e20}]`
	fuzzBodies(f, measureTargets, [][]string{
		{list}, {list},
		{`{"` + fuzzMetric + `": ` + list + `, "` + fuzzSpare + `": []}`},
		{`{"` + fuzzResource + `": {"cpu": ` + list + `}}`},
		{`{"` + fuzzResource + `": {"cpu": {"measures": ` + list + `}, "new": {"measures": [], "unit": "s", "archive_policy_name": "low"}}}`,
			`{"x": {"cpu": []}, "x": {}}`},
	})
}

func fuzzBodies(f *testing.F, targets []target, seeds [][]string) {
	for i, bodies := range seeds {
		for _, body := range bodies {
			f.Add(uint8(i), body)
		}
	}
	for _, body := range []string{"", "{", "[]", "null", "1e999", `{"a": NaN}`, "\xff", strings.Repeat("[", 400), `"` + strings.Repeat("x", 300) + `"`} {
		f.Add(uint8(0), body)
	}
	h, runs := openHarness(f), 0
	h.fill(f)
	f.Cleanup(func() { h.db.Close() })
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		if runs++; runs%2000 == 0 { // what was accepted adds up
			h.db.Close()
			h = openHarness(t)
			h.fill(t)
		}
		to := targets[int(which)%len(targets)]
		before := h.stored()
		status, answer := h.do(to.method, to.path, body)
		if status >= 500 {
			t.Fatalf("%s %s\n%q\n%d %s", to.method, to.path, body, status, answer)
		}
		// Metrics of the known resources may have been made when others are unknown; that is how publishers expect it.
		if status >= 400 && !strings.Contains(answer, "Unknown resources") && h.stored() != before {
			t.Fatalf("%s %s\n%q\n%d %s\nchanged %s to %s", to.method, to.path, body, status, answer, before, h.stored())
		}
	})
}

// FuzzQueryString fuzzes paths and parameters of reads.
func FuzzQueryString(f *testing.F) {
	for i, s := range []string{"", "limit=2&sort=id:desc&marker=" + fuzzResource, "name=cpu&status=active&sort=name&limit=1",
		"start=-1 day&stop=now&granularity=60&resample=W&aggregation=max&refresh=1", "details=x"} {
		f.Add(uint8(i), s)
	}
	paths := []string{"/v1/archive_policy", "/v1/resource/generic", "/v1/metric", "/v1/metric/" + fuzzMetric + "/measures", "/v1/status"}
	h := newHarness(f)
	h.fill(f)
	if status, answer := h.do(measureTargets[0].method, measureTargets[0].path, `[{"timestamp": 90, "value": 1}]`); status != 202 {
		f.Fatal(status, answer)
	}
	paths = append(paths, "/v1/resource/vm", "/v1/resource/vm/"+fuzzTyped+"/history", "/v1/resource_type")
	for _, s := range []string{"history=true&details=1&sort=revision_end:desc-nullslast&sort=size&marker=" + fuzzTyped + "@-1&attrs=id", "limit=1&marker=x@1"} {
		f.Add(uint8(5), s)
		f.Add(uint8(6), s)
	}
	f.Fuzz(func(t *testing.T, which uint8, query string) {
		r := httptest.NewRequest("GET", paths[int(which)%len(paths)], nil)
		r.URL.RawQuery = query
		r.SetBasicAuth("admin", "")
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != 501 {
			t.Fatalf("%s: %d %s", r.URL, w.Code, w.Body)
		}
		if link := w.Header().Get("Link"); link != "" {
			next, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
			if _, err := url.Parse(next); err != nil {
				t.Fatalf("%s: link %q: %v", r.URL, link, err)
			}
		}
	})
}

// fill makes a policy, a rule, a resource with a metric, and a metric without one.
func (h *harness) fill(t testing.TB) {
	err := h.db.Update(context.Background(), func(tx *engine.Tx) error {
		resource, _ := engine.ParseUUID(fuzzResource)
		metric, _ := engine.ParseUUID(fuzzMetric)
		spare, _ := engine.ParseUUID(fuzzSpare)
		name, admin := "cpu", "admin"
		low := engine.ArchivePolicy{Name: "low", Methods: []rollup.Method{rollup.Mean, rollup.Max},
			Definition: []engine.Granularity{{Width: 60e9, Points: 100, Timespan: 6000e9}}}
		if err := tx.CreateArchivePolicy(low); err != nil {
			return err
		}
		if err := tx.CreateRule(engine.Rule{Name: "r", Pattern: "*", Policy: "low"}); err != nil {
			return err
		}
		if err := tx.CreateResource(&engine.Resource{ID: resource, OriginalID: fuzzResource, Type: "generic", Creator: &admin}); err != nil {
			return err
		}
		if _, err := tx.CreateMetric(engine.Metric{ID: spare, Creator: &admin, Policy: "low"}); err != nil {
			return err
		}
		vm := engine.ResourceType{Name: "vm", Attributes: []engine.Attribute{{Name: "host", Type: engine.AttributeString, MaxLength: 20},
			{Name: "size", Type: engine.AttributeNumber}, {Name: "on", Type: engine.AttributeBool}, {Name: "at", Type: engine.AttributeDatetime}}}
		if err := tx.CreateResourceType(vm); err != nil {
			return err
		}
		typed, _ := engine.ParseUUID(fuzzTyped)
		if err := tx.CreateResource(&engine.Resource{ID: typed, OriginalID: fuzzTyped, Type: "vm", Creator: &admin}); err != nil {
			return err
		}
		_, err := tx.CreateMetric(engine.Metric{ID: metric, Name: &name, Creator: &admin, Policy: "low", Resource: &resource})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (h *harness) do(method, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.SetBasicAuth("admin", "")
	r.Header.Set("Content-Type", "application/json")
	if method == "PATCH" && strings.HasPrefix(path, "/v1/resource_type/") {
		r.Header.Set("Content-Type", jsonPatchMedia)
	}
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// stored is everything that a refused request must leave alone.
func (h *harness) stored() string {
	id, _ := engine.ParseUUID(fuzzResource)
	r, err := h.db.Resource(id)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(h.db.CountResources(), h.db.CountRevisions(), h.db.ResourceTypes(), h.db.CountMetrics(), h.db.Stats().Samples, h.db.ArchivePolicies(), h.db.Rules()) +
		string(appendJSON(nil, resourceObject(r, engine.ResourceType{})))
}

// FuzzAggregatesBody fuzzes the bodies that ask for aggregates.
func FuzzAggregatesBody(f *testing.F) {
	targets := []target{
		{"POST", "/v1/aggregates"}, {"POST", "/v1/aggregates?groupby=project_id&use_history=1&details=1&fill=null"},
		{"POST", "/v1/aggregates?needed_overlap=10&limit=1&order_by=max"},
		{"POST", "/v1/search/metric?metric_id=" + fuzzMetric}, {"POST", "/v1/aggregation/metric?granularity=60&resample=W"},
		{"POST", "/v1/aggregation/resource/generic/metric/cpu?groupby=id"},
	}
	for i, body := range []string{
		`{"operations": ["rateofchange", ["metric", ["` + fuzzMetric + `", "mean"], ["` + fuzzSpare + `", "max"]]]}`,
		`{"operations": "(aggregate rate:mean (metric (c* mean) (cpu max)))", "resource_type": "generic", "search": "id != null"}`,
		`{"operations": ["rolling", "std", 1, ["metric", "cpu", "mean"]], "resource_type": "generic", "search": {"=": {"id": "` + fuzzResource + `"}}}`,
		`{"or": [{">": [{"+": 1}, 8]}, {"≠": true}]}`, `["` + fuzzMetric + `", "` + fuzzSpare + `"]`, `{"like": {"creator": "a%"}}`,
		"", "{", "[]", "null", `{"operations": {}}`, `{"operations": "("}`, `{"operations": [[]], "search": 1, "resource_type": []}`,
	} {
		f.Add(uint8(i), body)
	}
	h := newHarness(f)
	h.fill(f)
	if status, answer := h.do(measureTargets[0].method, measureTargets[0].path, `[{"timestamp": 90, "value": 1}, {"timestamp": 190, "value": -2.5}]`); status != 202 {
		f.Fatal(status, answer)
	}
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		to := targets[int(which)%len(targets)]
		if status, answer := h.do(to.method, to.path, body); status >= 500 {
			t.Fatalf("%s %s\n%q\n%d %s", to.method, to.path, body, status, answer)
		}
	})
}
