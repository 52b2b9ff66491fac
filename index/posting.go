package index

import (
	"encoding/binary"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
)

// stored is a posting as it lies in the store.
type stored struct {
	set    *roaring.Bitmap // chunks and changes together
	deltas int             // number of changes among its keys
	keys   [][]byte        // its keys, at most maxKeys+1 of them
	dirty  []uint32        // ordinals that changes speak of
}

// maxKeys is how many keys are remembered to be deleted one by one; more are deleted as a range.
const maxKeys = 64

// loadStored reads the posting with the given key (up to the value). It keeps keys only if asked.
func loadStored(r pebble.Reader, key []byte, keepKeys bool) (*stored, error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: key, UpperBound: keyEnd(key)})
	if err != nil {
		return nil, err
	}
	s := &stored{set: roaring.New()}
	for ok := it.First(); ok; ok = it.Next() {
		if err := s.add(key, it); err != nil {
			it.Close()
			return nil, err
		}
		if keepKeys && len(s.keys) <= maxKeys {
			s.keys = append(s.keys, append([]byte(nil), it.Key()...))
		}
	}
	return s, it.Close()
}

func (s *stored) add(key []byte, it *pebble.Iterator) error {
	val, err := it.ValueAndErr()
	if err != nil {
		return err
	}
	suffix := it.Key()[len(key):]
	switch {
	case len(suffix) == chunkSuffixLen && suffix[0] == suffixChunk:
		return addChunk(s.set, binary.BigEndian.Uint16(suffix[1:]), val)
	case len(suffix) == deltaSuffixLen && suffix[0] == suffixDelta:
		s.deltas++
		adds, removes, err := decodeDelta(nil, nil, val)
		if err != nil {
			return err
		}
		applyDelta(s.set, adds, removes)
		s.dirty = append(append(s.dirty, adds...), removes...)
		return nil
	}
	return corruptf("posting key %x", it.Key())
}

func applyDelta(set *roaring.Bitmap, adds, removes []uint32) {
	set.AddMany(adds)
	for _, o := range removes {
		set.Remove(o)
	}
}

// addChunk adds the ordinals of a stored chunk to the set.
func addChunk(set *roaring.Bitmap, chunk uint16, val []byte) error {
	c, err := decodeChunk(chunk, val)
	if err == nil {
		set.Or(c)
	}
	return err
}

// decodeChunk copies what it keeps of val.
func decodeChunk(chunk uint16, val []byte) (*roaring.Bitmap, error) {
	c := roaring.New()
	if err := c.UnmarshalBinary(val); err != nil {
		return nil, corruptf("chunk %d: %v", chunk, err)
	}
	if err := c.Validate(); err != nil {
		return nil, corruptf("chunk %d: %v", chunk, err)
	}
	if c.IsEmpty() || c.Minimum()>>16 != uint32(chunk) || c.Maximum()>>16 != uint32(chunk) {
		return nil, corruptf("chunk %d holds ordinals of others, or none", chunk)
	}
	return c, nil
}

// chunkOf returns the part of the set that chunk holds, ready to be stored.
func chunkOf(set *roaring.Bitmap, chunk uint16) *roaring.Bitmap {
	c := roaring.New()
	c.AddRange(uint64(chunk)<<16, (uint64(chunk)+1)<<16)
	c.And(set)
	c.RunOptimize()
	return c
}
