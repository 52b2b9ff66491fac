package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/index"
)

// catalogue is everything but samples: policies, rules and resource types, all in memory, and resources and metrics, in Pebble with
// bounded caches.
//
// One transaction runs at a time. Its commit makes version odd, applies the batch, puts what changed into the caches and
// policies, and makes version twice the index's sequence number. So a reader that found the same even version before
// and after a read knows which state it read, and may keep it.
type catalogue struct {
	p  *pebble.DB
	mu sync.Mutex // held by the transaction that runs; no other lock is taken before it

	last     *wayToDisk // of the last transaction that changed something; guarded by mu
	ix       *index.Index
	policies atomic.Pointer[policySet]
	types    atomic.Pointer[typeSet]
	version  atomic.Uint64
	counts   atomic.Pointer[objectCounts]
	ended    atomic.Pointer[roaring.Bitmap] // metrics of resources that have ended: read only

	contexts contextStore

	resources  *clockCache[UUID, *resource]
	byOrdinal  *clockCache[uint32, *resource]
	metrics    *clockCache[Ref, *metric]
	metricRefs *clockCache[UUID, Ref]
	states     *clockCache[Ref, *metricState]
}

// Spaces of the index.
const (
	spaceResources = 1
	spaceMetrics   = 2
	spaceRevisions = 3 // past states of resources, by their numbers
	spaceContexts  = 4
)

// objectCounts is the record of the last ordinals given and of how many objects there are.
type objectCounts struct {
	policy, resource, metric uint32
	resources, metrics       uint64
	revision                 uint32
	revisions                uint64
}

func appendCounts(dst []byte, c *objectCounts) []byte {
	at := len(dst)
	dst = beginRecord(dst)
	for _, n := range [5]uint64{uint64(c.policy), uint64(c.resource), uint64(c.metric), c.resources, c.metrics} {
		dst = binary.AppendUvarint(dst, n)
	}
	if c.revision > 0 {
		dst = binary.AppendUvarint(appendUvarint32(dst, c.revision), c.revisions)
	}
	return endRecord(dst, at)
}

func decodeCounts(rec []byte) (*objectCounts, error) {
	r := openRecord(rec)
	c := &objectCounts{policy: r.ordinal("policies"), resource: r.ordinal("resources"), metric: r.ordinal("metrics"),
		resources: r.uvarint("resources"), metrics: r.uvarint("metrics")}
	if r.src != "" {
		c.revision, c.revisions = r.ordinal("revisions"), r.uvarint("revisions")
	}
	return c, r.close()
}

// resourcesShare is the part of the memory that resources by their ids may take.
const resourcesShare = 21

// openCatalogue reads policies and rules; what else there is stays in p.
func openCatalogue(p *pebble.DB, o *Options) (*catalogue, error) {
	// A quarter of the memory: listings need postings and resources, ingest needs resources and states.
	part := o.MemoryBytes / 4 / 16
	c := &catalogue{
		p:          p,
		resources:  newClockCache[UUID, *resource](o.MemoryBytes/resourcesShare, hashUUID),
		byOrdinal:  newClockCache[uint32, *resource](4*part, hashOrdinal),
		metrics:    newClockCache[Ref, *metric](2*part, hashRef),
		metricRefs: newClockCache[UUID, Ref](part, hashUUID),
		states:     newClockCache[Ref, *metricState](part, hashRef),
	}
	c.last = &wayToDisk{done: make(chan struct{})}
	close(c.last.done)
	var err error
	c.ix, err = index.Open(p, index.Options{Prefix: keyIndex, CacheBytes: 5 * part, Fields: indexFields})
	if err != nil {
		return nil, indexError(err)
	}
	c.version.Store(2 * c.ix.Seq())
	if err := c.loadCounts(p); err != nil {
		return nil, err
	}
	if err := c.openContexts(o.MemoryBytes / 32); err != nil {
		return nil, err
	}
	if err := c.loadTypes(p); err != nil {
		return nil, err
	}
	if err := c.loadEnded(); err != nil {
		return nil, err
	}
	return c, c.loadPolicies(p)
}

func (c *catalogue) loadTypes(p *pebble.DB) error {
	set := typeSet{genericType: &ResourceType{Name: genericType}}
	err := eachRecord(p, keyResourceType, func(key, rec []byte) error {
		t, err := decodeResourceType(string(key[1:]), rec)
		set[t.Name] = t
		return err
	})
	c.types.Store(&set)
	return err
}

var indexFields = []index.Field{
	{Space: spaceResources, Name: fieldID, Unique: []byte{keyResourceID}},
	{Space: spaceResources, Name: fieldOriginalID, Required: true},
	{Space: spaceResources, Name: fieldType, Required: true},
	{Space: spaceResources, Name: fieldStarted, Required: true},
	{Space: spaceResources, Name: fieldRevisionStart, Required: true},
	{Space: spaceResources, Name: fieldRevision, Constant: &presentRevision},
	{Space: spaceRevisions, Name: fieldID, Required: true},
	{Space: spaceRevisions, Name: fieldOriginalID, Required: true},
	{Space: spaceRevisions, Name: fieldType, Required: true},
	{Space: spaceRevisions, Name: fieldStarted, Required: true},
	{Space: spaceRevisions, Name: fieldRevisionStart, Required: true},
	{Space: spaceRevisions, Name: fieldRevisionEnd, Required: true},
	{Space: spaceRevisions, Name: fieldRevision, Required: true},
	{Space: spaceMetrics, Name: fieldID, Unique: []byte{keyMetricID}},
	{Space: spaceMetrics, Name: fieldPolicy, Required: true},
}

// indexError gives errors of package index this package's kind.
func indexError(err error) error {
	if errors.Is(err, index.ErrCorrupt) || err != nil && pebble.IsCorruptionError(err) {
		return &CorruptError{Key: []byte{keyIndex}, Err: err}
	}
	return err
}

func (c *catalogue) loadCounts(p *pebble.DB) error {
	key := []byte{keyMeta, metaCounters}
	n := new(objectCounts)
	_, err := getRecord(p, key, func(rec []byte) (err error) {
		n, err = decodeCounts(rec)
		return err
	})
	c.counts.Store(n)
	return err
}

func (c *catalogue) loadPolicies(p *pebble.DB) error {
	set := &policySet{byName: make(map[string]*policyState), byOrd: make(map[uint32]*policyEntry)}
	err := eachRecord(p, keyPolicy, func(key, rec []byte) error {
		if len(key) != 5 {
			return formatError("key of a policy")
		}
		policy, err := decodePolicy(rec)
		if err == nil {
			e := &policyEntry{ord: binary.BigEndian.Uint32(key[1:]), name: policy.Name}
			e.now.Store(newPolicyState(e, policy))
			set.put(e.now.Load())
		}
		return err
	})
	if err != nil {
		return err
	}
	err = eachRecord(p, keyRule, func(key, rec []byte) error {
		rule, err := decodeRule(string(key[1:]), rec)
		if err == nil {
			set.putRule(rule)
		}
		return err
	})
	c.policies.Store(set)
	return err
}

// getRecord reads a record and reports whether there is one. decode must not keep it.
func getRecord(r pebble.Reader, key []byte, decode func(rec []byte) error) (bool, error) {
	rec, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		if pebble.IsCorruptionError(err) {
			err = corruptRecord(key, err)
		}
		return false, err
	}
	defer closer.Close()
	if err := decode(rec); err != nil {
		return true, corruptRecord(key, err)
	}
	return true, nil
}

// eachRecord calls fn with all records whose keys begin with the byte.
func eachRecord(r pebble.Reader, prefix byte, fn func(key, rec []byte) error) error {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: []byte{prefix}, UpperBound: []byte{prefix + 1}})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		rec, err := it.ValueAndErr()
		if err == nil {
			if err = fn(it.Key(), rec); err != nil {
				err = corruptRecord(it.Key(), err)
			}
		}
		if err != nil {
			it.Close()
			return err
		}
	}
	if err = it.Close(); err != nil && pebble.IsCorruptionError(err) {
		err = corruptRecord([]byte{prefix}, err)
	}
	return err
}

// ordinal reads the ordinal that a UUID stands for: 0, none.
func ordinalOf(r pebble.Reader, prefix byte, id UUID) (ord uint32, err error) {
	_, err = getRecord(r, uuidKey(prefix, id), func(rec []byte) error {
		if len(rec) != 4 {
			return formatError("an ordinal has 4 bytes")
		}
		if ord = binary.BigEndian.Uint32(rec); ord == 0 {
			return formatError("ordinals begin at 1")
		}
		return nil
	})
	return ord, err
}

// mark returns the version and whether it is settled: what is read now may be kept as of it.
func (c *catalogue) mark() (version uint64, settled bool) {
	version = c.version.Load()
	return version, version%2 == 0
}

// moved tells whether a commit ended since the version, after waiting for one that is going on.
func (c *catalogue) moved(version uint64) bool {
	for c.version.Load()%2 != 0 {
		runtime.Gosched()
	}
	return c.version.Load() != version
}

// resource returns the resource, or nil if there is none.
func (c *catalogue) resource(id UUID) (*resource, error) {
	if r, ok := c.resources.get(id); ok {
		return r, nil
	}
	for {
		version, settled := c.mark()
		ord, err := ordinalOf(c.p, keyResourceID, id)
		if err != nil || ord == 0 {
			return nil, err
		}
		r, err := readResource(c.p, ord)
		if err != nil {
			return nil, err
		}
		if r == nil || r.ID != id {
			if c.moved(version) {
				continue // it was deleted, and perhaps made again, in between
			}
			return nil, corruptRecord(uuidKey(keyResourceID, id), formatError(fmt.Sprint("no record of the resource at ordinal ", ord)))
		}
		if settled {
			r.since = version / 2
			c.resources.put(id, r, r.bytes(), &c.version, version)
		}
		return r, nil
	}
}

func readResource(p pebble.Reader, ord uint32) (r *resource, err error) {
	_, err = getRecord(p, ordinalKey(keyResource, ord), func(rec []byte) (err error) {
		r, err = decodeResource(ord, rec)
		return err
	})
	return r, err
}

// metricRef returns the ordinal of the metric, or 0 if there is none.
func (c *catalogue) metricRef(id UUID) (Ref, error) {
	if ref, ok := c.metricRefs.get(id); ok {
		return ref, nil
	}
	version, settled := c.mark()
	ord, err := ordinalOf(c.p, keyMetricID, id)
	if err == nil && ord != 0 && settled {
		c.metricRefs.put(id, Ref(ord), 0, &c.version, version)
	}
	return Ref(ord), err
}

// metricByID returns the metric, or nil if there is none.
func (c *catalogue) metricByID(id UUID) (*metric, error) {
	for {
		version, _ := c.mark()
		ref, err := c.metricRef(id)
		if err != nil || ref == 0 {
			return nil, err
		}
		m, err := c.metric(ref)
		if err != nil || m != nil && m.ID == id {
			return m, err
		}
		if !c.moved(version) { // else it was deleted in between
			return nil, corruptRecord(uuidKey(keyMetricID, id), formatError(fmt.Sprint("no record of the metric at ordinal ", ref)))
		}
	}
}

// metric returns the metric, or nil if there is none.
func (c *catalogue) metric(ref Ref) (*metric, error) {
	if m, ok := c.metrics.get(ref); ok {
		return m, nil
	}
	version, settled, m, err := c.readMetric(ref)
	if err == nil && m != nil && settled {
		m.since = version / 2
		c.metrics.put(ref, m, m.bytes(), &c.version, version)
	}
	return m, err
}

func (c *catalogue) readMetric(ref Ref) (version uint64, settled bool, m *metric, err error) {
	for {
		version, settled = c.mark()
		m, err = decodeStoredMetric(c.p, ref, c.policies.Load())
		if err == nil || !errors.Is(err, errNoPolicy) || !c.moved(version) {
			return version, settled, m, err
		}
	}
}

func decodeStoredMetric(p pebble.Reader, ref Ref, set *policySet) (m *metric, err error) {
	_, err = getRecord(p, ordinalKey(keyMetric, uint32(ref)), func(rec []byte) (err error) {
		m, err = decodeMetric(ref, rec, set)
		return err
	})
	return m, err
}

// metricState returns what appending and reading need of the metric. The state is read only and shared. ErrNotFound.
func (c *catalogue) metricState(ref Ref) (*metricState, error) {
	if s, ok := c.states.get(ref); ok {
		return s, nil
	}
	version, settled := c.mark()
	m, ok := c.metrics.get(ref)
	if !ok {
		var err error
		if version, settled, m, err = c.readMetric(ref); err != nil {
			return nil, err
		}
		if m == nil {
			return nil, notFoundRef(ref)
		}
	}
	s := &metricState{id: m.ID, policy: m.policy}
	if settled {
		c.states.put(ref, s, stateBytes, &c.version, version)
	}
	return s, nil
}

const stateBytes = 24
