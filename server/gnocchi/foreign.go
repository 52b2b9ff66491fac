package gnocchi

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/telemetrydb/tsdb/server/body"
	"github.com/telemetrydb/tsdb/server/ingest"
	"github.com/telemetrydb/tsdb/server/limit"
)

// What write protocols that are not Gnocchi's own have in common.

// Samples take more memory than the text that they are read from, so that bodies of these protocols may have but a part of
// Options.MaxBodyBytes, and take several times their length from the budget.
const (
	foreignShare  = 4
	foreignFactor = 8
)

// reserve takes from the budget what samples read from so many bytes may take.
func (c *call) reserve(length int64) (*limit.Reader, error) {
	memory, err := limit.NewReader(nil, c.budget(), 0)
	if err == nil {
		err = body.Unroomy(memory.Grow(foreignFactor * length))
	}
	return memory, err
}

// countLines is how many lines of a body say something.
func countLines(body []byte) (n int) {
	for line := range bytes.SplitSeq(body, []byte{'\n'}) {
		if len(line) > 0 {
			n++
		}
	}
	return n
}

// store gives samples to the database, with the rights of the caller. Errors are answers of this API.
func (c *call) store(protocol string, w *ingest.Write) error {
	w.Creator, w.Now = &c.user, c.o.Now().UTC()
	w.Access = ingest.Access{
		CreateResource: func(r *engine.Resource) error { return c.mayResource(auth.CreateResource, r) },
		UpdateResource: func(r *engine.Resource) error { return c.mayResource(auth.UpdateResource, r) },
		PostMeasures:   func(m engine.Ref) error { return c.mayMetricRef(auth.PostMeasures, m) },
	}
	res, err := w.Store(c.r.Context(), c.db)
	c.o.Refused.Add(protocol, "late", res.Late)
	if err == nil {
		return nil
	}
	reason := ingest.Reason(err)
	var api *apiError
	if errors.As(err, &api) && api.status == http.StatusForbidden {
		reason = "forbidden"
	}
	c.o.Refused.Add(protocol, reason, len(w.Samples))
	return ingestError(err)
}

// ingestError turns the errors of a write into answers.
func ingestError(err error) error {
	var policy *ingest.PolicyError
	var typ *ingest.TypeError
	switch {
	case errors.As(err, &policy):
		return noPolicyFor(policy.Metric)
	case errors.As(err, &typ):
		return fail(http.StatusConflict, object{{"cause", "Resource already exists"}, {"detail", typ.ID.String()}})
	case errors.Is(err, context.Canceled):
		return err
	}
	return asBadRequest(err)
}

// needType sees to it that a resource type exists, as far as the caller may make it.
func (c *call) needType(tx *engine.Tx, t engine.ResourceType) error {
	if _, err := tx.ResourceType(t.Name); !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	if err := c.may(auth.CreateResourceType, auth.Fields{"name": t.Name}); err != nil {
		return err
	}
	return tx.CreateResourceType(t)
}
