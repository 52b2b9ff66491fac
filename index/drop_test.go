package index

import (
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

// TestDropFields wants fields with the prefix to be gone from store and cache, and no others.
func TestDropFields(t *testing.T) {
	p := openStore(t)
	defer p.Close()
	ix, err := Open(p, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	value := Value{Kind: Bytes, Str: "v"}
	fields := []string{"a", "ax", "a\x00", "b", "a\xff", ""}
	commit := func(fill func(c *Change)) {
		t.Helper()
		c, b := ix.NewChange(), p.NewBatch()
		fill(c)
		if err := c.Write(b, p); err != nil {
			t.Fatal(err)
		}
		if err := b.Commit(pebble.NoSync); err != nil {
			t.Fatal(err)
		}
		c.Publish()
	}
	count := func(field string) uint64 {
		t.Helper()
		v, err := ix.View(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		set, err := v.Eval(context.Background(), testSpace, &Filter{Op: Eq, Field: field, Value: value})
		if err != nil {
			t.Fatal(err)
		}
		return set.GetCardinality()
	}
	commit(func(c *Change) {
		for _, f := range fields {
			c.Set(testSpace, 1, f, Value{}, value)
		}
	})
	for _, f := range fields {
		if count(f) != 1 { // and it is in the cache now
			t.Fatalf("field %q is not there", f)
		}
	}
	commit(func(c *Change) { c.DropFields(testSpace, "a") })
	for _, f := range fields {
		want := uint64(1)
		if f != "" && f[0] == 'a' {
			want = 0
		}
		if got := count(f); got != want {
			t.Errorf("field %q has %d ordinals, want %d", f, got, want)
		}
	}
}
