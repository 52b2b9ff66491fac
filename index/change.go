package index

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"
)

// Change collects what one commit does to the index: first calls of Insert, Delete and Set, then Write into the
// batch that also changes what is described, then, if that was committed, Publish. It serves one goroutine.
//
// Within a change an ordinal may be inserted or deleted once, and each of its fields set once.
type Change struct {
	ix      *Index
	touched map[string]*delta
	seq     uint64
	buf     []byte
}

// NewChange returns an empty change.
func (ix *Index) NewChange() *Change {
	return &Change{ix: ix, touched: make(map[string]*delta)}
}

// Insert adds a new ordinal to the space.
func (c *Change) Insert(space byte, ord uint32) { c.add(space, "", Value{}, ord) }

// Delete takes an ordinal out of the space; its fields have to be set to Null beside.
func (c *Change) Delete(space byte, ord uint32) { c.remove(space, "", Value{}, ord) }

// Set says that a field of the ordinal, which was old, is now value. Null stands for not set.
func (c *Change) Set(space byte, ord uint32, field string, old, value Value) {
	if old.Kind == value.Kind && Compare(old, value) == 0 {
		return
	}
	f := c.ix.fields[fieldID{space, field}]
	if f.Unique != nil {
		return
	}
	c.setCell(space, ord, field, old, value)
	if old.Kind != Null {
		c.remove(space, field, old, ord)
		if value.Kind == Null && !f.Required {
			c.remove(space, field, Value{}, ord)
		}
	}
	if value.Kind != Null {
		c.add(space, field, value, ord)
		if old.Kind == Null && !f.Required {
			c.add(space, field, Value{}, ord)
		}
	}
}

// setCell keeps the postings of times' cells.
func (c *Change) setCell(space byte, ord uint32, field string, old, value Value) {
	was, is := cellOf(old), cellOf(value)
	if old.Kind == Time && value.Kind == Time && was == is {
		return
	}
	if old.Kind == Time {
		c.remove(space, field, was, ord)
	}
	if value.Kind == Time {
		c.add(space, field, is, ord)
	}
}

func (c *Change) add(space byte, field string, v Value, ord uint32) {
	d := c.delta(space, field, v)
	d.adds = append(d.adds, ord)
}

func (c *Change) remove(space byte, field string, v Value, ord uint32) {
	d := c.delta(space, field, v)
	d.removes = append(d.removes, ord)
}

func (c *Change) delta(space byte, field string, v Value) *delta {
	c.buf = c.ix.postingKey(c.buf[:0], space, field, v)
	d := c.touched[string(c.buf)]
	if d == nil {
		d = new(delta)
		c.touched[string(c.buf)] = d
	}
	return d
}

// Write puts the change, even an empty one, into the batch. r shows the index as the last published change left it.
func (c *Change) Write(b *pebble.Batch, r pebble.Reader) error {
	c.seq = c.ix.Seq() + 1
	for key, d := range c.touched {
		slices.Sort(d.adds)
		slices.Sort(d.removes)
		if err := c.writePosting(b, r, []byte(key), d); err != nil {
			return err
		}
	}
	return b.Set([]byte{c.ix.prefix, kindSeq}, binary.BigEndian.AppendUint64(nil, c.seq), nil)
}

// Publish makes the written and committed change visible to new views through the cache.
func (c *Change) Publish() { c.ix.cache.publish(c.seq, c.touched) }

// Seq is the sequence number that Write gave the change.
func (c *Change) Seq() uint64 { return c.seq }

const (
	// foldEvery: a posting is looked at for folding once in so many changes of it, in the mean. Chance instead of a count
	// needs no memory per posting, and keeps the changes to be applied when one is loaded to about this number.
	foldEvery = 64
	// minFold is the number of changes that are worth folding.
	minFold = 16
	// maxInline is the number of ordinals up to which a posting is stored as a single change rather than in chunks.
	maxInline = 256
	// largePosting is the number of ordinals from which a removal is only noted: such a posting need not be tidied at once.
	largePosting = 4096
)

func (c *Change) writePosting(b *pebble.Batch, r pebble.Reader, key []byte, d *delta) error {
	look := xxhash.Sum64(key) ^ bits.Reverse64(c.seq*0x9e3779b97f4a7c15)
	fold := look%foldEvery == 0
	if len(d.removes) > 0 && !fold {
		// Values that nothing has any more must not stay in the dictionary.
		p := c.ix.cache.get(key, c.seq-1)
		fold = p == nil || p.set().GetCardinality() < largePosting+uint64(len(d.removes))
	}
	if !fold {
		return b.Set(c.deltaKey(key), appendDelta(nil, d.adds, d.removes), nil)
	}
	s, err := loadStored(r, key, true)
	if err != nil {
		return err
	}
	applyDelta(s.set, d.adds, d.removes)
	switch n := s.set.GetCardinality(); {
	case n == 0:
		return s.deleteKeys(b, key)
	case n <= maxInline && (len(d.removes) > 0 || s.deltas >= minFold):
		if err := s.deleteKeys(b, key); err != nil {
			return err
		}
		return b.Set(c.deltaKey(key), appendDelta(nil, s.set.ToArray(), nil), nil)
	case n > maxInline && s.deltas >= minFold:
		return s.fold(b, key, d)
	}
	return b.Set(c.deltaKey(key), appendDelta(nil, d.adds, d.removes), nil)
}

func (c *Change) deltaKey(key []byte) []byte {
	k := append(append([]byte(nil), key...), suffixDelta)
	return binary.BigEndian.AppendUint64(k, c.seq)
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

// fold rewrites the chunks that changes, d among them, speak of, and deletes the changes.
func (s *stored) fold(b *pebble.Batch, key []byte, d *delta) error {
	dirty := roaring.BitmapOf(s.dirty...)
	dirty.AddMany(d.adds)
	dirty.AddMany(d.removes)
	last := -1
	for it := dirty.Iterator(); it.HasNext(); {
		chunk := it.Next() >> 16
		if int(chunk) == last {
			continue
		}
		last = int(chunk)
		it.AdvanceIfNeeded((chunk + 1) << 16) // wraps to 0 at the last chunk, which skips nothing: only slower
		if err := writeChunk(b, key, s.set, uint16(chunk)); err != nil {
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

func writeChunk(b *pebble.Batch, key []byte, set *roaring.Bitmap, chunk uint16) error {
	k := binary.BigEndian.AppendUint16(append(slices.Clone(key), suffixChunk), chunk)
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
