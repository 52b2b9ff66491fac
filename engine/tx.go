package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/index"
)

// Tx is a change of the catalogue: archive policies, rules, resources, metrics. It sees its own changes and
// is used by one goroutine inside the function given to Update.
type Tx struct {
	ctx     context.Context
	db      *DB
	cat     *catalogue
	batch   *pebble.Batch // policies and rules are put at once, the rest by flush
	counts  objectCounts
	changed *policySet // nil: not changed

	newTypes typeSet // nil: not changed
	view     *index.View
	ended    map[Ref]endedChange

	// What the transaction touched, by id. The ends of a chain of changes suffice to write records and index.
	resources map[UUID]*resourceChange
	metrics   map[UUID]*metricChange
	revisions map[uint32]*revisionChange
	windows   []*policyEntry // whose back window changes
	contexts  []newContext
}

// resourceChange holds a resource before and after a transaction; nil: there is none. now is the transaction's own.
type resourceChange struct {
	old, now *resource
	kept     []uint32 // numbers of revisions that the transaction made of it
	gone     uint32   // set by flush: the ordinal that ceases to be
}

// metricChange is the same of a metric.
type metricChange struct {
	old, now *metric
	gone     Ref
}

// Update runs fn and commits what it did in one durable step, or nothing if fn returns an error, which
// Update passes on. What fn saw is durable when Update returns, too. Updates run one after the other, but wait for the disk
// together; readers go on, and may see a change a moment before it is durable.
func (db *DB) Update(ctx context.Context, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := db.begin(); err != nil {
		return err
	}
	defer db.end()
	batch, way, err := db.update(ctx, fn)
	if batch != nil {
		way.err = db.wait(batch) // without the lock: updates that wait at one time share a sync
		close(way.done)
		return way.err
	}
	<-way.done
	if err == nil {
		err = way.err
	}
	return err
}

// wayToDisk is a transaction's that was applied. One that changes nothing, or fails, may do so because of an earlier one that is still on
// its way ("there is such a resource already"), and would tell what a crash can undo. So it waits for that one. One that
// changes something need not: its own sync is a later one of the same log.
type wayToDisk struct {
	done chan struct{}
	err  error // once done is closed
}

// update runs the transaction and returns its batch, applied but not yet durable, whose way is the caller's to end. Without a batch it changed
// nothing, and the way is that of the last one that did.
func (db *DB) update(ctx context.Context, fn func(tx *Tx) error) (*pebble.Batch, *wayToDisk, error) {
	c := db.cat
	c.mu.Lock()
	defer c.mu.Unlock()
	batch, err := db.transact(ctx, fn)
	if batch != nil {
		c.last = &wayToDisk{done: make(chan struct{})}
	}
	return batch, c.last, err
}

// transact runs the transaction under the catalogue's lock.
func (db *DB) transact(ctx context.Context, fn func(tx *Tx) error) (*pebble.Batch, error) {
	c := db.cat
	tx := &Tx{ctx: ctx, db: db, cat: c, batch: c.p.NewBatch(), counts: *c.counts.Load(),
		resources: make(map[UUID]*resourceChange), metrics: make(map[UUID]*metricChange),
		revisions: make(map[uint32]*revisionChange)}
	committed := false
	defer func() { // also when fn panics
		if !committed {
			tx.batch.Close()
		}
	}()
	if err := fn(tx); err != nil {
		return nil, err
	}
	if tx.batch.Empty() && len(tx.resources)+len(tx.metrics)+len(tx.revisions) == 0 {
		return nil, nil
	}
	ch := c.ix.NewChange()
	if err := tx.flush(ch); err != nil {
		return nil, err
	}
	err := db.overSeries(tx, func() error {
		c.version.Add(1) // not before: overSeries reads metrics, which may wait for the version to be even
		defer func() {
			if !committed {
				c.version.Add(^uint64(0)) // nothing was published: back to what it was
			}
		}()
		if err := db.commit(tx.batch); err != nil {
			return err
		}
		committed = true
		tx.publish(ch)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, m := range tx.metrics {
		if m.gone != 0 {
			db.forget(m.gone)
			db.purgeable.Store(true)
		}
	}
	return tx.batch, nil
}

// flush puts records and index entries of what was touched into the batch.
func (tx *Tx) flush(ch *index.Change) error {
	var buf []byte
	tx.noteEnded(ch)
	for id, c := range tx.resources {
		if err := tx.flushResource(ch, id, c, &buf); err != nil {
			return err
		}
	}
	for number, c := range tx.revisions {
		if err := tx.flushRevision(ch, number, c, &buf); err != nil {
			return err
		}
	}
	for id, c := range tx.metrics {
		if err := tx.flushMetric(ch, id, c, &buf); err != nil {
			return err
		}
	}
	if err := tx.flushContexts(ch); err != nil {
		return err
	}
	if err := ch.Write(tx.batch, tx.cat.p); err != nil {
		return indexError(err)
	}
	return tx.batch.Set([]byte{keyMeta, metaCounters}, appendCounts(buf[:0], &tx.counts), nil)
}

func (tx *Tx) flushResource(ch *index.Change, id UUID, c *resourceChange, buf *[]byte) error {
	if c.old != nil && (c.now == nil || c.now.ord != c.old.ord) {
		indexState(ch, spaceResources, c.old.ord, c.old, nil)
		tx.counts.resources--
		if err := tx.batch.Delete(ordinalKey(keyResource, c.old.ord), nil); err != nil {
			return err
		}
		if err := tx.batch.Delete(uuidKey(keyResourceID, id), nil); err != nil {
			return err
		}
		c.gone, c.old = c.old.ord, nil
	}
	if c.now == nil {
		return nil
	}
	if c.old == nil {
		tx.counts.resources++
		ord := binary.BigEndian.AppendUint32(nil, c.now.ord)
		if err := tx.batch.Set(uuidKey(keyResourceID, id), ord, nil); err != nil {
			return err
		}
	}
	indexState(ch, spaceResources, c.now.ord, c.old, c.now)
	*buf = appendResource((*buf)[:0], c.now)
	return tx.batch.Set(ordinalKey(keyResource, c.now.ord), *buf, nil)
}

// indexState describes the change from old to now, two states of one ordinal of the space; nil: none.
func indexState(ch *index.Change, space byte, ord uint32, old, now *resource) {
	none := new(resource)
	was, is := none, none
	value := func(r *resource, field string) index.Value {
		if r == none {
			return index.Value{}
		}
		return r.value(field)
	}
	if old != nil {
		was = old
	} else {
		ch.Insert(space, ord)
	}
	if now != nil {
		is = now
	} else {
		ch.Delete(space, ord)
	}
	for _, f := range resourceFields {
		ch.Set(space, ord, f, value(was, f), value(is, f))
	}
	for name, v := range was.Attributes {
		ch.Set(space, ord, name, v, is.Attributes[name])
	}
	for name, v := range is.Attributes {
		if _, ok := was.Attributes[name]; !ok {
			ch.Set(space, ord, name, index.Value{}, v)
		}
	}
}

func (tx *Tx) flushMetric(ch *index.Change, id UUID, c *metricChange, buf *[]byte) error {
	if c.old != nil && (c.now == nil || c.now.Ref != c.old.Ref) {
		indexMetric(ch, c.old, nil)
		tx.counts.metrics--
		if err := tx.batch.Delete(ordinalKey(keyMetric, uint32(c.old.Ref)), nil); err != nil {
			return err
		}
		if err := tx.batch.Delete(uuidKey(keyMetricID, id), nil); err != nil {
			return err
		}
		if err := tx.db.dropSeries(tx.batch, c.old.Ref); err != nil {
			return err
		}
		c.gone, c.old = c.old.Ref, nil
	}
	if c.now == nil {
		return nil
	}
	if c.old == nil {
		tx.counts.metrics++
		ord := binary.BigEndian.AppendUint32(nil, uint32(c.now.Ref))
		if err := tx.batch.Set(uuidKey(keyMetricID, id), ord, nil); err != nil {
			return err
		}
	}
	indexMetric(ch, c.old, c.now)
	*buf = appendMetric((*buf)[:0], c.now)
	return tx.batch.Set(ordinalKey(keyMetric, uint32(c.now.Ref)), *buf, nil)
}

// indexMetric describes the change from old to now, two states of one ordinal; nil: none.
func indexMetric(ch *index.Change, old, now *metric) {
	var ord uint32
	switch {
	case old == nil:
		ord = uint32(now.Ref)
		ch.Insert(spaceMetrics, ord)
	case now == nil:
		ord = uint32(old.Ref)
		ch.Delete(spaceMetrics, ord)
	default:
		ord = uint32(old.Ref)
	}
	for _, f := range metricFields[1:] { // without the id, which the index does not keep
		var was, is index.Value
		if old != nil {
			was = old.value(f)
		}
		if now != nil {
			is = now.value(f)
		}
		ch.Set(spaceMetrics, ord, f, was, is)
	}
}

// publish brings caches and policies to the committed state.
func (tx *Tx) publish(ch *index.Change) {
	c := tx.cat
	seq := ch.Seq()
	if tx.changed != nil {
		for _, p := range tx.changed.order {
			p.now.Store(p)
		}
		c.policies.Store(tx.changed)
	}
	if tx.newTypes != nil {
		c.types.Store(&tx.newTypes)
	}
	n := tx.counts
	c.counts.Store(&n)
	tx.publishEnded()
	tx.publishContexts()
	for id, r := range tx.resources {
		if r.gone != 0 {
			c.byOrdinal.drop(r.gone)
		}
		if r.now == nil {
			c.resources.drop(id)
			continue
		}
		r.now.since = seq
		c.resources.set(id, r.now, r.now.bytes())
		c.byOrdinal.set(r.now.ord, r.now, 0)
	}
	for id, m := range tx.metrics {
		if m.gone != 0 {
			c.metrics.drop(m.gone)
			c.states.drop(m.gone)
		}
		if m.now == nil {
			c.metricRefs.drop(id)
			continue
		}
		m.now.since = seq
		c.metrics.set(m.now.Ref, m.now, m.now.bytes())
		c.metricRefs.set(id, m.now.Ref, 0)
	}
	ch.Publish()
	c.version.Store(2 * seq)
}

// posting returns the ordinals whose field has the value, without what the transaction did: read only.
func (tx *Tx) posting(space byte, field string, v index.Value) (*roaring.Bitmap, error) {
	view, err := tx.before()
	if err != nil {
		return nil, err
	}
	set, err := view.Posting(space, field, v)
	return set, indexError(err)
}

// eval returns what the filter selected before the transaction: read only.
func (tx *Tx) eval(space byte, f *index.Filter) (*roaring.Bitmap, error) {
	view, err := tx.before()
	if err != nil {
		return nil, err
	}
	set, err := view.Eval(context.Background(), space, f)
	return set, indexError(err)
}

// before is the index as it was before the transaction.
func (tx *Tx) before() (*index.View, error) {
	if tx.view == nil {
		view, err := tx.cat.ix.View(tx.cat.p, nil) // nobody else commits meanwhile
		if err != nil {
			return nil, indexError(err)
		}
		tx.view = view
	}
	return tx.view, nil
}

func (tx *Tx) policies() *policySet {
	if tx.changed != nil {
		return tx.changed
	}
	return tx.cat.policies.Load()
}

// changePolicies returns the transaction's own copy.
func (tx *Tx) changePolicies() *policySet {
	if tx.changed == nil {
		tx.changed = tx.cat.policies.Load().clone()
	}
	return tx.changed
}

// nextOrdinal takes the ordinal after *last, which are never given twice.
func nextOrdinal[N string | UUID](last *uint32, kind Kind, name N) (uint32, error) {
	if *last == math.MaxUint32 {
		return 0, &Error{Kind: kind, Name: fmt.Sprint(name), Err: ErrInvalid, Detail: "all 2^32 ordinals are used up"}
	}
	*last++
	return *last, nil
}
