package gnocchi

import (
	"net/http"

	"github.com/telemetrydb/tsdb/engine"
)

// genericTypeObject is the one resource type there is. The client reads it before it creates a resource.
var genericTypeObject = object{{"name", genericType}, {"attributes", object{}}, {"state", "active"}}

func (c *call) listResourceTypes() error {
	return c.list(1, func(dst []byte, _ int) []byte { return appendJSON(dst, genericTypeObject) })
}

func (c *call) getResourceType() error {
	if c.id != genericType {
		return &engine.Error{Kind: engine.KindResourceType, Name: c.id, Err: engine.ErrNotFound}
	}
	return c.json(http.StatusOK, genericTypeObject)
}
