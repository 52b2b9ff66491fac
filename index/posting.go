package index

import (
	"encoding/binary"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
)

// stored is a posting, or a part of one, as it lies in the store.
type stored struct {
	set     *roaring.Bitmap // the chunks; with the changes once apply was called
	changes []*delta        // in the order of their commits
	keys    [][]byte        // at most maxKeys+1 of those read
	steps   int             // that reading took, over deleted keys, too
}

// maxKeys is how many keys are remembered to be deleted one by one; more are deleted as a range, which makes all readers of
// the memory table sort its deleted ranges again.
const maxKeys = 512

// loader says what to read of a posting.
type loader struct {
	noChunks bool
	since    uint64 // changes of commits before that one are deleted: they need not be looked for
	keepKeys bool
}

// loadPosting reads the ordinals of the posting with the given key (up to the value).
func loadPosting(r pebble.Reader, key []byte, since uint64) (*roaring.Bitmap, error) {
	s, err := loader{since: since}.load(r, key)
	if err != nil {
		return nil, err
	}
	s.apply()
	return s.set, nil
}

// load reads the posting's chunks, then its changes.
//
// A posting that changes often leaves a trail of deleted changes in the store's memory, thousands of them between its chunks and
// its changes, and reading steps over each. Knowing since which commit there are changes saves that.
func (l loader) load(r pebble.Reader, key []byte) (*stored, error) {
	lower := append(append(make([]byte, 0, len(key)+deltaSuffixLen), key...), suffixChunk)
	changes := append(append(make([]byte, 0, len(key)+deltaSuffixLen), key...), suffixDelta)
	if l.since > 0 {
		changes = binary.BigEndian.AppendUint64(changes, l.since)
	}
	o := pebble.IterOptions{LowerBound: lower, UpperBound: keyEnd(key)}
	if l.noChunks {
		o.LowerBound = changes
	} else if l.since > 0 {
		o.UpperBound = changes[:len(key)+1]
	}
	it, err := r.NewIter(&o)
	if err != nil {
		return nil, err
	}
	s := &stored{set: roaring.New()}
	err = s.read(key, it, l.keepKeys)
	if err == nil && l.since > 0 && !l.noChunks {
		it.SetBounds(changes, keyEnd(key))
		err = s.read(key, it, l.keepKeys)
	}
	stats := it.Stats()
	s.steps = stats.ForwardStepCount[pebble.InternalIterCall] + int(stats.InternalStats.PointsCoveredByRangeTombstones)
	if cerr := it.Close(); err == nil {
		err = cerr
	}
	return s, err
}

func (s *stored) read(key []byte, it *pebble.Iterator, keepKeys bool) error {
	for ok := it.First(); ok; ok = it.Next() {
		if err := s.add(key, it); err != nil {
			return err
		}
		if keepKeys && len(s.keys) <= maxKeys {
			s.keys = append(s.keys, append([]byte(nil), it.Key()...))
		}
	}
	return it.Error()
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
		adds, removes, err := decodeDelta(nil, nil, val)
		s.changes = append(s.changes, &delta{adds: adds, removes: removes})
		return err
	}
	return corruptf("posting key %x", it.Key())
}

// apply brings the set to what the changes make of it.
func (s *stored) apply() {
	for _, d := range s.changes {
		applyDelta(s.set, d.adds, d.removes)
	}
}

// chunks returns the chunks that the changes speak of, ascending.
func (s *stored) chunks() []uint16 {
	var cs []uint16
	for _, d := range s.changes {
		for _, list := range [2][]uint32{d.adds, d.removes} {
			for _, o := range list {
				if c := uint16(o >> 16); len(cs) == 0 || cs[len(cs)-1] != c {
					cs = append(cs, c)
				}
			}
		}
	}
	slices.Sort(cs)
	return slices.Compact(cs)
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
