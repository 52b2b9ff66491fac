package gnocchi

import (
	"net/http"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/auth"
)

// resourceOfPath finds the resource that the path names, which has to be of the type there: generic is every one.
func (c *call) resourceOfPath() (*engine.Resource, error) {
	id, err := resourceID(c.id, c.user)
	if err != nil {
		return nil, noResource(c.id)
	}
	r, err := c.db.Resource(id)
	if err == nil && c.typ != genericType && r.Type != c.typ {
		return nil, noResource(id.String())
	}
	return r, err
}

func noResource(id string) error { return notFound("Resource %s does not exist", id) }

func (c *call) getResource() error {
	r, err := c.resourceOfPath()
	if err != nil {
		return err
	}
	if err := c.mayResource(auth.GetResource, r); err != nil {
		return err
	}
	if err := c.checkConditions(r); err != nil {
		return err
	}
	return c.resource(http.StatusOK, r)
}

// resource sends one resource with the headers that tell its revision.
func (c *call) resource(status int, r *engine.Resource) error {
	c.setRevision(r)
	return c.json(status, resourceObject(r, c.kind))
}

func (c *call) postResource() error {
	v, err := c.decode()
	if err != nil {
		return err
	}
	in, err := c.parseResource(v, true)
	if err != nil {
		return err
	}
	creator := c.user
	r := &engine.Resource{
		ID: in.id, OriginalID: in.original, Type: c.typ, Creator: &creator,
		StartedAt: c.o.Now().UTC().Truncate(time.Microsecond),
	}
	in.apply(r)
	if err := c.mayResource(auth.CreateResource, r); err != nil {
		return err
	}
	if r.EndedAt != nil && r.StartedAt.After(*r.EndedAt) {
		return badRequest("Start timestamp cannot be after end timestamp")
	}
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error {
		policies, err := rulePolicies(tx, in.metrics)
		if err != nil {
			return err
		}
		if err := tx.CreateResource(r); err != nil {
			return err
		}
		if err := addMetrics(tx, r, in.metrics, policies); err != nil {
			return asBadRequest(err)
		}
		r, err = tx.Resource(r.ID)
		return err
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", c.url("/v1/resource/"+r.Type+"/"+r.ID.String()))
	return c.resource(http.StatusCreated, r)
}

func (c *call) patchResource() error {
	r, err := c.resourceOfPath()
	if err != nil {
		return err
	}
	if err := c.mayResource(auth.UpdateResource, r); err != nil {
		return err
	}
	if err := c.checkConditions(r); err != nil {
		return err
	}
	v, err := c.decode()
	if err != nil {
		return err
	}
	in, err := c.parseResource(v, false)
	if err != nil {
		return err
	}
	if o, _ := v.Object(); o.Len() == 0 {
		return c.resource(http.StatusOK, r) // only asked for
	}
	changed := false
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error {
		r, err = tx.Resource(r.ID) // as of now: others may have changed it
		if err == nil {
			err = c.mayResource(auth.UpdateResource, r)
		}
		if err == nil {
			err = c.checkConditions(r)
		}
		if err != nil {
			return err
		}
		if changed, err = c.applyPatch(tx, r, in); err != nil {
			return err
		}
		r, err = tx.Resource(r.ID)
		return err
	})
	if err != nil {
		return err
	}
	if !changed && in.metrics == nil {
		return c.json(http.StatusOK, resourceObject(r, c.kind))
	}
	return c.resource(http.StatusOK, r)
}

// applyPatch changes the resource and tells whether attributes differ now. Metrics in a PATCH take the place of those that
// are there.
func (c *call) applyPatch(tx *engine.Tx, r *engine.Resource, in *resourceInput) (changed bool, err error) {
	if changed = in.apply(r); changed {
		if r.EndedAt != nil && r.StartedAt.After(*r.EndedAt) {
			end := strings.Replace(pyTime(*r.EndedAt), "T", " ", 1)
			return false, badRequest("Value " + end + " for attribute ended_at on resource type " + c.typ + " is invalid")
		}
		r.RevisionStart = c.o.Now().UTC().Truncate(time.Microsecond)
		if err := tx.UpdateResource(r); err != nil {
			return false, err
		}
	}
	if in.metrics == nil {
		return changed, nil
	}
	policies, err := rulePolicies(tx, in.metrics)
	if err != nil {
		return false, err
	}
	for _, ref := range r.Metrics {
		if err := tx.AttachMetric(ref.ID, nil, nil); err != nil {
			return false, err
		}
	}
	if err := addMetrics(tx, r, in.metrics, policies); err != nil {
		return false, asBadRequest(err)
	}
	return changed, nil
}

func (c *call) deleteResource() error {
	r, err := c.resourceOfPath()
	if err != nil {
		return err
	}
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error {
		r, err := tx.Resource(r.ID)
		if err == nil {
			err = c.mayResource(auth.DeleteResource, r)
		}
		if err == nil {
			err = c.checkConditions(r)
		}
		if err == nil {
			err = tx.DeleteResource(r.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}
