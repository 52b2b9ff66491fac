package index

import (
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// Field describes a field that is not an ordinary one.
type Field struct {
	Space byte
	Name  string
	// Required: every ordinal of the space has a value, so no set of those that have one is kept.
	Required bool
	// Unique, if not nil, is the prefix of keys that the caller keeps itself: Unique followed by the bytes of the value,
	// its stored value being the ordinal as uint32 BE. Such a field is required, its values are Bytes, no two
	// ordinals share one, and Change does not take it.
	Unique []byte
	// Constant, if not nil, is the value that every ordinal of the space has: nothing is stored of such a field, and Change
	// does not take it. It is no Time.
	Constant *Value
}

// everywhere tells whether every ordinal of the space has a value in the field.
func (f *Field) everywhere() bool { return f.Required || f.Unique != nil || f.Constant != nil }

// Options configures Open.
type Options struct {
	Prefix     byte  // first byte of all keys of the index
	CacheBytes int64 // memory for postings; default 4 MiB
	Fields     []Field
}

// Index answers filters about ordinals. Its methods may be called concurrently; one Change at a time may be
// written and published, in the order of their commits.
type Index struct {
	prefix byte
	fields map[fieldID]Field
	cache  *cache

	// A removal from a posting that keeps so many ordinals is only noted: such a posting need not be tidied at once. So many steps
	// of reading a posting that has few keys are worth being saved the next time. Tests vary them.
	largePosting, manySteps int
}

type fieldID struct {
	space byte
	name  string
}

// Open reads the index's state from r: one key, whatever its size.
func Open(r pebble.Reader, o Options) (*Index, error) {
	ix := &Index{prefix: o.Prefix, fields: make(map[fieldID]Field), largePosting: 2 * maxInline, manySteps: 32}
	for _, f := range o.Fields {
		ix.fields[fieldID{f.Space, f.Name}] = f
	}
	seq, err := ix.readSeq(r)
	if err != nil {
		return nil, err
	}
	if o.CacheBytes <= 0 {
		o.CacheBytes = 4 << 20
	}
	ix.cache = newCache(o.CacheBytes, seq)
	return ix, nil
}

func (ix *Index) readSeq(r pebble.Reader) (uint64, error) {
	val, closer, err := r.Get([]byte{ix.prefix, kindSeq})
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closer.Close()
	if len(val) != 8 {
		return 0, corruptf("sequence number of %d bytes", len(val))
	}
	return binary.BigEndian.Uint64(val), nil
}

// fieldKey appends the start of all keys of a field.
func (ix *Index) fieldKey(dst []byte, space byte, field string) []byte {
	return appendEscaped(append(dst, ix.prefix, space), field)
}

// postingKey appends the key of a posting up to its value.
func (ix *Index) postingKey(dst []byte, space byte, field string, v Value) []byte {
	return appendValue(ix.fieldKey(dst, space, field), v)
}

// Seq is the sequence number of the last change published: the first is 1, and each is one more than the one before.
func (ix *Index) Seq() uint64 {
	ix.cache.mu.Lock()
	defer ix.cache.mu.Unlock()
	return ix.cache.mu.seq
}

// CacheBytes is the memory that postings take now.
func (ix *Index) CacheBytes() int64 {
	ix.cache.mu.Lock()
	defer ix.cache.mu.Unlock()
	return ix.cache.mu.bytes
}
