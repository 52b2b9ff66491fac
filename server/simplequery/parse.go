package simplequery

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Arguments says which arguments a resource takes. It is not changed by Parse.
type Arguments struct {
	Scalars []string            // given once at most
	Lists   []string            // may be repeated
	Records map[string][]string // name of a list of records: its attributes, as in q.field
}

// WithFilters is the Records of resources that take filters and no other records.
var WithFilters = map[string][]string{"q": filterAttributes}

var filterAttributes = []string{"field", "op", "value", "type"}

// Filter is one condition of a query. Field is not empty; Op is eq if none was given; Type is empty if none was given.
type Filter struct {
	Field, Op, Value, Type string
}

// Query is what a query string says.
type Query struct {
	Filters []Filter // of q, in order
	args    map[string][]string
	records map[string][][]string // in order of attributes; "" is an attribute that is not set
}

// Has tells whether a scalar or list argument was given.
func (q *Query) Has(name string) bool { return len(q.args[name]) > 0 }

// Scalar returns the value of a scalar argument, "" if it was not given.
func (q *Query) Scalar(name string) string {
	if v := q.args[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// List returns the values of a list argument in order.
func (q *Query) List(name string) []string { return q.args[name] }

// Records returns the records by that name, their attributes in the order of Arguments.Records; "" stands for what is not set.
func (q *Query) Records(name string) [][]string { return q.records[name] }

// Parse reads a query string as it is in a URL. The n-th values of a record's attributes belong together, wherever they stand, and
// q[2].field names a place by number. A filter without field or value is an error.
func (a *Arguments) Parse(rawQuery string) (*Query, error) {
	p := parser{a: a, q: &Query{args: map[string][]string{}, records: map[string][][]string{}}, columns: map[string]*columns{}}
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := unescape(name)
		if err != nil {
			return nil, err
		}
		if value, err = unescape(value); err != nil {
			return nil, err
		}
		if err := p.argument(name, value); err != nil {
			return nil, err
		}
	}
	return p.q, p.finish()
}

func unescape(s string) (string, error) {
	out, err := url.QueryUnescape(s)
	if err != nil || !utf8.ValidString(out) {
		return "", &Error{"The query string is not valid: " + strconv.Quote(s)}
	}
	return out, nil
}

// columns collects the values of records: each attribute has a column, or they are at numbered places.
type columns struct {
	attributes []string
	plain      [][]string // by attribute
	numbered   map[uint64]*place
	order      []uint64
	first      string // numbered argument that came first, as it was spelled
}

type place struct {
	values []string // by attribute
	given  []bool
}

type parser struct {
	a       *Arguments
	q       *Query
	columns map[string]*columns // by name of records
}

func (p *parser) argument(name, value string) error {
	switch {
	case slices.Contains(p.a.Scalars, name):
		if had := p.q.args[name]; len(had) > 0 {
			return Invalid(name, "["+had[0]+", "+value+"]", "the argument is given more than once.")
		}
		p.q.args[name] = []string{value}
		return nil
	case slices.Contains(p.a.Lists, name):
		p.q.args[name] = append(p.q.args[name], value)
		return nil
	}
	head, attribute, ok := strings.Cut(name, ".")
	head, index, numbered := splitIndex(head)
	c := p.records(head)
	if !ok || c == nil {
		return UnknownArgument(name)
	}
	at := slices.Index(c.attributes, attribute)
	if at < 0 {
		return UnknownArgument(name)
	}
	if !numbered {
		c.plain[at] = append(c.plain[at], value)
		return nil
	}
	return c.set(index, at, name, value)
}

// splitIndex takes q[2] apart.
func splitIndex(head string) (name string, index uint64, ok bool) {
	name, rest, found := strings.Cut(head, "[")
	digits, closed := strings.CutSuffix(rest, "]")
	if !found || !closed || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return head, 0, false
	}
	index, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return head, 0, false
	}
	return name, index, true
}

// records returns the columns of the records by that name, nil if there are none by it.
func (p *parser) records(name string) *columns {
	attributes := p.a.Records[name]
	if attributes == nil {
		return nil
	}
	c := p.columns[name]
	if c == nil {
		c = &columns{attributes: attributes, plain: make([][]string, len(attributes)), numbered: map[uint64]*place{}}
		p.columns[name] = c
	}
	return c
}

func (c *columns) set(index uint64, at int, name, value string) error {
	if c.first == "" {
		c.first = name
	}
	pl := c.numbered[index]
	if pl == nil {
		pl = &place{make([]string, len(c.attributes)), make([]bool, len(c.attributes))}
		c.numbered[index] = pl
		c.order = append(c.order, index)
	}
	if pl.given[at] {
		return Invalid(name, "["+pl.values[at]+", "+value+"]", "the argument is given more than once.")
	}
	pl.values[at], pl.given[at] = value, true
	return nil
}

// rows returns the records in order. One request spells all of them one way.
func (c *columns) rows() ([][]string, error) {
	n := 0
	for _, col := range c.plain {
		n = max(n, len(col))
	}
	if n > 0 && len(c.order) > 0 {
		return nil, UnknownArgument(c.first)
	}
	rows := make([][]string, 0, n+len(c.order))
	for i := range n {
		row := make([]string, len(c.attributes))
		for k, col := range c.plain {
			if i < len(col) {
				row[k] = col[i]
			}
		}
		rows = append(rows, row)
	}
	slices.Sort(c.order)
	for _, i := range c.order {
		rows = append(rows, c.numbered[i].values)
	}
	return rows, nil
}

// finish makes records and filters of what was collected.
func (p *parser) finish() error {
	for name, c := range p.columns {
		rows, err := c.rows()
		if err != nil {
			return err
		}
		p.q.records[name] = rows
	}
	c := p.columns["q"]
	if c == nil || !slices.Equal(c.attributes, filterAttributes) {
		return nil
	}
	for i, row := range p.q.records["q"] {
		f := Filter{row[0], row[1], row[2], row[3]}
		if f.Field == "" {
			return Invalid("field", "None", "Mandatory field missing.")
		}
		if !c.hasValue(i) {
			return Invalid("value", "None", "Mandatory field missing.")
		}
		if f.Op == "" {
			f.Op = "eq"
		}
		p.q.Filters = append(p.q.Filters, f)
	}
	return nil
}

const valueColumn = 2 // in filterAttributes

// hasValue tells whether the i-th filter was given a value, maybe an empty one.
func (c *columns) hasValue(i int) bool {
	if len(c.order) > 0 {
		return c.numbered[c.order[i]].given[valueColumn]
	}
	return i < len(c.plain[valueColumn])
}
