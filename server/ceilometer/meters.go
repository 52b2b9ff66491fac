package ceilometer

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/server/simplequery"
)

var meterArguments = simplequery.Arguments{Scalars: []string{"limit", "unique"}, Records: simplequery.WithFilters}

// errEnough ends a walk.
var errEnough = errors.New("enough")

// meters lists the meters of resources.
func (c *call) meters() error {
	q, err := meterArguments.Parse(c.r.URL.RawQuery)
	if err != nil {
		return err
	}
	f, err := parseFilter(q.Filters, &meterFields, c.who)
	if err != nil {
		return err
	}
	limit, err := c.limit(q)
	if err != nil {
		return err
	}
	unique := false
	if q.Has("unique") {
		var ok bool
		if unique, ok = simplequery.Truth(q.Scalar("unique")); !ok {
			return invalid("unique", q.Scalar("unique"), "unable to convert to bool")
		}
	}
	return c.within(func(ctx context.Context, u *usage) error {
		w := meterWriter{c: c, b: append(c.begin(), '['), left: limit, unique: unique}
		k := c.newKnown()
		err := k.eachDocument(ctx, f, u, func(d *document) error { return w.add(d) })
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		return c.end(http.StatusOK, append(w.b, ']'))
	})
}

// meterWriter appends meters.
type meterWriter struct {
	c      *call
	b      []byte
	left   int
	n      int
	unique bool
	seen   map[string]bool
}

// meterText is what the list of meters says of one state of a resource.
type meterText struct {
	text   []byte
	meters int
}

// stateBytes is about what a state of a resource takes, beside the names in the text, that is held because its text is kept.
const stateBytes = 1 << 10

func (w *meterWriter) add(d *document) error {
	if t, ok := w.c.meterTexts.get(d.Resource); ok && !w.unique && t.meters < w.left-w.n {
		if w.n > 0 {
			w.b = append(w.b, ", "...)
		}
		w.n += t.meters
		w.b = w.c.flushed(append(w.b, t.text...))
		return nil
	}
	kinds, err := w.c.store.Meters(d.Resource, d.row.Metrics())
	if err != nil {
		return err
	}
	before, begin := w.n, len(w.b)
	for i, m := range kinds {
		if w.unique {
			if w.seen == nil {
				w.seen = map[string]bool{}
			}
			if w.seen[m.Name] {
				continue
			}
			w.seen[m.Name] = true
		} else if duplicate(kinds[:i], m) {
			continue
		}
		if w.n > 0 {
			w.b = append(w.b, ", "...)
		}
		w.append(d, m)
		if w.n++; w.n == w.left {
			return errEnough
		}
		if b := w.c.flushed(w.b); len(b) < len(w.b) {
			w.b, begin = b, -1
		}
	}
	if n := w.n - before; n > 0 && begin >= 0 && !w.unique && ownMeters(d) {
		text := bytes.Clone(w.b[begin:])
		if before > 0 {
			text = text[len(", "):]
		}
		w.c.meterTexts.keep(d.Resource, meterText{text, n}, cap(text)+stateBytes)
	}
	return nil
}

// ownMeters tells whether the resource's record alone says what kinds of samples it has, so that a state of it has the same kinds for ever: other metrics
// have records of their own.
func ownMeters(d *document) bool {
	named := map[string]bool{}
	for _, m := range d.Resource.Meters {
		named[m.Name] = true
	}
	for name := range d.row.Metrics() {
		if !named[name] {
			return false
		}
	}
	return true
}

func duplicate(before []engine.Meter, m engine.Meter) bool {
	for _, b := range before {
		if b == m {
			return true
		}
	}
	return false
}

func (w *meterWriter) append(d *document, m engine.Meter) {
	b := append(appendText(append(w.b, `{"name": `...), m.Name), `, "type": `...)
	b = append(appendText(b, m.Type), `, "unit": `...)
	b = appendText(b, m.Unit)
	id := "None"
	if w.unique {
		b = append(b, `, "resource_id": null, "project_id": null, "user_id": null, "source": null`...)
	} else {
		id = d.OriginalID
		b = append(appendText(append(b, `, "resource_id": `...), id), `, "project_id": `...)
		b = append(appendOptText(b, d.ProjectID), `, "user_id": `...)
		b = append(appendOptText(b, d.UserID), `, "source": `...)
		b = appendText(b, w.c.store.SourceOf(d.Resource))
	}
	b = append(b, `, "meter_id": "`...)
	b = base64.StdEncoding.AppendEncode(b, []byte(id+"+"+m.Name))
	w.b = append(b, `"}`...)
}

// eachDocument calls fn with the resources that a filter without times selects, in the order of their creation.
func (k *known) eachDocument(ctx context.Context, f *filter, u *usage, fn func(d *document) error) error {
	return k.db.EachResource(ctx, engine.Query{Filter: k.documentFilter(f)}, func(row engine.ResourceRow) error {
		d := k.document(row)
		ok, err := k.selects(ctx, f, d, u)
		if ok && err == nil {
			err = fn(d)
		}
		return err
	})
}

// documentFilter is what the index can tell of a filter on resources.
func (h *handler) documentFilter(f *filter) *index.Filter {
	all := &index.Filter{Op: index.And}
	for _, field := range []string{"user", "project"} {
		v, ok := f.texts[field]
		switch {
		case ok && v == nil:
			all.Subs = append(all.Subs, &index.Filter{Op: index.Eq, Field: contextFields[field]})
		case ok:
			all.Subs = append(all.Subs, &index.Filter{Op: index.Eq, Field: contextFields[field], Value: textValue(*v)})
		}
	}
	if id, ok := f.texts["resource"]; ok {
		if id == nil { // every resource has an id
			return &index.Filter{Op: index.Or}
		}
		all.Subs = append(all.Subs, h.idFilter(*id))
	}
	return all
}

// selects tells whether a filter without times selects a resource, beyond what the index has told.
func (k *known) selects(ctx context.Context, f *filter, d *document, u *usage) (bool, error) {
	if len(d.refs) == 0 {
		return false, nil
	}
	if source := f.texts["source"]; source != nil && k.store.SourceOf(d.Resource) != *source {
		return false, nil
	}
	if len(f.metadata) == 0 {
		return true, nil
	}
	if err := k.readNewest(ctx, d, u); err != nil {
		return false, err
	}
	var metadata []byte
	if d.newest != nil {
		metadata = d.newest.Metadata
	}
	return f.matchesMetadata(metadata), nil
}
