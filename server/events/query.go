package events

import (
	"math"
	"strconv"
	"strings"

	"github.com/telemetrydb/tsdb/engine"
	"github.com/telemetrydb/tsdb/index"
	"github.com/telemetrydb/tsdb/server/simplequery"
)

var (
	listArguments = simplequery.Arguments{Records: simplequery.WithFilters, Scalars: []string{"limit", "marker"}, Lists: []string{"sort"}}
	noArguments   = simplequery.Arguments{}
)

// listQuery is what a list asks for.
type listQuery struct {
	engine.EventQuery
	scope []engine.TraitFilter
}

func (c *call) parse(rawQuery string) (*listQuery, error) {
	args, err := listArguments.Parse(rawQuery)
	if err != nil {
		return nil, err
	}
	q := &listQuery{EventQuery: engine.EventQuery{After: args.Scalar("marker"), Limit: c.o.Limit}}
	if args.Has("limit") {
		n, err := simplequery.ParseInt("limit", args.Scalar("limit"))
		if err != nil {
			return nil, err
		}
		if n < 0 {
			return nil, invalid("limit", args.Scalar("limit"), "the limit should be a positive integer.")
		}
		if n > 0 {
			q.Limit = int(min(n, math.MaxInt32))
		}
	}
	if err := q.sort(args.List("sort")); err != nil {
		return nil, err
	}
	allTenants := false
	for _, f := range args.Filters {
		if f.Field == "all_tenants" {
			allTenants, _ = simplequery.Truth(f.Value)
		} else if err := q.filter(f); err != nil {
			return nil, err
		}
	}
	q.scope = c.scope(allTenants)
	q.Traits = append(q.Traits, q.scope...)
	return q, nil
}

// scope is what events have to meet so that the caller may see them.
func (c *call) scope(allTenants bool) []engine.TraitFilter {
	is := func(name, value string) engine.TraitFilter {
		return engine.TraitFilter{Op: index.Eq, Trait: engine.Trait{Name: name, Kind: engine.TraitText, Text: value}}
	}
	own := is("project_id", c.who.ProjectID)
	switch {
	case !c.who.Admin:
		return []engine.TraitFilter{own, is("user_id", c.who.UserID)}
	case allTenants || c.who.ProjectID == "":
		return nil
	}
	own.OrMissing = true
	return []engine.TraitFilter{own}
}

// sort reads keys with their directions. Nothing comes after message ids, for they are unique.
func (q *listQuery) sort(keys []string) error {
	seen := map[string]bool{}
	for _, k := range keys {
		key, dir, _ := strings.Cut(k, ":")
		desc := strings.EqualFold(dir, "desc")
		if key != "generated" && key != "message_id" || !desc && dir != "" && !strings.EqualFold(dir, "asc") {
			return invalid("sort", k, "A sort key, generated or message_id, may be followed by a colon and asc or desc.")
		}
		switch {
		case seen["message_id"] || seen[key]:
		case key == "generated":
			q.Order.Desc = desc
		case seen["generated"]:
			q.Order.IDDesc = desc
		default:
			q.Order.ByID, q.Order.Desc = true, desc
		}
		seen[key] = true
	}
	return nil
}

var operators = map[string]index.Op{"lt": index.Lt, "le": index.Le, "eq": index.Eq, "ne": index.Ne, "ge": index.Ge, "gt": index.Gt}

// filter adds a condition. The same field of the event itself twice: the last one wins.
func (q *listQuery) filter(f simplequery.Filter) error {
	op, ok := operators[f.Op]
	if !ok {
		return invalid("op", f.Op, "unimplemented operator for "+f.Field)
	}
	only := func(want string) error {
		if f.Op == want {
			return nil
		}
		return &simplequery.Error{Text: "Operator " + f.Op + " is not supported. Only `" + want + "' operator is available for field " + f.Field}
	}
	switch f.Field {
	case "event_type":
		q.Type = f.Value
		return only("eq")
	case "message_id":
		q.MessageID = f.Value
		return only("eq")
	case "start_timestamp":
		if err := only("ge"); err != nil {
			return err
		}
		t, err := simplequery.ParseTime(f.Field, f.Value)
		q.From = &t
		return err
	case "end_timestamp":
		if err := only("le"); err != nil {
			return err
		}
		t, err := simplequery.ParseTime(f.Field, f.Value)
		t = endOfMicrosecond(t)
		q.To = &t
		return err
	}
	t, err := traitOf(f)
	q.Traits = append(q.Traits, engine.TraitFilter{Op: op, Trait: t})
	return err
}

// endOfMicrosecond takes in events whose time prints as the bound.
func endOfMicrosecond(t int64) int64 {
	if t%1000 != 0 || t > math.MaxInt64-999 {
		return t
	}
	return t + 999
}

// traitOf reads the value of a filter by its type.
func traitOf(f simplequery.Filter) (engine.Trait, error) {
	t := engine.Trait{Name: f.Field, Kind: engine.TraitText, Text: f.Value}
	unable := &simplequery.Error{Text: "Unable to convert the value " + f.Value + " to the expected data type " + f.Type + "."}
	var err error
	switch f.Type {
	case "", "string":
		return t, nil
	case "integer":
		t = engine.Trait{Name: f.Field, Kind: engine.TraitInt}
		t.Int, err = strconv.ParseInt(strings.TrimSpace(f.Value), 10, 64)
	case "float":
		t = engine.Trait{Name: f.Field, Kind: engine.TraitFloat}
		t.Float, err = strconv.ParseFloat(strings.TrimSpace(f.Value), 64)
		if math.IsNaN(t.Float) || math.IsInf(t.Float, 0) {
			return t, unable
		}
	case "datetime":
		t = engine.Trait{Name: f.Field, Kind: engine.TraitTime}
		t.Int, err = simplequery.ParseTime(f.Field, f.Value)
	default:
		return t, &simplequery.Error{Text: "The data type " + f.Type + " is not supported. The supported data type list is: ['integer', 'float', 'string', 'datetime']"}
	}
	if err != nil {
		return t, unable
	}
	return t, nil
}
