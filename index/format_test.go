package index

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// goldenValues is at least one value of each kind, in ascending order.
var goldenValues = []Value{
	{},
	{Kind: Bool},
	{Kind: Bool, Num: 1},
	{Kind: Number, Num: math.Inf(-1)},
	{Kind: Number, Num: -1.5},
	{Kind: Number},
	{Kind: Number, Num: 1},
	{Kind: Number, Num: math.NaN()},
	{Kind: Time, Time: -1},
	{Kind: Time, Time: 1767225600e9},
	{Kind: Bytes},
	{Kind: Bytes, Str: "\x00"},
	{Kind: Bytes, Str: "a"},
	{Kind: Bytes, Str: "a\x00b"},
	{Kind: Bytes, Str: "ab"},
}

// TestKeysGolden compares keys and values with testdata/keys_v1.golden; -update rewrites it. A change there is a
// change of the format.
func TestKeysGolden(t *testing.T) {
	var out strings.Builder
	ix := &Index{prefix: 0x20}
	for _, v := range goldenValues {
		fmt.Fprintf(&out, "key of space 1, field %q, kind %d, number %v, time %d, text %q\n  %x\n", "size", v.Kind, v.Num, v.Time, v.Str, ix.postingKey(nil, 1, "size", v))
	}
	fmt.Fprintf(&out, "cell of time 1767225600000000000\n  %x\n", ix.postingKey(nil, 1, "size", cellOf(Value{Kind: Time, Time: 1767225600e9})))
	c := &Change{seq: 7}
	fmt.Fprintf(&out, "change 7 of it\n  … %x\n", c.deltaKey(nil, nil))
	fmt.Fprintf(&out, "adds 3, 5, 70000, removes 4, 5\n  %x\n", appendDelta(nil, []uint32{3, 5, 70000}, []uint32{4, 5}))
	p := openStore(t)
	defer p.Close()
	b := p.NewBatch()
	defer b.Close()
	set := roaring.BitmapOf(1, 2, 3, 65536, 65540, 65539, 65538, 65537, 65541)
	if err := writeChunk(b, nil, set, 1); err != nil {
		t.Fatal(err)
	}
	for r := b.Reader(); ; {
		_, key, val, ok, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		fmt.Fprintf(&out, "chunk 1: 65536 to 65541\n  … %x -> %x\n", key, val)
	}
	golden(t, "testdata/keys_v1.golden", out.String())
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", file, got)
	}
}

func TestValuesSortAsTheirKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	vals := slices.Clone(goldenValues)
	for range 500 {
		vals = append(vals, randomValue(r, "mixed"))
	}
	for _, a := range vals {
		ka := appendValue([]byte("dst"), a)[3:]
		got, rest, err := decodeValue(append(ka, "rest"...))
		if err != nil || Compare(got, a) != 0 || string(rest) != "rest" {
			t.Fatalf("%+v is read as %+v, %q, %v", a, got, rest, err)
		}
		for _, b := range vals {
			kb := appendValue(nil, b)
			if c := bytes.Compare(ka, kb); c != Compare(a, b) || c != modelCompare(a, b) {
				t.Fatalf("%+v and %+v: keys compare as %d, values as %d, want %d", a, b, c, Compare(a, b), modelCompare(a, b))
			}
			if len(ka) < len(kb) && bytes.HasPrefix(kb, ka) {
				t.Fatalf("the key of %+v begins that of %+v", a, b)
			}
		}
	}
}

func TestLike(t *testing.T) {
	for _, tc := range []struct {
		pattern, s string
		want       bool
		prefix     string
	}{
		{"", "", true, ""},
		{"", "a", false, ""},
		{"%", "", true, ""},
		{"a%", "abc", true, "a"},
		{"a%c", "abc", true, "a"},
		{"a%c", "abcd", false, "a"},
		{"%b%", "abc", true, ""},
		{"_", "é", true, ""},
		{"__", "é", false, ""},
		{"a_c", "abc", true, "a"},
		{"a_c", "ac", false, "a"},
		{`100\%`, "100%", true, "100%"},
		{`100\%`, "1000", false, "100%"},
		{`a\_%`, "a_b", true, "a_"},
		{`a\`, `a\`, true, `a\`},
		{"A", "a", false, "A"},
		{"a\n%", "a\nb\x00", true, "a\n"},
		{"%aab", "aaaab", true, ""},
		{strings.Repeat("%a", 30) + "%b", strings.Repeat("a", 3000), false, ""}, // at once, not after years
	} {
		if got := like(tc.pattern, tc.s); got != tc.want {
			t.Errorf("like(%q, %.20q) = %v", tc.pattern, tc.s, got)
		}
		if got := likePrefix(tc.pattern); got != tc.prefix {
			t.Errorf("likePrefix(%q) = %q, want %q", tc.pattern, got, tc.prefix)
		}
	}
}

func TestKeyEnd(t *testing.T) {
	for _, tc := range []struct{ in, want []byte }{
		{[]byte{1, 2}, []byte{1, 3}}, {[]byte{1, 0xff}, []byte{2}}, {[]byte{0xff, 0xff}, nil}, {nil, nil},
	} {
		if got := keyEnd(tc.in); !bytes.Equal(got, tc.want) {
			t.Errorf("keyEnd(%x) = %x, want %x", tc.in, got, tc.want)
		}
	}
}

// TestCacheIsBounded: postings beyond the memory given are forgotten, and found again in the store.
func TestCacheIsBounded(t *testing.T) {
	p := openStore(t)
	defer p.Close()
	ix, err := Open(p, Options{Prefix: testPrefix, CacheBytes: 4000})
	if err != nil {
		t.Fatal(err)
	}
	num := func(i uint32) Value { return Value{Kind: Number, Num: float64(i)} }
	for i := range uint32(100) {
		c, b := ix.NewChange(), p.NewBatch()
		c.Insert(testSpace, i)
		c.Set(testSpace, i, "n", Value{}, num(i%50))
		if err := errors.Join(c.Write(b, p), p.Apply(b, pebble.NoSync), b.Close()); err != nil {
			t.Fatal(err)
		}
		c.Publish()
		v, err := ix.View(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		for j := range i + 1 {
			set, err := v.Eval(context.Background(), testSpace, &Filter{Op: Eq, Field: "n", Value: num(j % 50)})
			if err != nil || !set.Contains(j) {
				t.Fatalf("ordinal %d is not among %v, %v", j, set, err)
			}
		}
		if n := ix.CacheBytes(); n > 4000 {
			t.Fatalf("postings take %d bytes, 4000 are allowed", n)
		}
	}
}

func FuzzDecodeValue(f *testing.F) {
	for _, v := range goldenValues {
		f.Add(appendValue(nil, v))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		v, rest, err := decodeValue(src)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		again, _, err := decodeValue(appendValue(nil, v))
		if err != nil || Compare(v, again) != 0 || len(rest) > len(src) {
			t.Fatalf("%x is %+v, and that is %+v: %v", src, v, again, err)
		}
	})
}

func FuzzDecodeDelta(f *testing.F) {
	f.Add(appendDelta(nil, []uint32{3, 5, 70000}, []uint32{4, 5, math.MaxUint32}))
	f.Add(appendDelta(nil, nil, nil))
	f.Fuzz(func(t *testing.T, src []byte) {
		adds, removes, err := decodeDelta(nil, nil, src)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		for _, list := range [][]uint32{adds, removes} {
			if !slices.IsSorted(list) || len(slices.Compact(list)) != len(list) {
				t.Fatalf("%x holds %v", src, list)
			}
		}
		a, r, err := decodeDelta(nil, nil, appendDelta(nil, adds, removes))
		if err != nil || !slices.Equal(a, adds) || !slices.Equal(r, removes) {
			t.Fatalf("%v %v is read as %v %v, %v", adds, removes, a, r, err)
		}
	})
}

func FuzzDecodeChunk(f *testing.F) {
	for _, set := range [][]uint32{{65536}, {65536, 70000, 131071}} {
		val, err := chunkOf(roaring.BitmapOf(set...), 1).MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(val)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := decodeChunk(1, src)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		last := uint32(0)
		for it := c.Iterator(); it.HasNext(); {
			o := it.Next()
			if o>>16 != 1 || o <= last {
				t.Fatalf("ordinal %d after %d", o, last)
			}
			last = o
		}
	})
}

func FuzzCheckEntry(f *testing.F) {
	ix := &Index{prefix: testPrefix}
	key := ix.postingKey(nil, 1, "size", Value{Kind: Bytes, Str: "m1.small"})
	f.Add(binary.BigEndian.AppendUint64(append(key, suffixDelta), 3), appendDelta(nil, []uint32{1}, nil))
	f.Fuzz(func(t *testing.T, key, val []byte) {
		if err := ix.CheckEntry(key, val); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
	})
}
