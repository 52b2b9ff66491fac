package gnocchi

import (
	"net/http"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/auth"
)

// genericType is the type that every resource has something of.
const genericType = "generic"

// resourceKeys are what lists of resources can be sorted by, resourceOrder how they are by default.
var (
	resourceKeys = []string{"id", "original_resource_id", "type", "creator", "user_id", "project_id", "started_at", "ended_at",
		"revision_start"}
	resourceOrder = []string{"revision_start:asc", "started_at:asc"}
)

// resourceObject is a resource as clients see it, with the members that all types have.
func resourceObject(r *engine.Resource) object {
	metrics := make(object, 0, len(r.Metrics))
	for name, ref := range r.Metrics {
		metrics = append(metrics, member{name, ref.ID.String()})
	}
	slices.SortFunc(metrics, func(a, b member) int { return compareText(a.key, b.key) })
	o := bareResource(r)
	const place = 10 // before the two members of the creator
	return slices.Insert(o, place, member{"metrics", metrics})
}

// bareResource is a resource without its metrics.
func bareResource(r *engine.Resource) object {
	user, project := createdBy(r.Creator)
	var ended any
	if r.EndedAt != nil {
		ended = pyTime(*r.EndedAt)
	}
	return object{
		{"creator", r.Creator},
		{"started_at", pyTime(r.StartedAt)},
		{"revision_start", pyTime(r.RevisionStart)},
		{"ended_at", ended},
		{"user_id", r.UserID},
		{"project_id", r.ProjectID},
		{"original_resource_id", r.OriginalID},
		{"id", r.ID.String()},
		{"type", r.Type},
		{"revision_end", nil},
		{"created_by_user_id", user},
		{"created_by_project_id", project},
	}
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// resourceOfPath finds the resource that the path names.
func (c *call) resourceOfPath() (*engine.Resource, error) {
	id, err := resourceID(c.id, c.user)
	if err != nil {
		return nil, noResource(c.id)
	}
	return c.db.Resource(id)
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
	return c.json(status, resourceObject(r))
}

func (c *call) listResources() error {
	args := c.args()
	for _, name := range []string{"details", "history"} { // generic has no details; there is no history to show yet
		yes, err := c.boolArg(name, false)
		if err != nil {
			return err
		}
		if yes && name == "history" {
			return fail(http.StatusNotImplemented, "Revisions of resources are not kept")
		}
	}
	p, err := c.parsePage(args, resourceKeys, resourceOrder)
	if err != nil {
		return err
	}
	q, err := p.query()
	if err != nil {
		return err
	}
	if q.Filter, err = c.resourceFilter(auth.ListResource, c.typ); err != nil {
		return err
	}
	all, err := c.db.Resources(c.r.Context(), q)
	if isMissingMarker(err, q) {
		return p.badMarker()
	}
	if err != nil {
		return err
	}
	attrs := args["attrs"]
	c.link(p, args, len(all), func() string { return all[len(all)-1].ID.String() })
	return c.list(len(all), func(dst []byte, i int) []byte {
		o := resourceObject(all[i])
		if attrs != nil {
			o = slices.DeleteFunc(o, func(m member) bool { return !slices.Contains(attrs, m.key) })
		}
		return appendJSON(dst, o)
	})
}

// isMissingMarker tells whether err says that the marker of q names nothing.
func isMissingMarker(err error, q engine.Query) bool {
	return q.Marker != nil && err != nil && statusOf(err).status == http.StatusNotFound
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
		policies, err := choosePolicies(tx, in.metrics)
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
	changed := false
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error {
		r, err = tx.Resource(r.ID) // as of now: others may have changed it
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
		return c.json(http.StatusOK, resourceObject(r))
	}
	return c.resource(http.StatusOK, r)
}

// applyPatch changes the resource and tells whether attributes differ now. Metrics in a PATCH take the place of those that
// are there.
func (c *call) applyPatch(tx *engine.Tx, r *engine.Resource, in *resourceInput) (changed bool, err error) {
	if changed = in.apply(r); changed {
		if r.EndedAt != nil && r.StartedAt.After(*r.EndedAt) {
			return false, badRequest("Value " + r.EndedAt.Format("2006-01-02 15:04:05.999999+00:00") + " for attribute ended_at on resource type " +
				r.Type + " is invalid")
		}
		r.RevisionStart = c.o.Now().UTC().Truncate(time.Microsecond)
		if err := tx.UpdateResource(r); err != nil {
			return false, err
		}
	}
	if in.metrics == nil {
		return changed, nil
	}
	policies, err := choosePolicies(tx, in.metrics)
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
	if err := c.mayResource(auth.DeleteResource, r); err != nil {
		return err
	}
	if err := c.checkConditions(r); err != nil {
		return err
	}
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) error { return tx.DeleteResource(r.ID) })
	if err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}
