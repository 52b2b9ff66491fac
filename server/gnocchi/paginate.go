package gnocchi

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
)

// page is what a request asks of a list.
type page struct {
	limit  int
	marker string
	sorts  []string // as they go into the link to the next page
	keys   []engine.SortKey
}

// parsePage reads limit, marker and sort. keys are the fields that may be sorted by, sorts the order if none is given.
func (c *call) parsePage(args url.Values, keys, sorts []string) (page, error) {
	p := page{limit: c.o.MaxLimit, marker: args.Get("marker"), sorts: args["sort"]}
	if v, ok := args["limit"]; ok {
		n, ok := parsePyInt(v[0])
		switch {
		case !ok || len(v) > 1:
			return p, limitError("expected int")
		case n < 1:
			return p, limitError("value must be at least 1")
		}
		p.limit = int(min(n, int64(c.o.MaxLimit)))
	}
	if len(p.sorts) == 0 {
		p.sorts = sorts
	}
	for _, s := range p.sorts {
		k, err := parseSort(s, keys)
		if err != nil {
			return p, err
		}
		p.keys = append(p.keys, k)
	}
	return p, nil
}

func limitError(phrase string) error {
	return badRequest(object{
		{"cause", "Argument value error"},
		{"reason", phrase + " for dictionary value @ data['limit']"},
	})
}

func pageError(reason string) error { return badRequest("Invalid pagination: `" + reason + "'") }

func parseSort(s string, keys []string) (engine.SortKey, error) {
	name, dir, _ := strings.Cut(s, ":")
	k := engine.SortKey{Field: name}
	switch dir {
	case "", "asc":
	case "desc":
		k.Desc = true
	case "asc-nullsfirst":
		k.NullsFirst = true
	case "asc-nullslast":
		k.NullsLast = true
	case "desc-nullsfirst":
		k.Desc, k.NullsFirst = true, true
	case "desc-nullslast":
		k.Desc, k.NullsLast = true, true
	default:
		return k, pageError("Unknown sort direction, must be one of: asc-nullsfirst, asc-nullslast, desc-nullsfirst, desc-nullslast")
	}
	if !slices.Contains(keys, name) {
		return k, pageError("Sort key supplied is invalid: " + name)
	}
	return k, nil
}

// query gives the engine's form of the page.
func (p *page) query() (engine.Query, error) {
	q := engine.Query{Sort: p.keys, Limit: p.limit}
	if p.marker == "" {
		return q, nil
	}
	id, err := engine.ParseUUID(p.marker)
	if err != nil {
		return q, p.badMarker()
	}
	q.Marker = &id
	return q, nil
}

func (p *page) badMarker() error { return pageError("Invalid marker: `" + p.marker + "'") }

// link tells where the next page is, if this one is full. The path stays as the client wrote it.
func (c *call) link(p page, args url.Values, items int, last func() string) {
	if items < p.limit {
		return
	}
	args.Set("limit", strconv.Itoa(p.limit))
	args.Set("marker", last())
	args["sort"] = p.sorts
	c.w.Header().Set("Link", "<"+c.root()+c.r.URL.EscapedPath()+"?"+args.Encode()+`>; rel="next"`)
}

// list sends a list in pieces, so that a long one is not held in memory as text.
func (c *call) list(n int, item func(dst []byte, i int) []byte) error {
	out := c.stream()
	defer out.release()
	out.b = append(out.b, '[')
	for i := range n {
		if i > 0 {
			out.b = append(out.b, ", "...)
		}
		out.b = item(out.b, i)
		out.flushIfLong()
	}
	out.b = append(out.b, ']')
	out.end(http.StatusOK)
	return nil
}
