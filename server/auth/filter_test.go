package auth

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/index"
)

// show writes a filter as text: everything if it is nil.
func show(f *index.Filter) string {
	switch {
	case f == nil:
		return "everything"
	case f.Op == index.Or:
		var subs []string
		for _, s := range f.Subs {
			subs = append(subs, show(s))
		}
		return "(" + strings.Join(subs, " or ") + ")"
	case f.Op == index.Eq:
		return f.Field + " = " + f.Value.Str
	case f.Op == index.Like:
		return f.Field + " like " + f.Value.Str
	}
	return fmt.Sprintf("%+v", f)
}

func TestFilters(t *testing.T) {
	_, err := ParsePolicy([]byte(`
only generic: "'generic':%(resource_type)s"
list resource: "rule:only generic"
search resource: "rule:resource_owner"
delete resources: "user_id:%(creator)s"
list metric: "rule:metric_owner"
search metric: "!"
`))
	if err == nil || !strings.Contains(err.Error(), "is not expected there") {
		t.Fatalf("a reference with a blank in it: %v", err)
	}
	custom, err := ParsePolicy([]byte(`
list resource: "'generic':%(resource_type)s"
search resource: "rule:resource_owner"
delete resources: "user_id:%(creator)s"
list metric: "rule:metric_owner"
search metric: "!"
`))
	if err != nil {
		t.Fatal(err)
	}
	odd := Caller{User: `x:50%_\`, UserID: "x", ProjectID: `50%_\`, Scoped: true}
	for _, tc := range []struct {
		who  Caller
		p    *Policy
		rule Rule
		want string
	}{
		{who["admin"], nil, ListResource, "everything"},
		{who["service"], nil, SearchResource, "everything"},
		{who["service"], nil, ListResource, "(project_id = ps or creator like %:ps)"},
		{who["mate"], nil, DeleteResources, "(creator like %:pc)"},
		{who["mate"], nil, SearchResource, "(project_id = pc or creator like %:pc)"},
		{who["unscoped"], nil, ListResource, "none"},
		{odd, nil, DeleteResources, `(creator like %:50\%\_\\)`},
		{Caller{User: "foobar"}, nil, ListResource, "everything"}, // basic authentication knows no projects
		{who["mate"], custom, ListResource, "everything"},
		{who["mate"], custom, SearchResource, "(project_id = pc)"},
		{who["mate"], custom, DeleteResources, "none"},
	} {
		f, err := caller(tc.who, tc.p).ResourceFilter(tc.rule, "generic")
		if got := show(f); tc.want == "none" && !errors.Is(err, ErrForbidden) || tc.want != "none" && (err != nil || got != tc.want) {
			t.Errorf("%s, %s: %s %v, want %s", tc.who.User, tc.rule, got, err, tc.want)
		}
	}
	for _, tc := range []struct {
		who             Caller
		p               *Policy
		rule            Rule
		own, ofResource string
	}{
		{who["admin"], nil, ListMetric, "everything", "everything"},
		{who["mate"], nil, ListMetric, "(creator like %:pc)", "(project_id = pc)"},
		{who["unscoped"], nil, ListMetric, "none", ""},
		{who["mate"], custom, ListMetric, "()", "(project_id = pc)"},
		{who["mate"], custom, SearchMetric, "none", ""},
	} {
		own, of, err := caller(tc.who, tc.p).MetricFilter(tc.rule)
		if tc.own == "none" && !errors.Is(err, ErrForbidden) || tc.own != "none" && (err != nil || show(own) != tc.own || show(of) != tc.ofResource) {
			t.Errorf("%s, %s: %s %s %v", tc.who.User, tc.rule, show(own), show(of), err)
		}
	}
	var nobody *Caller
	if _, err := nobody.ResourceFilter(ListResource, "generic"); !errors.Is(err, ErrForbidden) {
		t.Error(err)
	}
	if _, _, err := nobody.MetricFilter(ListMetric); !errors.Is(err, ErrForbidden) {
		t.Error(err)
	}
}
