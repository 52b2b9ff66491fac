package index

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"
)

const (
	// foldEvery: a posting is looked at for folding once in so many changes of it, in the mean. Chance instead of a count
	// needs no memory per posting, and keeps the changes to be applied when one is loaded to about this number.
	foldEvery = 64
	// minFold is the number of changes that are worth folding.
	minFold = 16
	// maxInline is the number of ordinals up to which a posting is stored as a single change rather than in chunks.
	maxInline = 256
)

func (c *Change) writePosting(b *pebble.Batch, r pebble.Reader, key []byte, d *delta) error {
	if len(d.removes) > 0 {
		// Values that nothing has any more must not stay in the dictionary.
		if n, ok := c.ix.cache.count(key); !ok || n < c.ix.largePosting+len(d.removes) {
			return c.rewrite(b, r, key, d)
		}
	}
	if look := xxhash.Sum64(key) ^ bits.Reverse64(c.seq*0x9e3779b97f4a7c15); look%foldEvery == 0 {
		return c.fold(b, r, key, d)
	}
	return c.writeDelta(b, key, d)
}

func (c *Change) writeDelta(b *pebble.Batch, key []byte, d *delta) error {
	c.buf = c.deltaKey(c.buf[:0], key)
	c.val = appendDelta(c.val[:0], d.adds, d.removes)
	return b.Set(c.buf, c.val, nil)
}

func (c *Change) deltaKey(dst, key []byte) []byte {
	return binary.BigEndian.AppendUint64(append(append(dst, key...), suffixDelta), c.seq)
}

// rewrite applies the change and stores what is left of the posting in its shortest form, if it is small.
func (c *Change) rewrite(b *pebble.Batch, r pebble.Reader, key []byte, d *delta) error {
	l := loader{since: c.ix.cache.tidied(key, c.seq-1), keepKeys: true}
	s, err := l.load(r, key)
	if err != nil {
		return err
	}
	had := len(s.changes)
	s.changes = append(s.changes, d)
	s.apply()
	if s.set.GetCardinality() <= maxInline {
		c.noteTidied(key, l, s)
		return c.writeInline(b, key, s)
	}
	c.loaded[string(key)] = s.set
	if had >= minFold {
		c.noteTidied(key, l, s)
		return s.writeChunks(b, key)
	}
	return c.writeDelta(b, key, d)
}

// noteTidied has Publish remember that this change deletes all earlier ones of the posting, if that saves something.
func (c *Change) noteTidied(key []byte, l loader, s *stored) {
	if l.since > 0 || s.steps > c.ix.manySteps {
		c.tidied = append(c.tidied, string(key))
	}
}

// writeInline stores all of a posting, which has at most maxInline ordinals, as a single change, or nothing if it is empty.
func (c *Change) writeInline(b *pebble.Batch, key []byte, s *stored) error {
	if err := s.deleteKeys(b, key); err != nil || s.set.IsEmpty() {
		return err
	}
	return c.writeDelta(b, key, &delta{adds: s.set.ToArray()})
}

// fold turns the changes of a posting into chunks if there are many. It reads no more than it writes.
func (c *Change) fold(b *pebble.Batch, r pebble.Reader, key []byte, d *delta) error {
	l := loader{noChunks: true, since: c.ix.cache.tidied(key, c.seq-1), keepKeys: true}
	s, err := l.load(r, key)
	if err != nil {
		return err
	}
	if len(s.changes) < minFold {
		return c.writeDelta(b, key, d)
	}
	s.changes = append(s.changes, d)
	chunked, err := hasChunks(r, key)
	if err != nil {
		return err
	}
	if chunked {
		for _, chunk := range s.chunks() {
			if err := s.loadChunk(r, key, chunk); err != nil {
				return err
			}
		}
	}
	s.apply()
	c.noteTidied(key, l, s)
	if !chunked && s.set.GetCardinality() <= maxInline {
		return c.writeInline(b, key, s)
	}
	return s.writeChunks(b, key)
}

func hasChunks(r pebble.Reader, key []byte) (bool, error) {
	lower, upper := append(slices.Clone(key), suffixChunk), append(slices.Clone(key), suffixChunk+1)
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return false, err
	}
	ok := it.First()
	return ok, it.Close()
}

func (s *stored) loadChunk(r pebble.Reader, key []byte, chunk uint16) error {
	val, closer, err := r.Get(chunkKey(key, chunk))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer closer.Close()
	return addChunk(s.set, chunk, val)
}

func (s *stored) deleteKeys(b *pebble.Batch, key []byte) error {
	if len(s.keys) > maxKeys {
		return b.DeleteRange(key, keyEnd(key), nil)
	}
	for _, k := range s.keys {
		if err := b.Delete(k, nil); err != nil {
			return err
		}
	}
	return nil
}

// writeChunks stores the chunks that the changes speak of, which the set holds whole, and deletes the changes.
func (s *stored) writeChunks(b *pebble.Batch, key []byte) error {
	for _, chunk := range s.chunks() {
		if err := writeChunk(b, key, s.set, chunk); err != nil {
			return err
		}
	}
	if len(s.keys) > maxKeys {
		return b.DeleteRange(append(slices.Clone(key), suffixDelta), append(slices.Clone(key), suffixDelta+1), nil)
	}
	for _, k := range s.keys {
		if k[len(key)] == suffixDelta {
			if err := b.Delete(k, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func chunkKey(key []byte, chunk uint16) []byte {
	return binary.BigEndian.AppendUint16(append(slices.Clone(key), suffixChunk), chunk)
}

func writeChunk(b *pebble.Batch, key []byte, set *roaring.Bitmap, chunk uint16) error {
	k := chunkKey(key, chunk)
	part := chunkOf(set, chunk)
	if part.IsEmpty() {
		return b.Delete(k, nil)
	}
	val, err := part.MarshalBinary()
	if err != nil {
		return err
	}
	return b.Set(k, val, nil)
}
