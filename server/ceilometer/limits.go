package ceilometer

import (
	"cmp"
	"context"
	"time"

	"github.com/telemetrydb/tsdb/query"
)

// usage counts what a request reads, and ends it when that is too much.
type usage struct {
	limits query.Limits
	points int64
	bytes  int64
}

// limited gives the context that the request works in, which ends when its time is up, and what it may use.
func (c *call) limited() (context.Context, context.CancelFunc, *usage) {
	l := c.o.Query
	u := &usage{limits: query.Limits{Series: cmp.Or(l.Series, 100_000), Points: cmp.Or(l.Points, 20_000_000), Bytes: cmp.Or(l.Bytes, 1<<30)}}
	most := cmp.Or(l.Time, time.Minute)
	if most < 0 {
		ctx, cancel := context.WithCancel(c.r.Context())
		return ctx, cancel, u
	}
	up := &query.LimitError{Name: "query time", Limit: most.Milliseconds(), Unit: "milliseconds"}
	ctx, cancel := context.WithTimeoutCause(c.r.Context(), most, up)
	return ctx, cancel, u
}

// series says that the request is going to read so many metrics.
func (u *usage) series(n int) error {
	if l := u.limits.Series; l >= 0 && n > l {
		return &query.LimitError{Name: "query series", Limit: int64(l)}
	}
	return nil
}

// read says that so many samples were read.
func (u *usage) read(n int) error {
	if u.points += int64(n); u.points > u.limits.Points && u.limits.Points >= 0 {
		return &query.LimitError{Name: "query points", Limit: u.limits.Points}
	}
	return nil
}

// keep says that so much memory is taken until the answer is sent.
func (u *usage) keep(bytes int) error {
	if u.bytes += int64(bytes); u.bytes > u.limits.Bytes && u.limits.Bytes >= 0 {
		return &query.LimitError{Name: "query memory", Limit: u.limits.Bytes, Unit: "bytes"}
	}
	return nil
}
