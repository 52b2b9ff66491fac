package simplequery

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

var statistics = Arguments{
	Scalars: []string{"limit", "period"},
	Lists:   []string{"groupby"},
	Records: map[string][]string{"q": filterAttributes, "aggregate": {"func", "param"}},
}

func TestParseFilters(t *testing.T) {
	for _, tc := range []struct {
		name, query string
		want        []Filter
	}{
		{"none", "", nil},
		{"one", "q.field=a&q.value=1", []Filter{{"a", "eq", "1", ""}}},
		{"lists one after the other, as the command line sends them",
			"q.field=a&q.field=b&q.op=eq&q.op=gt&q.type=&q.type=integer&q.value=x&q.value=2",
			[]Filter{{"a", "eq", "x", ""}, {"b", "gt", "2", "integer"}}},
		{"short lists leave the later ones without", "q.field=a&q.field=b&q.value=x&q.value=y&q.op=lt",
			[]Filter{{"a", "lt", "x", ""}, {"b", "eq", "y", ""}}},
		{"by position in each list, not in the string", "q.value=x&q.field=a&q.value=y&q.op=ge&q.field=b",
			[]Filter{{"a", "ge", "x", ""}, {"b", "eq", "y", ""}}},
		{"an empty operator keeps its place", "q.field=a&q.field=b&q.value=x&q.value=y&q.op=&q.op=le",
			[]Filter{{"a", "eq", "x", ""}, {"b", "le", "y", ""}}},
		{"an empty value is a value", "q.field=a&q.value=", []Filter{{"a", "eq", "", ""}}},
		{"in brackets", "q[1].field=b&q[0].field=a&q[0].value=x&q[1].value=y&q[1].op=ne&q[0].type=string",
			[]Filter{{"a", "eq", "x", "string"}, {"b", "ne", "y", ""}}},
		{"brackets with gaps", "q[10].field=b&q[10].value=y&q[9].field=a&q[9].value=x",
			[]Filter{{"a", "eq", "x", ""}, {"b", "eq", "y", ""}}},
		{"escapes", "q.field=metadata%2Ea&q.value=a+b%26%3D%c3%a4", []Filter{{"metadata.a", "eq", "a b&=ä", ""}}},
		{"an escaped name", "q%5B0%5D.field=a&q%5B0%5D.value=b", []Filter{{"a", "eq", "b", ""}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q, err := statistics.Parse(tc.query)
			if err != nil || !reflect.DeepEqual(q.Filters, tc.want) {
				t.Fatalf("got %+v, %v, want %+v", q, err, tc.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ query, want string }{
		{"bogus=1", `Unknown argument: "bogus"`},
		{"q=1", `Unknown argument: "q"`},
		{"q.zzz=1", `Unknown argument: "q.zzz"`},
		{"q.zzz=1&q.field=a&q.value=b", `Unknown argument: "q.zzz"`},
		{"q[0].zzz=1", `Unknown argument: "q[0].zzz"`},
		{"q[0]=1", `Unknown argument: "q[0]"`},
		{"q[].field=1", `Unknown argument: "q[].field"`},
		{"q[-1].field=1", `Unknown argument: "q[-1].field"`},
		{"q[99999999999999999999].field=1", `Unknown argument: "q[99999999999999999999].field"`},
		{"q.field=a&q.value=b&q[0].field=c", `Unknown argument: "q[0].field"`},
		{"Q.field=a", `Unknown argument: "Q.field"`},
		{"limit=1&limit=1", `Invalid input for field/attribute limit. Value: '[1, 1]'.`},
		{"q[0].field=a&q[0].field=b", `Invalid input for field/attribute q[0].field.`},
		{"q.value=a", `Invalid input for field/attribute field. Value: 'None'. Mandatory field missing.`},
		{"q.field=&q.value=a", `Invalid input for field/attribute field. Value: 'None'. Mandatory field missing.`},
		{"q.field=a", `Invalid input for field/attribute value. Value: 'None'. Mandatory field missing.`},
		{"q[0].field=a", `Invalid input for field/attribute value.`},
		{"q.field=%zz", `The query string is not valid`},
		{"q.field=%ff", `The query string is not valid`},
	} {
		t.Run(tc.query, func(t *testing.T) {
			_, err := statistics.Parse(tc.query)
			var e *Error
			if !errors.As(err, &e) || !strings.HasPrefix(e.Text, tc.want) {
				t.Fatalf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestParseOthers(t *testing.T) {
	q, err := statistics.Parse("period=60&groupby=a&aggregate.func=max&groupby=b&aggregate.func=cardinality&aggregate.param=&aggregate.param=user_id")
	if err != nil {
		t.Fatal(err)
	}
	if !q.Has("period") || q.Scalar("period") != "60" || q.Has("limit") || q.Scalar("limit") != "" {
		t.Errorf("scalars: %+v", q)
	}
	if got := q.List("groupby"); !reflect.DeepEqual(got, []string{"a", "b"}) {
		t.Errorf("groupby: %q", got)
	}
	if got := q.Records("aggregate"); !reflect.DeepEqual(got, [][]string{{"max", ""}, {"cardinality", "user_id"}}) {
		t.Errorf("aggregate: %q", got)
	}
}

// FuzzParse wants filters to survive being written in lists and in brackets.
func FuzzParse(f *testing.F) {
	f.Add("q.field=a&q.field=b&q.op=eq&q.type=&q.value=1&q.value=2&limit=3")
	f.Add("q[3].field=a&q[1].field=b&q[3].value=1&q[1].value=2")
	f.Add("groupby=x&groupby=y&aggregate.func=z")
	f.Fuzz(func(t *testing.T, query string) {
		q, err := statistics.Parse(query)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Text == "" {
				t.Fatalf("error of no known kind: %v", err)
			}
			return
		}
		lists := url.Values{}
		for _, x := range q.Filters {
			lists.Add("q.field", x.Field)
			lists.Add("q.op", x.Op)
			lists.Add("q.value", x.Value)
			lists.Add("q.type", x.Type)
		}
		again, err := statistics.Parse(lists.Encode())
		if err != nil || !reflect.DeepEqual(again.Filters, q.Filters) {
			t.Fatalf("got %+v, %v, want %+v", again, err, q.Filters)
		}
	})
}
