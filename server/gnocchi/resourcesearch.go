package gnocchi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/query"
	"github.com/telemetrydb/tsdb/server/auth"
	"github.com/valyala/fastjson"
)

// resourceKeys are what lists of resources of all types can be sorted by, resourceOrder how they are by default.
var (
	resourceKeys = []string{"id", "original_resource_id", "type", "creator", "user_id", "project_id", "started_at", "ended_at",
		"revision_start"}
	historyKeys   = []string{"revision_end", "revision"}
	resourceOrder = []string{"revision_start:asc", "started_at:asc"}
)

// filterSchema tells a filter what it may compare: what resources of the type have.
func (c *call) filterSchema(kind engine.ResourceType, history bool) *query.FilterSchema {
	return &query.FilterSchema{
		Type: kind, History: history,
		Time: func(text string) (int64, error) {
			nanos, _, err := parseTimestamp(text, c.o.Now)
			return nanos, err
		},
		Span:       parseTimespan,
		ResourceID: func(text string) (engine.UUID, error) { return resourceID(text, c.user) },
	}
}

// filterFault answers for what package query finds wrong with a filter that stands at p.
func filterFault(err error, p *at) error {
	var shape *query.FilterShapeError
	var text *query.FilterError
	switch {
	case errors.As(err, &text):
		return badRequest(text.Text)
	case !errors.As(err, &shape):
		return err
	}
	for _, step := range shape.Path {
		switch step := step.(type) {
		case int:
			p = p.item(step)
		case string:
			p = p.member(step)
		default: // a name that is no text, as filter strings can have it
			p = p.member(string(appendPython(nil, step)))
		}
	}
	if shape.OfKey {
		return invalidKey(shape.Phrase, p)
	}
	return invalid(shape.Phrase, p)
}

// requestFilter reads the filter of a request: from its body or, if that is empty, from its query string. nil: there is none.
func (c *call) requestFilter(history bool) (*index.Filter, error) {
	v, err := c.decodeIfAny()
	if err != nil {
		return nil, err
	}
	return c.filterOf(v, c.args().Get("filter"), history)
}

func (c *call) filterOf(v *fastjson.Value, text string, history bool) (f *index.Filter, err error) {
	s := c.filterSchema(c.kind, history)
	switch {
	case v != nil:
		f, err = query.ParseFilter(v, s)
	case text != "":
		f, err = query.ParseFilterText(text, s)
	}
	if err != nil {
		return nil, filterFault(err, nil)
	}
	return f, nil
}

// ofType joins the condition that resources are of a type to another; either may be none.
func ofType(kind string, f *index.Filter) *index.Filter {
	if kind == genericType {
		return f
	}
	return restricted(&index.Filter{Op: index.Eq, Field: "type", Value: index.Value{Kind: index.Bytes, Str: kind}}, f)
}

func (c *call) listResources() error { return c.resourcePage(auth.ListResource, nil, nil) }

func (c *call) searchResources() error {
	history, err := c.boolArg("history", false)
	if err != nil {
		return err
	}
	f, err := c.requestFilter(history)
	if err != nil {
		return err
	}
	return c.resourcePage(auth.SearchResource, f, nil)
}

func (c *call) getHistory() error {
	r, err := c.resourceOfPath()
	if err != nil {
		return err
	}
	if err := c.mayResource(auth.GetResource, r); err != nil {
		return err
	}
	return c.resourcePage("", &index.Filter{Op: index.Eq, Field: "id", Value: index.Value{Kind: index.Bytes, Str: string(r.ID[:])}}, r)
}

// resourcePage sends the page of resources, or of states of one, that the parameters of the request ask for.
func (c *call) resourcePage(rule auth.Rule, f *index.Filter, one *engine.Resource) error {
	args := c.args()
	details, err := c.boolArg("details", false)
	if err != nil {
		return err
	}
	history := one != nil
	if !history {
		if history, err = c.boolArg("history", false); err != nil {
			return err
		}
	}
	p, err := c.parsePage(args, c.sortKeys(history), resourceOrder)
	if err != nil {
		return err
	}
	q, err := c.pageQuery(&p, history)
	if err != nil {
		return err
	}
	if q.Filter = ofType(c.typ, f); one == nil {
		allowed, err := c.resourceFilter(rule, c.typ)
		if err != nil {
			return err
		}
		q.Filter = restricted(allowed, q.Filter)
	}
	all, err := c.db.Resources(c.r.Context(), q)
	if isMissingMarker(err, q) {
		return p.badMarker()
	}
	if err != nil {
		return err
	}
	v := resourceView{db: c.db, kind: c.kind, attrs: args["attrs"]}
	if details {
		v.each = make(map[string]engine.ResourceType)
	}
	c.link(p, args, len(all), func() string { return markerOf(all[len(all)-1], history) })
	return c.list(len(all), func(dst []byte, i int) []byte { return appendJSON(dst, v.object(all[i])) })
}

// sortKeys are what lists of the type in the path can be sorted by.
func (c *call) sortKeys(history bool) []string {
	keys := slices.Clone(resourceKeys)
	for _, a := range c.kind.Attributes {
		keys = append(keys, a.Name)
	}
	if history {
		keys = append(keys, historyKeys...)
	}
	return keys
}

// markerOf names a state in a link to the next page.
func markerOf(r *engine.Resource, history bool) string {
	switch {
	case !history:
		return r.ID.String()
	case r.Revision == 0:
		return r.ID.String() + "@-1"
	}
	return r.ID.String() + "@" + strconv.FormatUint(uint64(r.Revision), 10)
}

// pageQuery gives the engine's form of a page of resources. Its marker has to be of the type in the path.
func (c *call) pageQuery(p *page, history bool) (engine.Query, error) {
	revision := uint32(0)
	if history && p.marker != "" {
		id, number, ok := strings.Cut(p.marker, "@")
		n, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil || n < -1 || n == 0 || n > 1<<32-1 {
			return engine.Query{}, p.badMarker()
		}
		if p.marker = id; n > 0 {
			revision = uint32(n)
		}
		defer func() { p.marker = id + "@" + number }()
	}
	q, err := p.query()
	q.History, q.MarkerRevision = history, revision
	if err != nil || q.Marker == nil {
		return q, err
	}
	r, err := c.db.Resource(*q.Marker)
	if isKind(err, engine.ErrNotFound, engine.KindResource) {
		if history && c.typ == genericType {
			return q, nil // its past may still be there
		}
		return q, p.badMarker()
	}
	// A page from somebody else's resource would tell where its attributes sort.
	if err == nil && (c.typ != genericType && r.Type != c.typ || c.mayResource(auth.GetResource, r) != nil) {
		return q, p.badMarker()
	}
	return q, err
}

// isMissingMarker tells whether err says that the marker of q names nothing.
func isMissingMarker(err error, q engine.Query) bool {
	return q.Marker != nil && err != nil && statusOf(err).status == http.StatusNotFound
}

// errEmptyFilter is asserted by clients' tests.
var errEmptyFilter = badRequest("caution: the query can not be empty, or it will delete entire database")

func (c *call) deleteResources() error {
	f, err := c.requestFilter(false)
	if err != nil {
		return err
	}
	if f == nil {
		return errEmptyFilter
	}
	allowed, err := c.resourceFilter(auth.DeleteResources, c.typ)
	if err != nil {
		return err
	}
	n := 0
	err = c.db.Update(c.r.Context(), func(tx *engine.Tx) (err error) {
		n, err = tx.DeleteResources(restricted(allowed, ofType(c.typ, f)))
		return err
	})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, object{{"deleted", n}})
}
