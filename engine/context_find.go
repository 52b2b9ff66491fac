package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/index"
)

func fmtRef(ref ContextRef) string { return fmt.Sprint(uint32(ref)) }

// ContextSet is a set of contexts. It never changes and may be used concurrently.
type ContextSet struct {
	set *roaring.Bitmap
}

// NewContextSet returns the set of the contexts.
func NewContextSet(refs ...ContextRef) *ContextSet {
	s := &ContextSet{roaring.New()}
	for _, r := range refs {
		s.set.Add(uint32(r))
	}
	return s
}

// Has tells whether the context is in the set.
func (s *ContextSet) Has(c ContextRef) bool { return s.set.Contains(uint32(c)) }

// Len is the number of contexts.
func (s *ContextSet) Len() int { return int(s.set.GetCardinality()) }

// All goes through the set in ascending order.
func (s *ContextSet) All() iter.Seq[ContextRef] {
	return func(yield func(ContextRef) bool) {
		for it := s.set.Iterator(); it.HasNext(); {
			if !yield(ContextRef(it.Next())) {
				return
			}
		}
	}
}

// FindContexts returns the contexts that a filter selects, by postings. Fields: user_id, project_id, source, unit, type, and metadata.PATH,
// where the keys of nested objects are joined by dots. Equality with a list is equality with one of its elements. Values of metadata are
// those of MetadataValue; of texts and paths longer than 512 bytes only so many count, so who asks for such has to look at what is found.
// A nil filter selects all.
func (db *DB) FindContexts(ctx context.Context, f *index.Filter) (*ContextSet, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.end()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := db.cat.search(ctx, spaceMetrics)
	if err != nil {
		return nil, err
	}
	defer s.close()
	view, err := db.cat.ix.View(s.snap, nil)
	if err != nil {
		return nil, indexError(err)
	}
	set, err := view.Eval(ctx, spaceContexts, f)
	if err != nil {
		return nil, indexError(err)
	}
	return &ContextSet{set}, nil
}

// MetricsOfContexts returns the metrics that have, or once had, samples of contexts of the set, in ascending order: no other metric has a
// sample that a filter for these contexts lets through. A metric that was deleted may be among them.
func (db *DB) MetricsOfContexts(ctx context.Context, s *ContextSet) ([]Ref, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.end()
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyContextUse}, UpperBound: []byte{keyContextUse + 1}})
	if err != nil {
		return nil, fmt.Errorf("tsdb: reading: %w", err)
	}
	defer it.Close()
	out := roaring.New()
	wanted := s.set.Iterator()
	var key []byte
	for n := 0; wanted.HasNext(); n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c := ContextRef(wanted.Next())
		key = contextUseKey(key[:0], c, 0)
		for ok := it.SeekGE(key); ok; ok = it.Next() {
			k := it.Key()
			if len(k) != contextUseLen {
				return nil, &CorruptError{Key: append([]byte(nil), k...), Err: ErrCorrupt}
			}
			if got := ContextRef(binary.BigEndian.Uint32(k[1:])); got != c {
				wanted.AdvanceIfNeeded(uint32(got)) // contexts that no sample has
				break
			}
			out.Add(binary.BigEndian.Uint32(k[5:]))
		}
		if err := it.Error(); err != nil {
			return nil, err
		}
	}
	refs := make([]Ref, 0, out.GetCardinality())
	for it := out.Iterator(); it.HasNext(); {
		refs = append(refs, Ref(it.Next()))
	}
	return refs, nil
}

const contextUseLen = 1 + 4 + 4
