package ceilometer

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/server/simplequery"
)

var resourceArguments = simplequery.Arguments{Scalars: []string{"limit", "meter_links"}, Records: simplequery.WithFilters}

// resources lists resources.
func (c *call) resources() error {
	q, err := resourceArguments.Parse(c.r.URL.RawQuery)
	if err != nil {
		return err
	}
	f, err := parseFilter(q.Filters, &resourceFields, c.who)
	if err != nil {
		return err
	}
	limit, err := c.limit(q)
	if err != nil {
		return err
	}
	links := true
	if q.Has("meter_links") {
		n, err := simplequery.ParseInt("meter_links", q.Scalar("meter_links"))
		if err != nil {
			return err
		}
		links = n != 0
	}
	return c.within(func(ctx context.Context, u *usage) error {
		k, n := c.newKnown(), 0
		b := append(c.begin(), '[')
		write := func(d *document, shown *shownResource) error {
			if n > 0 {
				b = append(b, ", "...)
			}
			var err error
			if b, err = c.appendResource(b, d, shown, links); err != nil {
				return err
			}
			b = c.flushed(b)
			if n++; n == limit {
				return errEnough
			}
			return nil
		}
		var err error
		if f.times.lower || f.times.upper {
			err = k.eachWithin(ctx, f, u, write)
		} else {
			err = k.eachByOwner(ctx, f, limit, u, write)
		}
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		return c.end(http.StatusOK, append(b, ']'))
	})
}

// oneResource answers with the resource of an id.
func (c *call) oneResource(id string) error {
	if _, err := noArguments.Parse(c.r.URL.RawQuery); err != nil {
		return err
	}
	f, err := parseFilter(nil, &resourceFields, c.who)
	if err != nil {
		return err
	}
	f.texts["resource"] = &id
	return c.within(func(ctx context.Context, u *usage) error {
		k, b, found := c.newKnown(), c.begin(), false
		err := k.eachByOwner(ctx, f, 1, u, func(d *document, shown *shownResource) error {
			found = true
			var err error
			if b, err = c.appendResource(b, d, shown, true); err == nil {
				err = errEnough
			}
			return err
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		if !found {
			return fail(http.StatusNotFound, "Resource "+id+" Not Found")
		}
		return c.end(http.StatusOK, b)
	})
}

// shownResource is what a resource is shown with beside its id and its meters.
type shownResource struct {
	user, project *string
	source        string
	metadata      []byte
	shared        engine.ContextRef // whose metadata they are; 0: not known
	times         bool
	first, last   int64 // nanoseconds since the Unix epoch
}

// appendResource appends a resource.
func (c *call) appendResource(b []byte, d *document, s *shownResource, links bool) ([]byte, error) {
	var times clock
	b = append(appendText(append(b, `{"resource_id": `...), d.OriginalID), `, "project_id": `...)
	b = append(appendOptText(b, s.project), `, "user_id": `...)
	b = append(appendOptText(b, s.user), `, "source": `...)
	b = append(appendText(b, s.source), `, "first_sample_timestamp": `...)
	if s.times {
		b = append(times.appendMillis(b, floorDiv(s.first, milli)), `, "last_sample_timestamp": `...)
		b = times.appendMillis(b, floorDiv(s.last, milli))
	} else { // what the original shows of resources that it knows no times of
		b = append(b, `"0001-01-01T00:00:00", "last_sample_timestamp": "9999-12-31T23:59:59"`...)
	}
	b = c.flat.append(append(b, `, "metadata": `...), s.shared, s.metadata)
	root := c.o.Root(c.r)
	b = appendText(append(b, `, "links": [{"href": `...), root+"/v2/resources/"+d.OriginalID)
	b = append(b, `, "rel": "self"}`...)
	if links {
		kinds, err := c.store.Meters(d.Resource, d.row.Metrics())
		if err != nil {
			return b, err
		}
		for _, m := range kinds {
			b = appendText(append(b, `, {"href": `...), root+"/v2/meters/"+m.Name+"?q.field=resource_id&q.value="+d.OriginalID)
			b = append(appendText(append(b, `, "rel": `...), m.Name), '}')
		}
	}
	return append(b, `]}`...), nil
}

type writeResource func(d *document, s *shownResource) error

// eachWithin calls fn with the resources that have samples which a filter selects, by their ids: what is shown is what these samples say.
func (k *known) eachWithin(ctx context.Context, f *filter, u *usage, fn writeResource) error {
	parts, err := k.plan(ctx, f.selection(), u)
	if err != nil {
		return err
	}
	byResource := map[engine.UUID][]part{}
	var order []*engine.Resource
	for _, p := range parts {
		for _, ref := range p.refs {
			m, err := k.meter(ref)
			if err != nil {
				return err
			}
			if m == nil {
				continue
			}
			if byResource[m.resource.ID] == nil {
				order = append(order, m.resource)
			}
			byResource[m.resource.ID] = append(byResource[m.resource.ID], part{[]engine.Ref{ref}, p.set})
		}
	}
	slices.SortFunc(order, func(a, b *engine.Resource) int { return cmp.Compare(a.OriginalID, b.OriginalID) })
	for _, r := range order {
		if err := k.writeWithin(ctx, r, byResource[r.ID], f.times, u, fn); err != nil {
			return err
		}
	}
	return nil
}

// writeWithin calls fn with a resource if it has samples in some parts, each of one metric.
func (k *known) writeWithin(ctx context.Context, r *engine.Resource, parts []part, times timeRange, u *usage, fn writeResource) error {
	first, err := k.edge(ctx, parts, times, true, u)
	if first == nil || err != nil {
		return err
	}
	last, err := k.edge(ctx, parts, times, false, u)
	if last == nil || err != nil {
		return err
	}
	s := &shownResource{user: first.c.UserID, project: first.c.ProjectID, source: first.c.Source, metadata: last.c.Metadata, times: true,
		first: first.t, last: last.t}
	var d *document
	own := r.ID
	err = k.db.EachResource(ctx, engine.Query{Filter: eqID(own)}, func(row engine.ResourceRow) error {
		d = k.document(row)
		return nil
	})
	if d == nil || err != nil {
		return err
	}
	return fn(d, s)
}

// edgeSample is the first or last sample of some.
type edgeSample struct {
	t, arrival int64
	c          *engine.Context
}

// edge finds the first sample of all parts, or the last: of one time the one that came last.
func (k *known) edge(ctx context.Context, parts []part, times timeRange, oldest bool, u *usage) (*edgeSample, error) {
	var best *edgeSample
	for _, p := range parts {
		if err := u.read(1); err != nil {
			return nil, err
		}
		v, refs, err := k.view(p.refs)
		if err != nil {
			return nil, err
		}
		if len(refs) == 0 {
			v.Close()
			continue
		}
		r := v.Samples(ctx, refs[0], times.from, times.to, engine.SampleQuery{OldestFirst: oldest, Limit: 1, Contexts: p.set})
		if r.Next() {
			c := r.Columns()
			if best == nil || c.Times[0] < best.t == oldest && c.Times[0] != best.t || c.Times[0] == best.t && c.Arrivals[0] > best.arrival != oldest {
				best = &edgeSample{t: c.Times[0], arrival: c.Arrivals[0]}
				best.c, err = k.context(k.meters[refs[0]], c.Contexts[0])
			}
		}
		v.Close()
		if err == nil {
			err = r.Err()
		}
		if err != nil {
			return nil, err
		}
	}
	return best, nil
}
