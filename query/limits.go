package query

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Limits bound what one request may use. Every zero field means the default named beside it, a negative one no limit.
type Limits struct {
	// Series is how many stored series, a metric and a method each, a request may read. Default 100,000.
	Series int
	// Points is how many stored points it may read. Default 20 million.
	Points int64
	// Bytes is how much memory its columns may take. Default 1 GiB.
	Bytes int64
	// Time is how long it may take. Default one minute.
	Time time.Duration
}

func (l Limits) withDefaults() Limits {
	l.Series = cmp.Or(l.Series, 100_000)
	l.Points = cmp.Or(l.Points, 20_000_000)
	l.Bytes = cmp.Or(l.Bytes, 1<<30)
	l.Time = cmp.Or(l.Time, time.Minute)
	return l
}

// LimitError says that a request asks for more than a limit allows.
type LimitError struct {
	Name  string // of the limit
	Limit int64
	Unit  string // of the limit
}

func (e *LimitError) Error() string {
	text := fmt.Sprintf("the request exceeds the limit %q of %d", e.Name, e.Limit)
	if e.Unit != "" {
		text += " " + e.Unit
	}
	return text
}

// budget counts what a request uses. Its methods may be called from several goroutines.
type budget struct {
	limits Limits
	points atomic.Int64
	bytes  atomic.Int64
}

// start returns a budget and a context that ends when the time of the request is up, with a LimitError as its cause.
func (l Limits) start(ctx context.Context) (*budget, context.Context, context.CancelFunc) {
	b := &budget{limits: l.withDefaults()}
	if b.limits.Time < 0 {
		ctx, cancel := context.WithCancel(ctx)
		return b, ctx, cancel
	}
	up := &LimitError{Name: "query time", Limit: b.limits.Time.Milliseconds(), Unit: "milliseconds"}
	ctx, cancel := context.WithTimeoutCause(ctx, b.limits.Time, up)
	return b, ctx, cancel
}

func (b *budget) series(n int) error {
	if l := b.limits.Series; l >= 0 && n > l {
		return &LimitError{Name: "query series", Limit: int64(l)}
	}
	return nil
}

// read counts points that were read.
func (b *budget) read(points int) error {
	if l := b.limits.Points; b.points.Add(int64(points)) > l && l >= 0 {
		return &LimitError{Name: "query points", Limit: l}
	}
	return b.grow(2 * points)
}

// grow counts memory for so many numbers.
func (b *budget) grow(numbers int) error {
	if l := b.limits.Bytes; b.bytes.Add(8*int64(numbers)) > l && l >= 0 {
		return &LimitError{Name: "query memory", Limit: l, Unit: "bytes"}
	}
	return nil
}

// causeOf gives an ended context's cause the place of its error.
func causeOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	return err
}
