package ingest

import (
	"context"
	"errors"

	"github.com/telemetrydb/tsdb/engine"
)

// Reason names what a failed write failed of, for Refused.
func Reason(err error) string {
	var policy *PolicyError
	var typ *TypeError
	switch {
	case errors.As(err, &policy):
		return "no policy"
	case errors.As(err, &typ):
		return "resource of another type"
	case errors.Is(err, engine.ErrFull):
		return "disk full"
	case errors.Is(err, engine.ErrReadOnly):
		return "read only"
	case errors.Is(err, engine.ErrInvalid), errors.Is(err, engine.ErrNotFound):
		return "invalid"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, engine.ErrClosed):
		return "given up"
	}
	return "error"
}
