package index

import (
	"encoding/binary"
	"errors"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
)

// View answers questions about one state of the index. It serves one goroutine.
type View struct {
	ix    *Index
	r     pebble.Reader
	seq   uint64
	fetch Fetch
	buf   []byte

	// Up to so many objects are loaded one by one instead of walking a dictionary: to sort them, and to evaluate on them
	// what is dear. Tests vary them.
	sortFew, testFew uint64
}

// Fetch appends the values that an ordinal has in the fields, Null for those not set, to dst.
// It reads the same state as the view.
type Fetch func(dst []Value, ord uint32, fields []string) ([]Value, error)

// View returns a view of the state that r shows: a snapshot, or a store that does not change meanwhile.
// fetch lets it look at few objects one by one where that is cheaper than walking a dictionary.
func (ix *Index) View(r pebble.Reader, fetch Fetch) (*View, error) {
	seq, err := ix.readSeq(r)
	return &View{ix: ix, r: r, seq: seq, fetch: fetch, sortFew: 1000, testFew: 512}, err
}

// Seq is the sequence number of the last change that the view shows.
func (v *View) Seq() uint64 { return v.seq }

// Posting returns the ordinals whose field has the value; of Null: that have any value. Read only.
func (v *View) Posting(space byte, field string, value Value) (*roaring.Bitmap, error) {
	f := v.ix.fields[fieldID{space, field}]
	switch {
	case value.Kind == Null && f.everywhere():
		field = ""
	case f.Unique != nil:
		return v.unique(f, value)
	case f.Constant != nil:
		if value.Kind != f.Constant.Kind || Compare(value, *f.Constant) != 0 {
			return roaring.New(), nil
		}
		return v.All(space)
	}
	v.buf = v.ix.postingKey(v.buf[:0], space, field, value)
	if p := v.ix.cache.get(v.buf, v.seq); p != nil {
		return p.set(), nil
	}
	set, err := loadPosting(v.r, v.buf, v.ix.cache.tidied(v.buf, v.seq))
	if err != nil {
		return nil, err
	}
	v.ix.cache.put(v.buf, newCachedPosting(v.seq, set))
	return set, nil
}

// All returns the ordinals of the space: read only.
func (v *View) All(space byte) (*roaring.Bitmap, error) { return v.Posting(space, "", Value{}) }

func (v *View) unique(f Field, value Value) (*roaring.Bitmap, error) {
	set := roaring.New()
	if value.Kind != Bytes {
		return set, nil
	}
	v.buf = append(append(v.buf[:0], f.Unique...), value.Str...)
	val, closer, err := v.r.Get(v.buf)
	if errors.Is(err, pebble.ErrNotFound) {
		return set, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	if len(val) != 4 {
		return nil, corruptf("ordinal of %d bytes", len(val))
	}
	set.Add(binary.BigEndian.Uint32(val))
	return set, nil
}
