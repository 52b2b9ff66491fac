package ceilometer

import (
	"context"
	"errors"
	"net/http"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/simplequery"
)

var (
	noArguments   simplequery.Arguments
	listArguments = simplequery.Arguments{Scalars: []string{"limit"}, Records: simplequery.WithFilters}
)

// within does the work of a request within its limits.
func (c *call) within(work func(ctx context.Context, u *usage) error) error {
	ctx, cancel, u := c.limited()
	defer cancel()
	err := work(ctx, u)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// limit is how many elements the answer may have.
func (c *call) limit(q *simplequery.Query) (int, error) {
	if !q.Has("limit") {
		return c.defaultLimit(), nil
	}
	n, err := simplequery.ParseInt("limit", q.Scalar("limit"))
	if err != nil {
		return 0, err
	}
	return checkedLimit(n)
}

func (c *call) defaultLimit() int {
	c.o.Logger.Info("an answer is limited", "path", c.r.URL.Path, "limit", c.o.DefaultLimit)
	return c.o.DefaultLimit
}

func checkedLimit(n int64) (int, error) {
	if n <= 0 {
		return 0, badRequest("Limit must be positive")
	}
	return int(min(n, 1<<31)), nil
}

// oldSamples lists the samples of a meter.
func (c *call) oldSamples(name string) error { return c.listSamples(&name, &oldForm) }

// samples lists the samples of all meters.
func (c *call) samples() error { return c.listSamples(nil, &newForm) }

func (c *call) listSamples(name *string, form *rowForm) error {
	q, err := listArguments.Parse(c.r.URL.RawQuery)
	if err != nil {
		return err
	}
	f, err := parseFilter(q.Filters, &sampleFields, c.who)
	if err != nil {
		return err
	}
	limit, err := c.limit(q)
	if err != nil {
		return err
	}
	if name != nil {
		f.texts["meter"] = name
	}
	return c.within(func(ctx context.Context, u *usage) error {
		if id := f.texts["message_id"]; id != nil {
			return c.listOne(ctx, u, *id, f, form)
		}
		return c.listFound(ctx, u, f, form, limit)
	})
}

// listFound answers with the newest samples that a filter selects.
func (c *call) listFound(ctx context.Context, u *usage, f *filter, form *rowForm, limit int) error {
	k := c.newKnown()
	selection := f.selection()
	selection.newest, selection.times = limit, f.times
	parts, err := k.plan(ctx, selection, u)
	if err != nil {
		return err
	}
	rows, err := k.rows(form, u)
	if err != nil {
		return err
	}
	s, err := k.scan(ctx, parts, f.times, false, limit, u)
	if err != nil {
		return err
	}
	defer s.close()
	b, n := append(c.begin(), '['), 0
	err = s.each(func(ref engine.Ref, cols *engine.Samples, i int) (bool, error) {
		before := len(b)
		if n > 0 {
			b = append(b, ", "...)
		}
		var ok bool
		var err error
		if b, ok, err = rows.append(b, ref, cols, i); !ok {
			b = b[:before]
			return err == nil, err
		}
		n++
		b = c.flushed(b)
		return n < limit, nil
	})
	if err != nil {
		return err
	}
	return c.end(http.StatusOK, append(b, ']'))
}

// listOne answers with the sample of an id if the filter selects it.
func (c *call) listOne(ctx context.Context, u *usage, id string, f *filter, form *rowForm) error {
	b := append(c.begin(), '[')
	b, _, err := c.appendByID(ctx, b, u, id, f, form)
	if err != nil {
		return err
	}
	return c.end(http.StatusOK, append(b, ']'))
}

// oneSample answers with the sample of an id.
func (c *call) oneSample(id string) error {
	if _, err := noArguments.Parse(c.r.URL.RawQuery); err != nil {
		return err
	}
	f, err := parseFilter(nil, &sampleFields, c.who)
	if err != nil {
		return err
	}
	return c.within(func(ctx context.Context, u *usage) error {
		b, ok, err := c.appendByID(ctx, c.begin(), u, id, f, &newForm)
		if err != nil {
			return err
		}
		if !ok {
			return fail(http.StatusNotFound, "Sample "+id+" Not Found")
		}
		return c.end(http.StatusOK, b)
	})
}

// appendByID appends the sample of an id, if there is one that the filter selects.
func (c *call) appendByID(ctx context.Context, dst []byte, u *usage, id string, f *filter, form *rowForm) (out []byte, ok bool, err error) {
	cols, err := c.sampleByID(ctx, id)
	if cols == nil || err != nil {
		return dst, false, err
	}
	k := c.newKnown()
	m, err := k.meter(cols.Metrics[0])
	if m == nil || err != nil {
		return dst, false, err
	}
	if kept, err := k.keeping([]engine.Ref{m.ref}); len(kept) == 0 {
		return dst, false, err
	}
	x, err := k.context(m, cols.Contexts[0])
	if err != nil {
		return dst, false, err
	}
	t := cols.Times[0]
	if want := f.texts["meter"]; want != nil && *want != m.name || t < f.times.from || t >= f.times.to || !f.matches(x) {
		return dst, false, nil
	}
	if want := f.texts["resource"]; want != nil && *want != m.resource.OriginalID && c.store.ResourceUUID(*want) != m.resource.ID {
		return dst, false, nil
	}
	rows, err := k.rows(form, u)
	if err != nil {
		return dst, false, err
	}
	return rows.append(dst, m.ref, cols, 0)
}

// sampleByID reads the sample of an id; nil: there is none.
func (c *call) sampleByID(ctx context.Context, id string) (*engine.Samples, error) {
	cols, err := c.store.Sample(ctx, id)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil
	}
	return cols, err
}
