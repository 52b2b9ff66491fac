package gnocchi

import (
	"net/http"
	"strings"

	"github.com/telemetrydb/tsdb/rollup"
	"github.com/telemetrydb/tsdb/server/auth"
)

func (c *call) getRoot() error {
	return c.json(http.StatusOK, object{
		{"build", Build},
		{"versions", []object{{
			{"status", "CURRENT"},
			{"links", []object{{{"rel", "self"}, {"href", c.root() + "/v1/"}}}},
			{"id", "v1.0"},
			{"updated", "2015-03-19"},
		}}},
	})
}

func (c *call) redirectV1() error {
	c.w.Header().Set("Location", c.root()+"/v1/")
	return c.empty(http.StatusFound)
}

// v1Links are the names that the root of v1 lists, in this order, by the API's definition and whether or not they are built.
var v1Links = [...]string{"aggregates", "aggregation", "archive_policy", "archive_policy_rule", "batch", "capabilities",
	"influxdb", "metric", "resource", "resource_type", "search", "status"}

func (c *call) getV1() error {
	self := c.root() + "/v1"
	links := []object{{{"rel", "self"}, {"href", self}}}
	for _, name := range v1Links {
		links = append(links, object{{"rel", name}, {"href", self + "/" + name}})
	}
	return c.json(http.StatusOK, object{{"version", "1.0"}, {"links", links}})
}

func (c *call) getTypes() error {
	urls := object{}
	for _, t := range c.db.ResourceTypes() {
		urls = append(urls, member{t.Name, c.url("/v1/resource/" + t.Name)})
	}
	return c.json(http.StatusOK, urls)
}

func (c *call) getCapabilities() error {
	var names []string
	for _, m := range append(rollup.Methods(), rollup.CounterMethods()...) {
		names = append(names, m.String())
	}
	return c.json(http.StatusOK, object{{"aggregation_methods", names}})
}

// getStatus says that nothing waits to be processed: a measure is in all aggregates when its write is answered.
func (c *call) getStatus() error {
	if err := c.may(auth.GetStatus, nil); err != nil {
		return err
	}
	details, err := c.boolArg("details", true)
	if err != nil {
		return err
	}
	storage := object{{"summary", object{{"metrics", 0}, {"measures", 0}}}}
	if details {
		storage = append(storage, member{"measures_to_process", object{}})
	}
	return c.json(http.StatusOK, object{
		{"storage", storage},
		{"metricd", object{{"processors", nil}, {"statistics", object{}}}},
	})
}

func (c *call) getHealth() error {
	if strings.Contains(c.r.Header.Get("Accept"), "application/json") {
		return c.json(http.StatusOK, object{{"detailed", false}, {"reasons", []any{}}})
	}
	c.w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	return c.empty(http.StatusOK)
}
