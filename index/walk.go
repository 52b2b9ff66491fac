package index

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
)

// walker goes through the values of a field in order, a group of ordinals for each.
type walker struct {
	it     *pebble.Iterator // nil: of a constant field
	desc   bool
	base   int  // length of the keys' part before the value
	unique bool // the keys are those of a unique field
	ok     bool // it stands on a key of the next group
	start  bool // it was not moved yet

	// The present group.
	key     []byte          // up to the end of the value
	few     []uint32        // its ordinals, in no order, if set is nil
	set     *roaring.Bitmap // else these
	changes [][]byte        // of the group, collected
	scratch []byte
}

// bounds selects a part of a field's dictionary. The zero bounds select all of it.
type bounds struct {
	kind   Kind   // Null: all kinds
	lo, hi *Value // nil: open
	loOpen bool   // without lo
	hiOpen bool   // without hi
	prefix string // of Bytes; lo and hi are nil then
}

// walk returns a walker over the values within the bounds; close it.
func (v *View) walk(space byte, field string, bd bounds, desc bool) (*walker, error) {
	f := v.ix.fields[fieldID{space, field}]
	if f.Constant != nil {
		return v.walkConstant(space, *f.Constant, bd)
	}
	w := &walker{desc: desc, unique: f.Unique != nil, start: true}
	var base []byte
	encode := appendValue
	if w.unique {
		base = f.Unique
		encode = func(dst []byte, v Value) []byte { return append(dst, v.Str...) }
	} else {
		base = v.ix.fieldKey(nil, space, field)
	}
	w.base = len(base)
	with := func(val Value) []byte { return encode(bytes.Clone(base), val) }
	after := keyEnd // of a value that ends by itself: past all its keys
	if w.unique {
		after = func(key []byte) []byte { return append(key, 0) }
	}

	lower, upper := base, keyEnd(base)
	if !w.unique {
		first, last := bd.kind, bd.kind
		if bd.kind == Null {
			first, last = Bool, Bytes // neither the set of those that have a value, nor cells
		}
		lower, upper = append(bytes.Clone(base), byte(first)), append(bytes.Clone(base), byte(last)+1)
	}
	if bd.prefix != "" {
		lower = appendEscapedOpen(lower, bd.prefix)
		if w.unique {
			lower = with(Value{Kind: Bytes, Str: bd.prefix})
		}
		upper = keyEnd(lower)
	}
	if bd.lo != nil {
		if lower = with(*bd.lo); bd.loOpen {
			lower = after(lower)
		}
	}
	if bd.hi != nil {
		if upper = with(*bd.hi); !bd.hiOpen {
			upper = after(upper)
		}
	}
	var err error
	w.it, err = v.r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	return w, err
}

// walkConstant returns a walker over a field that is the same everywhere.
func (v *View) walkConstant(space byte, c Value, bd bounds) (*walker, error) {
	all, err := v.All(space)
	if err != nil {
		return nil, err
	}
	return &walker{key: appendValue(nil, c), set: all.Clone(), ok: bd.hold(c) && !all.IsEmpty()}, nil
}

// hold tells whether the value is within the bounds.
func (bd *bounds) hold(v Value) bool {
	if bd.kind != Null && bd.kind != v.Kind || bd.prefix != "" && !strings.HasPrefix(v.Str, bd.prefix) {
		return false
	}
	if bd.lo != nil {
		if c := Compare(v, *bd.lo); c < 0 || c == 0 && bd.loOpen {
			return false
		}
	}
	if bd.hi != nil {
		if c := Compare(v, *bd.hi); c > 0 || c == 0 && bd.hiOpen {
			return false
		}
	}
	return true
}

func (w *walker) close() error {
	if w.it == nil {
		return nil
	}
	return w.it.Close()
}

func (w *walker) step() bool {
	switch {
	case w.start && w.desc:
		w.ok = w.it.Last()
	case w.start:
		w.ok = w.it.First()
	case w.desc:
		w.ok = w.it.Prev()
	default:
		w.ok = w.it.Next()
	}
	w.start = false
	return w.ok
}

// next moves to the next value. False: the end, or an error that close returns too.
func (w *walker) next() (bool, error) {
	if w.it == nil {
		ok := w.ok
		w.ok = false
		return ok, nil
	}
	if w.start {
		w.step()
	}
	if !w.ok {
		return false, w.it.Error()
	}
	w.few, w.set, w.changes, w.scratch = w.few[:0], nil, w.changes[:0], w.scratch[:0]
	if w.unique {
		return true, w.takeUnique()
	}
	k := w.it.Key()
	n, err := valueLen(k[min(w.base, len(k)):])
	if err != nil {
		return false, err
	}
	w.key = append(w.key[:0], k[:w.base+n]...)
	for w.ok && bytes.HasPrefix(w.it.Key(), w.key) {
		if err := w.take(); err != nil {
			return false, err
		}
		w.step()
	}
	return true, w.finish()
}

func (w *walker) takeUnique() error {
	w.key = append(w.key[:0], w.it.Key()...)
	val, err := w.it.ValueAndErr()
	if err != nil {
		return err
	}
	if len(val) != 4 {
		return corruptf("ordinal of %d bytes", len(val))
	}
	w.few = append(w.few, binary.BigEndian.Uint32(val))
	w.step()
	return nil
}

// take collects what the present key says about the group.
func (w *walker) take() error {
	val, err := w.it.ValueAndErr()
	if err != nil {
		return err
	}
	suffix := w.it.Key()[len(w.key):]
	switch {
	case len(suffix) == chunkSuffixLen && suffix[0] == suffixChunk:
		if w.set == nil {
			w.set = roaring.New()
		}
		return addChunk(w.set, binary.BigEndian.Uint16(suffix[1:]), val)
	case len(suffix) == deltaSuffixLen && suffix[0] == suffixDelta:
		at := len(w.scratch)
		w.scratch = append(w.scratch, val...)
		w.changes = append(w.changes, w.scratch[at:len(w.scratch):len(w.scratch)])
		return nil
	}
	return corruptf("posting key %x", w.it.Key())
}

// finish applies the changes collected, in the order of their commits.
func (w *walker) finish() error {
	var removes []uint32
	for i := range w.changes {
		c := w.changes[i]
		if w.desc {
			c = w.changes[len(w.changes)-1-i]
		}
		var err error
		n := len(w.few)
		if w.few, removes, err = decodeDelta(w.few, removes[:0], c); err != nil {
			return err
		}
		if w.set == nil && len(removes) == 0 {
			continue
		}
		if w.set == nil {
			w.set, n = roaring.New(), 0
		}
		applyDelta(w.set, w.few[n:], removes)
		w.few = w.few[:0]
	}
	return nil
}

// value returns the present group's value.
func (w *walker) value() (Value, error) {
	if w.unique {
		return Value{Kind: Bytes, Str: string(w.key[w.base:])}, nil
	}
	v, _, err := decodeValue(w.key[w.base:])
	return v, err
}

// text returns the bytes of the present group's value, which is Bytes, until the next call.
func (w *walker) text(dst []byte) []byte {
	if w.unique {
		return append(dst, w.key[w.base:]...)
	}
	return unescape(dst, w.key[w.base+1:])
}
