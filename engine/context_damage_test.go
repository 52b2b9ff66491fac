package engine

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

// TestContextFlips: no flipped bit of a context's records goes unnoticed or panics.
func TestContextFlips(t *testing.T) {
	s := newSpecimen(t)
	defer s.db.Close()
	for _, kind := range []byte{keyContext, keyContextHash} {
		keys, values := s.stored(kind)
		if len(keys) == 0 {
			t.Fatalf("no records of kind %#x", kind)
		}
		for i, key := range keys {
			for bit := range 8 * len(values[i]) {
				v := slices.Clone(values[i])
				v[bit/8] ^= 1 << (bit % 8)
				if err := s.db.p.Set(key, v, pebble.NoSync); err != nil {
					t.Fatal(err)
				}
				var err error
				if kind == keyContext {
					s.db.cat.contexts.values.clear()
					_, err = s.db.Context(ContextRef(beUint32(key[1:])))
				} else {
					s.db.cat.contexts.refs.clear()
					_, err = s.db.InternContexts(context.Background(), []Context{{Source: "a"}, {Source: "b", Metadata: []byte(`{"k":[1,"x"]}`)}})
				}
				var damage *CorruptError
				if !errors.As(err, &damage) && !errors.Is(err, ErrVersion) {
					t.Fatalf("bit %d of %x: %v", bit, key, err)
				}
			}
			if err := s.db.p.Set(key, values[i], pebble.NoSync); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestLateBesideDamage: late samples whose raw block is damaged wait, and everything else is placed and read.
func TestLateBesideDamage(t *testing.T) {
	s := newSpecimen(t)
	defer s.db.Close()
	m := s.metrics[slices.IndexFunc(s.metrics, func(m Metric) bool { return m.Policy == "all" })]
	keys, values := s.stored(keyRaw)
	i := slices.IndexFunc(keys, func(k []byte) bool { b, _ := parseBlockKey(k); return b.ref == m.Ref })
	k, _ := parseBlockKey(keys[i])
	v := slices.Clone(values[i])
	v[len(v)/2] ^= 1
	if err := s.db.p.Set(keys[i], v, pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	s.db.last.expired()
	day := int64(86400e9)
	var b Batch
	b.Add(m.Ref, k.end, 1)       // belongs to the damaged block
	b.Add(m.Ref, k.end-2*day, 2) // to none
	if _, err := s.db.Append(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	view, err := s.db.View(m.Ref)
	if err != nil {
		t.Fatal(err)
	}
	ts, _, err := view.Raw(context.Background(), m.Ref, 0, k.end-day, nil, nil)
	view.Close()
	if err != nil || !slices.Equal(ts, []int64{k.end - 2*day}) {
		t.Fatalf("%v %v", ts, err)
	}
	if err := s.db.checkpoint(sealCut); err != nil {
		t.Fatal(err)
	}
	s.db.evict()
	s.db.evict()
	// The block is whole again, as from a copy, and the late sample finds its place once the series is in memory.
	if err := s.db.p.Set(keys[i], values[i], pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	b.Add(m.Ref, k.end-2*day, 3)
	if _, err := s.db.Append(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	if view, err = s.db.View(m.Ref); err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	ts, vs, err := view.Raw(context.Background(), m.Ref, k.end-2*day, k.end+1, nil, nil)
	if n := len(ts); err != nil || n < 3 || !slices.Equal(vs[:2], []float64{2, 3}) || ts[n-1] != k.end || vs[n-1] != 1 {
		t.Fatalf("%v %v %v", ts, vs, err)
	}
}
