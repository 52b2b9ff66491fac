package ferret

import (
	"maps"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
)

// Same compares what was sent with a document in extended JSON, whatever the order of its fields.
func Same(t testing.TB, got any, want string) {
	t.Helper()
	var doc bson.M
	if err := bson.UnmarshalExtJSON([]byte(`{"x":`+want+`}`), false, &doc); err != nil {
		t.Fatal(err)
	}
	if a, b := text(t, got), text(t, doc["x"]); a != b {
		t.Errorf("sent %s\nwant %s", a, b)
	}
}

func text(t testing.TB, x any) string {
	t.Helper()
	b, err := bson.MarshalExtJSON(sorted(bson.M{"x": x}), true, false)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// sorted puts fields in the order of their names, and makes integers of all widths the same.
func sorted(x any) any {
	switch v := x.(type) {
	case bson.M:
		out := bson.D{}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, bson.E{Key: k, Value: sorted(v[k])})
		}
		return out
	case bson.A:
		out := bson.A{}
		for _, e := range v {
			out = append(out, sorted(e))
		}
		return out
	case int32:
		return int64(v)
	}
	return x
}
