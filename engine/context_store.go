package engine

import (
	"context"
	"encoding/binary"
	"sync/atomic"

	"github.com/telemetrydb/tsdb/index"
)

// contextStore finds contexts by content and by number. Contexts are never changed, so its caches never hold anything old.
type contextStore struct {
	last   atomic.Uint32 // ordinal given; changed under catalogue.mu
	refs   *clockCache[contextHash, ContextRef]
	values *clockCache[ContextRef, *Context]
	used   *clockCache[contextUse, struct{}] // pairs whose key is written
}

// contextUse is a metric and a context of its samples.
type contextUse struct {
	context ContextRef
	metric  Ref
}

// lastContextKey holds the last ordinal given to a context.
var lastContextKey = []byte{keyMeta, metaContexts}

func (c *catalogue) openContexts(maxBytes int64) error {
	c.contexts.refs = newClockCache[contextHash, ContextRef](maxBytes/4, func(h contextHash) uint32 { return binary.LittleEndian.Uint32(h[:]) })
	c.contexts.values = newClockCache[ContextRef, *Context](maxBytes/2, func(r ContextRef) uint32 { return hashOrdinal(uint32(r)) })
	c.contexts.used = newClockCache[contextUse, struct{}](maxBytes/4, func(u contextUse) uint32 {
		return hashOrdinal(uint32(u.metric) ^ uint32(u.context)*31)
	})
	_, err := getRecord(c.p, lastContextKey, func(rec []byte) error {
		last, err := decodeLastContext(rec)
		c.contexts.last.Store(last)
		return err
	})
	return err
}

// newContext is a context that a transaction makes.
type newContext struct {
	ref      ContextRef
	hash     contextHash
	value    *Context
	metadata map[string]any
}

// InternContexts returns the numbers of contexts, in their order, and stores those that are new: when it returns they are as durable
// as an append. Equal contents, whatever the order of the keys of their metadata, have one number.
//
// ErrInvalid (nothing is stored): metadata is no JSON object or longer than 1 MiB, or a text is longer than 1,024 characters.
func (db *DB) InternContexts(ctx context.Context, cs []Context) ([]ContextRef, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.end()
	refs := make([]ContextRef, len(cs))
	var unknown []int
	for i := range cs {
		if ref, ok := db.cat.contexts.refs.get(cs[i].hash()); ok {
			refs[i] = ref
		} else {
			unknown = append(unknown, i)
		}
	}
	if len(unknown) == 0 {
		return refs, ctx.Err()
	}
	found := make([]newContext, len(unknown))
	for k, i := range unknown {
		c, metadata, err := cs[i].canonical()
		if err != nil {
			return nil, err
		}
		c = c.export()
		found[k] = newContext{hash: c.hash(), value: &c, metadata: metadata}
	}
	err := db.Update(ctx, func(tx *Tx) error {
		for k := range found {
			if err := tx.internContext(&found[k]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for k, i := range unknown {
		refs[i] = found[k].ref
		db.cat.contexts.refs.set(found[k].hash, refs[i], 0)
		db.cat.contexts.refs.set(cs[i].hash(), refs[i], 0) // as the caller spells it
	}
	return refs, nil
}

// internContext finds a context or gives it the next number.
func (tx *Tx) internContext(n *newContext) error {
	for i := range tx.contexts {
		if tx.contexts[i].hash == n.hash {
			n.ref = tx.contexts[i].ref
			return nil
		}
	}
	_, err := getRecord(tx.cat.p, contextHashKey(n.hash), func(rec []byte) error {
		ref, err := decodeLastContext(rec)
		n.ref = ContextRef(ref)
		return err
	})
	if err != nil || n.ref != 0 {
		return err
	}
	last := tx.cat.contexts.last.Load() + uint32(len(tx.contexts))
	ord, err := nextOrdinal(&last, KindContext, n.value.Source)
	if err != nil {
		return err
	}
	n.ref = ContextRef(ord)
	tx.contexts = append(tx.contexts, *n)
	if err := tx.batch.Set(ordinalKey(keyContext, ord), appendContext(nil, n.value), nil); err != nil {
		return err
	}
	return tx.batch.Set(contextHashKey(n.hash), appendOrdinalRecord(ord), nil)
}

func appendOrdinalRecord(ord uint32) []byte {
	return endRecord(appendUvarint32(beginRecord(nil), ord), 0)
}

// flushContexts puts the transaction's contexts into the index.
func (tx *Tx) flushContexts(ch *index.Change) error {
	if len(tx.contexts) == 0 {
		return nil
	}
	for i := range tx.contexts {
		n := &tx.contexts[i]
		ord := uint32(n.ref)
		ch.Insert(spaceContexts, ord)
		type entry struct {
			field string
			v     index.Value
		}
		seen := map[entry]bool{}
		first := map[string]bool{}
		n.value.eachField(n.metadata, func(field string, v index.Value) {
			switch e := (entry{field, v}); {
			case seen[e]:
			case !first[field]:
				seen[e], first[field] = true, true
				ch.Set(spaceContexts, ord, field, index.Value{}, v)
			default: // a list has several values
				seen[e] = true
				ch.Also(spaceContexts, ord, field, v)
			}
		})
	}
	return tx.batch.Set(lastContextKey, appendOrdinalRecord(tx.cat.contexts.last.Load()+uint32(len(tx.contexts))), nil)
}

func (tx *Tx) publishContexts() {
	c := &tx.cat.contexts
	for i := range tx.contexts {
		n := &tx.contexts[i]
		c.values.set(n.ref, n.value, n.value.bytes())
	}
	c.last.Add(uint32(len(tx.contexts)))
}

// Context returns a context. The caller may keep and change it. ErrNotFound.
func (db *DB) Context(ref ContextRef) (Context, error) {
	if err := db.begin(); err != nil {
		return Context{}, err
	}
	defer db.end()
	c, err := db.cat.context(ref)
	if err != nil {
		return Context{}, err
	}
	return c.export(), nil
}

// SharedContext is Context without a copy: what it returns belongs to all who ask, and is read only.
func (db *DB) SharedContext(ref ContextRef) (*Context, error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.end()
	return db.cat.context(ref)
}

// context returns the context, which is read only.
func (c *catalogue) context(ref ContextRef) (*Context, error) {
	if v, ok := c.contexts.values.get(ref); ok {
		return v, nil
	}
	var v *Context
	found, err := getRecord(c.p, ordinalKey(keyContext, uint32(ref)), func(rec []byte) (err error) {
		v, err = decodeContext(rec)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &Error{Kind: KindContext, Name: fmtRef(ref), Err: ErrNotFound}
	}
	c.contexts.values.set(ref, v, v.bytes())
	return v, nil
}

// noteUses writes, before the samples themselves, which metrics have samples of which contexts, where that is not known to be written. A
// use that the samples do not follow (a failed append) does no harm: it says where to look.
func (db *DB) noteUses(rows []row, notes []note) error {
	var wb *writeBatch
	var written []contextUse
	last := contextUse{}
	for i := range rows {
		r := &rows[i]
		if r.note == 0 {
			continue
		}
		u := contextUse{notes[r.note-1].context, r.ref}
		if u.context == 0 || u == last {
			continue
		}
		last = u
		if _, ok := db.cat.contexts.used.get(u); ok {
			continue
		}
		if wb == nil {
			wb = db.p.NewBatch()
		}
		if err := wb.Set(contextUseKey(nil, u.context, u.metric), nil, nil); err != nil {
			return err
		}
		written = append(written, u)
	}
	if wb == nil {
		return nil
	}
	if err := db.commitLazily(wb); err != nil {
		return err
	}
	for _, u := range written {
		db.cat.contexts.used.set(u, struct{}{}, 0)
	}
	return nil
}

// checkContexts refuses contexts that were never given out.
func (db *DB) checkContexts(notes []note) error {
	last := ContextRef(db.cat.contexts.last.Load())
	for i := range notes {
		if c := notes[i].context; c > last {
			return &Error{Kind: KindContext, Name: fmtRef(c), Err: ErrNotFound}
		}
	}
	return nil
}
