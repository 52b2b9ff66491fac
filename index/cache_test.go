package index

import (
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

// turnover adds the ordinal to a posting, or takes it out.
func turnover(t *testing.T, ix *Index, p *pebble.DB, ord uint32, in bool) {
	t.Helper()
	var old, now Value
	if v := (Value{Kind: Bytes, Str: "instance"}); in {
		now = v
	} else {
		old = v
	}
	c, b := ix.NewChange(), p.NewBatch()
	defer b.Close()
	c.Set(testSpace, ord, "type", old, now)
	if err := c.Write(b, p); err != nil {
		t.Fatal(err)
	}
	if err := p.Apply(b, pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	c.Publish()
}

// TestTurnover: what it takes to change a posting that is changed all the time does not grow with what was deleted of it.
func TestTurnover(t *testing.T) {
	p := openStore(t)
	defer p.Close()
	ix, err := Open(p, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	key := ix.postingKey(nil, testSpace, "type", Value{Kind: Bytes, Str: "instance"})
	for ord := range uint32(3) {
		turnover(t, ix, p, ord, true)
	}
	old := p.NewSnapshot()
	defer old.Close()
	for ord := uint32(3); ord < 1000; ord++ {
		turnover(t, ix, p, ord, true)
		turnover(t, ix, p, ord, false)
	}
	all, err := loader{}.load(p, key)
	if err != nil {
		t.Fatal(err)
	}
	few, err := loader{since: ix.cache.tidied(key, ix.Seq())}.load(p, key)
	if err != nil {
		t.Fatal(err)
	}
	if all.steps < 1000 || few.steps > 100 {
		t.Errorf("%d steps over everything, %d over what is known to be there", all.steps, few.steps)
	}
	for _, r := range []pebble.Reader{old, p} { // the old state has changes that later ones deleted
		v, err := ix.View(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		set, err := v.Posting(testSpace, "type", Value{Kind: Bytes, Str: "instance"})
		if err != nil || !slices.Equal(set.ToArray(), []uint32{0, 1, 2}) {
			t.Errorf("at %d: %v, %v", v.Seq(), set, err)
		}
	}
}

// TestLateReader: a posting that was read while others changed it is kept as it is now.
func TestLateReader(t *testing.T) {
	p := openStore(t)
	defer p.Close()
	ix, err := Open(p, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	key := ix.postingKey(nil, testSpace, "type", Value{Kind: Bytes, Str: "instance"})
	turnover(t, ix, p, 1, true)
	snap := p.NewSnapshot()
	defer snap.Close()
	v, err := ix.View(snap, nil)
	if err != nil {
		t.Fatal(err)
	}
	turnover(t, ix, p, 2, true)
	turnover(t, ix, p, 1, false)
	set, err := v.Posting(testSpace, "type", Value{Kind: Bytes, Str: "instance"})
	if err != nil || !slices.Equal(set.ToArray(), []uint32{1}) {
		t.Errorf("the reader sees %v, %v", set, err)
	}
	kept := ix.cache.get(key, ix.Seq())
	if kept == nil || !slices.Equal(kept.set().ToArray(), []uint32{2}) || kept.count != 1 {
		t.Errorf("kept: %+v", kept)
	}
	for range maxRecentKeys + 1 {
		turnover(t, ix, p, 9, true)
		turnover(t, ix, p, 9, false)
	}
	if n := len(ix.cache.mu.recent); n > maxRecentKeys {
		t.Errorf("%d changes are kept", n)
	}
}
