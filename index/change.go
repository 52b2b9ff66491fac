package index

import (
	"encoding/binary"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
)

// Change collects what one commit does to the index: first calls of Insert, Delete and Set, then Write into the
// batch that also changes what is described, then, if that was committed, Publish. It serves one goroutine.
//
// Within a change an ordinal may be inserted or deleted once, and each of its fields set once.
type Change struct {
	ix      *Index
	touched map[string]*delta
	dropped []string // beginnings of keys
	seq     uint64
	buf     []byte
	val     []byte

	// For Publish.
	tidied []string                   // postings whose earlier changes are deleted
	loaded map[string]*roaring.Bitmap // large postings that were read, as the change leaves them
}

// NewChange returns an empty change.
func (ix *Index) NewChange() *Change {
	return &Change{ix: ix, touched: make(map[string]*delta), loaded: make(map[string]*roaring.Bitmap)}
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
	if f.Unique != nil || f.Constant != nil {
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

// Also says that a field of the ordinal, which Set gave a value in this change, has another value beside it, as a list has several.
// The field is an ordinary one, and the value neither Null nor a Time nor one that it has already.
func (c *Change) Also(space byte, ord uint32, field string, value Value) {
	c.add(space, field, value, ord)
}

// DropFields takes all postings of the ordinary fields whose names begin with prefix out of the index: many at the price of one. The
// change touches none of these fields otherwise.
func (c *Change) DropFields(space byte, prefix string) {
	c.dropped = append(c.dropped, string(appendEscapedOpen([]byte{c.ix.prefix, space}, prefix)))
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
	if d.adds == nil {
		d.adds = d.one[:0]
	}
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
		d.adds = slices.Compact(d.adds) // Also may name a value twice that is one in a key: NaN
		slices.Sort(d.removes)
		if err := c.writePosting(b, r, []byte(key), d); err != nil {
			return err
		}
	}
	for _, begin := range c.dropped {
		if err := b.DeleteRange([]byte(begin), keyEnd([]byte(begin)), nil); err != nil {
			return err
		}
	}
	return b.Set([]byte{c.ix.prefix, kindSeq}, binary.BigEndian.AppendUint64(nil, c.seq), nil)
}

// Publish makes the written and committed change visible to new views through the cache.
func (c *Change) Publish() { c.ix.cache.publish(c) }

// Seq is the sequence number that Write gave the change.
func (c *Change) Seq() uint64 { return c.seq }
