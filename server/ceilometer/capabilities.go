package ceilometer

import "net/http"

// versions answers with what APIs there are.
func (c *call) versions() error {
	b := append(c.begin(), `{"versions": {"values": [{"id": "v2", "links": [{"href": `...)
	b = appendText(b, c.o.Root(c.r)+"/v2")
	b = append(b, `, "rel": "self"}, {"href": "http://docs.openstack.org/", "rel": "describedby", "type": "text/html"}], `+
		`"media-types": [{"base": "application/json", "type": "application/vnd.openstack.telemetry-v2+json"}, `+
		`{"base": "application/xml", "type": "application/vnd.openstack.telemetry-v2+xml"}], `+
		`"status": "stable", "updated": "2013-02-13T00:00:00Z"}]}}`...)
	return c.end(http.StatusOK, b)
}

// capabilityNames are what the API can do.
var capabilityNames = []string{
	"meters:query:simple", "meters:query:metadata", "resources:query:simple", "resources:query:metadata", "samples:query:simple",
	"samples:query:metadata", "samples:query:complex", "statistics:groupby", "statistics:query:simple", "statistics:query:metadata",
	"statistics:aggregation:standard", "statistics:aggregation:selectable:max", "statistics:aggregation:selectable:min",
	"statistics:aggregation:selectable:sum", "statistics:aggregation:selectable:avg", "statistics:aggregation:selectable:count",
	"statistics:aggregation:selectable:stddev", "statistics:aggregation:selectable:cardinality", "events:query:simple",
}

// capabilities answers with what the API can do.
func (c *call) capabilities() error {
	if _, err := noArguments.Parse(c.r.URL.RawQuery); err != nil {
		return err
	}
	b := append(c.begin(), `{"api": {`...)
	for _, name := range capabilityNames {
		b = append(append(append(b, '"'), name...), `": true, `...)
	}
	b = append(b, `"statistics:aggregation:selectable:quartile": false}, "storage": {"storage:production_ready": true}, `+
		`"event_storage": {"storage:production_ready": true}}`...)
	return c.end(http.StatusOK, b)
}
