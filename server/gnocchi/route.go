package gnocchi

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// method is what a route does for one HTTP method.
type method struct {
	name  string
	serve func(*call) error
	open  bool // for callers who do not say who they are, too
}

// route is a path and its methods.
type route struct {
	pattern string
	methods []method
	allow   string

	anyAccept bool // the answer has no representation that a client could refuse
}

func newRoute(pattern string, methods ...method) route {
	names := make([]string, len(methods)) // the tables below are in alphabetical order
	for i, m := range methods {
		names[i] = m.name
	}
	return route{pattern: pattern, methods: methods, allow: strings.Join(names, ", ")}
}

// forAny makes the route answer whatever the client accepts.
func (rt route) forAny() route {
	rt.anyAccept = true
	return rt
}

func (rt *route) method(name string) *method {
	for i := range rt.methods {
		if rt.methods[i].name == name {
			return &rt.methods[i]
		}
	}
	return nil
}

// routes are all that there are.
type routes struct {
	root, health, v1, v1redirect, capabilities, status            route
	policies, policy, rules, rule                                 route
	history, searchResources                                      route
	types, resources, resource, resourceMetrics                   route
	namedMetric, namedMeasures, metrics, metric, measures, broken route
	influxPing, influxQuery, influxWrite, prometheusWrite         route
	batchMetrics, batchResources, resourceTypes, resourceType     route
	aggregates, aggregation, aggregationMetric, searchMetric      route
	aggregationResource, aggregationNameless                      route
}

func newRoutes() routes {
	const del, get, patch, post = http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost
	return routes{
		root: newRoute("/", method{get, (*call).getRoot, true}),
		health: newRoute("/healthcheck", method{get, (*call).getHealth, true}, method{http.MethodHead, (*call).getHealth, true}).
			forAny(),
		v1:           newRoute("/v1/", method{get, (*call).getV1, true}),
		v1redirect:   newRoute("/v1", method{get, (*call).redirectV1, true}),
		capabilities: newRoute("/v1/capabilities", method{get, (*call).getCapabilities, true}),
		status:       newRoute("/v1/status", method{get, (*call).getStatus, false}),

		policies: newRoute("/v1/archive_policy",
			method{get, (*call).listPolicies, false}, method{post, (*call).postPolicy, false}),
		policy: newRoute("/v1/archive_policy/{name}", method{del, (*call).deletePolicy, false},
			method{get, (*call).getPolicy, false}, method{patch, (*call).patchPolicy, false}),
		rules: newRoute("/v1/archive_policy_rule",
			method{get, (*call).listRules, false}, method{post, (*call).postRule, false}),
		rule: newRoute("/v1/archive_policy_rule/{name}", method{del, (*call).deleteRule, false},
			method{get, (*call).getRule, false}, method{patch, (*call).patchRule, false}),

		resourceTypes: newRoute("/v1/resource_type",
			method{get, (*call).listResourceTypes, false}, method{post, (*call).postResourceType, false}),
		resourceType: newRoute("/v1/resource_type/{name}", method{del, (*call).deleteResourceType, false},
			method{get, (*call).getResourceType, false}, method{patch, (*call).patchResourceType, false}),

		types: newRoute("/v1/resource", method{get, (*call).getTypes, true}),
		resources: newRoute("/v1/resource/{type}", method{del, (*call).deleteResources, false},
			method{get, (*call).listResources, true}, method{post, (*call).postResource, false}),
		resource: newRoute("/v1/resource/{type}/{id}", method{del, (*call).deleteResource, false},
			method{get, (*call).getResource, false}, method{patch, (*call).patchResource, false}),
		history:         newRoute("/v1/resource/{type}/{id}/history", method{get, (*call).getHistory, false}),
		searchResources: newRoute("/v1/search/resource/{type}", method{post, (*call).searchResources, false}),
		resourceMetrics: newRoute("/v1/resource/{type}/{id}/metric",
			method{get, (*call).listResourceMetrics, false}, method{post, (*call).postResourceMetrics, false}),
		namedMetric: newRoute("/v1/resource/{type}/{id}/metric/{name}",
			method{del, (*call).deleteMetric, false}, method{get, (*call).getMetric, false}),
		namedMeasures: newRoute("/v1/resource/{type}/{id}/metric/{name}/measures",
			method{get, (*call).getMeasures, false}, method{post, (*call).postMeasures, false}),

		metrics: newRoute("/v1/metric",
			method{get, (*call).listMetrics, true}, method{post, (*call).postMetric, false}),
		metric: newRoute("/v1/metric/{id}",
			method{del, (*call).deleteMetric, false}, method{get, (*call).getMetric, false}, method{patch, (*call).patchMetric, false}),
		measures: newRoute("/v1/metric/{id}/measures",
			method{get, (*call).getMeasures, false}, method{post, (*call).postMeasures, false}),
		broken: route{pattern: "/v1/metric/{id}/", allow: "DELETE, GET"},

		influxPing: newRoute("/v1/influxdb/ping",
			method{get, (*call).getInfluxPing, true}, method{http.MethodHead, (*call).getInfluxPing, true}).forAny(),
		influxQuery:     newRoute("/v1/influxdb/query", method{post, (*call).postInfluxQuery, false}).forAny(),
		influxWrite:     newRoute("/v1/influxdb/write", method{post, (*call).postInfluxWrite, false}).forAny(),
		prometheusWrite: newRoute("/v1/prometheus/write", method{post, (*call).postPrometheusWrite, false}).forAny(),

		aggregates:  newRoute("/v1/aggregates", method{post, (*call).postAggregates, false}),
		aggregation: route{pattern: "/v1/aggregation"},
		aggregationMetric: newRoute("/v1/aggregation/metric",
			method{get, (*call).aggregationMetric, false}, method{post, (*call).aggregationMetric, false}),
		aggregationResource: newRoute("/v1/aggregation/resource/{type}/metric/{name}",
			method{post, (*call).aggregationResource, false}),
		aggregationNameless: route{pattern: "/v1/aggregation/resource/"},
		searchMetric:        newRoute("/v1/search/metric", method{post, (*call).searchMetric, false}),

		batchMetrics: newRoute("/v1/batch/metrics/measures",
			method{get, (*call).getBatchMetrics, false}, method{post, (*call).postBatchMetrics, false}),
		batchResources: newRoute("/v1/batch/resources/metrics/measures", method{post, (*call).postBatchResources, false}),
	}
}

// maxSegments is more than the longest path has.
const maxSegments = 8

// route finds the route of the request and takes the names out of its path.
func (c *call) route() (*route, error) {
	path := c.r.URL.Path
	if !utf8.ValidString(path) {
		return nil, noRoute()
	}
	var array [maxSegments]string
	segs := array[:0]
	for seg := range strings.SplitSeq(path, "/") {
		if seg == "" {
			continue
		}
		if len(segs) == maxSegments {
			return nil, noRoute()
		}
		segs = append(segs, seg)
	}
	rt, err := c.find(path, segs)
	if err != nil {
		return nil, err
	}
	c.r.Pattern = rt.pattern
	return rt, nil
}

func (c *call) find(path string, segs []string) (*route, error) {
	t := &c.routes
	switch {
	case len(segs) == 0:
		return &t.root, nil
	case len(segs) == 1 && segs[0] == "healthcheck":
		return &t.health, nil
	case segs[0] != "v1":
		return nil, noRoute()
	case len(segs) == 1:
		if strings.HasSuffix(path, "/") {
			return &t.v1, nil
		}
		return &t.v1redirect, nil
	}
	rest := segs[2:]
	switch segs[1] {
	case "capabilities":
		return leaf(&t.capabilities, rest)
	case "status":
		return leaf(&t.status, rest)
	case "archive_policy":
		return c.collection(&t.policies, &t.policy, rest)
	case "archive_policy_rule":
		return c.collection(&t.rules, &t.rule, rest)
	case "aggregates":
		return leaf(&t.aggregates, rest)
	case "aggregation":
		return c.findAggregation(rest)
	case "batch":
		return findBatch(t, rest)
	case "influxdb":
		return findInflux(t, rest)
	case "metric":
		return c.findMetric(rest)
	case "prometheus":
		if strings.Join(rest, "/") == "write" {
			return &t.prometheusWrite, nil
		}
	case "resource":
		return c.findResource(rest)
	case "search":
		return c.findSearch(rest)
	case "resource_type":
		return c.collection(&t.resourceTypes, &t.resourceType, rest)
	}
	return nil, noRoute()
}

func leaf(rt *route, rest []string) (*route, error) {
	if len(rest) > 0 {
		return nil, noRoute()
	}
	return rt, nil
}

// collection is a list and its members.
func (c *call) collection(all, one *route, rest []string) (*route, error) {
	switch len(rest) {
	case 0:
		return all, nil
	case 1:
		c.id = rest[0]
		return one, nil
	}
	return nil, fail(http.StatusNotFound, "")
}

func findBatch(t *routes, rest []string) (*route, error) {
	switch strings.Join(rest, "/") {
	case "metrics/measures":
		return &t.batchMetrics, nil
	case "resources/metrics/measures":
		return &t.batchResources, nil
	}
	return nil, noRoute()
}

func findInflux(t *routes, rest []string) (*route, error) {
	switch strings.Join(rest, "/") {
	case "ping":
		return &t.influxPing, nil
	case "query":
		return &t.influxQuery, nil
	case "write":
		return &t.influxWrite, nil
	}
	return nil, noRoute()
}

func (c *call) findMetric(rest []string) (*route, error) {
	t := &c.routes
	if len(rest) == 0 {
		return &t.metrics, nil
	}
	c.id = rest[0]
	switch {
	case len(rest) == 1:
		return &t.metric, nil
	case len(rest) == 2 && rest[1] == "measures":
		return &t.measures, nil
	}
	return &t.broken, nil
}

func (c *call) findResource(rest []string) (*route, error) {
	t := &c.routes
	if len(rest) == 0 {
		return &t.types, nil
	}
	if err := c.findType(rest[0]); err != nil {
		return nil, err
	}
	if len(rest) == 1 {
		return &t.resources, nil
	}
	if c.id = rest[1]; len(rest) == 2 {
		return &t.resource, nil
	}
	switch {
	case rest[2] == "history" && len(rest) == 3:
		return &t.history, nil
	case rest[2] != "metric":
		return nil, fail(http.StatusNotFound, "")
	}
	if len(rest) == 3 {
		return &t.resourceMetrics, nil
	}
	c.name = rest[3]
	switch {
	case len(rest) == 4:
		return &t.namedMetric, nil
	case len(rest) == 5 && rest[4] == "measures":
		return &t.namedMeasures, nil
	}
	return nil, noRoute()
}

// findType notes the type of resources that the path names, which has to be there.
func (c *call) findType(name string) (err error) {
	c.typ = name
	c.kind, err = c.db.ResourceType(name)
	return err
}

func (c *call) findSearch(rest []string) (*route, error) {
	if len(rest) == 1 && rest[0] == "metric" {
		return &c.routes.searchMetric, nil
	}
	if len(rest) != 2 || rest[0] != "resource" {
		return nil, noRoute()
	}
	return &c.routes.searchResources, c.findType(rest[1])
}

// url is the absolute URL of a path below the root, of which the segments are escaped.
func (c *call) url(path string) string {
	return c.root() + (&url.URL{Path: path}).EscapedPath()
}

// isV1 tells whether a path leads below /v1: what is beside it is open to everybody.
func isV1(path string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	return first == "v1"
}
