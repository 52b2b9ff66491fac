package gnocchi

import (
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/telemetrydb/tsdb/engine"
)

// etag identifies a revision of a resource.
func etag(r *engine.Resource) string {
	sum := sha1.Sum([]byte(r.ID.String() + pyTime(r.RevisionStart)))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func lastModified(r *engine.Resource) time.Time { return r.RevisionStart.UTC().Truncate(time.Second) }

func (c *call) setRevision(r *engine.Resource) {
	c.w.Header()["ETag"] = []string{etag(r)} // not Etag, which Set would make of it
	c.w.Header().Set("Last-Modified", lastModified(r).Format(http.TimeFormat))
}

// checkConditions refuses a request whose conditions do not hold for the present revision.
func (c *call) checkConditions(r *engine.Resource) error {
	h := c.r.Header
	reading := c.r.Method == http.MethodGet
	failed := fail(http.StatusPreconditionFailed, "")
	if m := h.Get("If-Match"); m != "" {
		if !matches(m, etag(r)) {
			return failed
		}
	} else if t, err := http.ParseTime(h.Get("If-Unmodified-Since")); err == nil && t.Before(lastModified(r)) {
		return failed
	}
	if m := h.Get("If-None-Match"); m != "" {
		switch {
		case !matches(m, etag(r)):
		case reading:
			c.setRevision(r)
			return fail(http.StatusNotModified, "")
		default:
			return failed
		}
	} else if t, err := http.ParseTime(h.Get("If-Modified-Since")); reading && err == nil && !lastModified(r).After(t) {
		c.setRevision(r)
		return fail(http.StatusNotModified, "")
	}
	return nil
}

// matches tells whether a list of entity tags holds tag, or is a star.
func matches(list, tag string) bool {
	for t := range strings.SplitSeq(list, ",") {
		t = strings.TrimPrefix(strings.TrimSpace(t), "W/")
		if t == "*" || t == tag {
			return true
		}
	}
	return false
}
