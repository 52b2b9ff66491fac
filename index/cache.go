package index

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
)

// cachedPosting is a posting in memory. It never changes: a commit that touches it puts a new one in its place, so
// readers may use the one they got for as long as they like.
type cachedPosting struct {
	seq     uint64          // of the last commit it contains that touched it, or of the state it was loaded from
	base    *roaring.Bitmap // read only
	pend    []*delta        // what later commits changed, in order; later postings go on in the same memory
	waiting int             // ordinals in pend
	count   int             // ordinals of the posting
	size    int64

	once   sync.Once
	merged atomic.Pointer[roaring.Bitmap] // base with pend applied; made when first asked for
}

// delta is what a change did to a posting; each ordinal was new, or there, before.
type delta struct {
	adds, removes []uint32
	one           [1]uint32 // most changes add one
}

// deltaBytes is the memory of a delta without its ordinals.
const deltaBytes = 72

// maxPending bounds the ordinals that wait to be merged into a posting nobody reads.
const maxPending = 8192

// set returns the posting's ordinals: read only.
func (p *cachedPosting) set() *roaring.Bitmap {
	if len(p.pend) == 0 {
		return p.base
	}
	p.once.Do(func() {
		m := p.base.Clone()
		for _, d := range p.pend {
			applyDelta(m, d.adds, d.removes)
		}
		p.merged.Store(m)
	})
	return p.merged.Load()
}

func newCachedPosting(seq uint64, set *roaring.Bitmap) *cachedPosting {
	return &cachedPosting{seq: seq, base: set, count: int(set.GetCardinality()), size: int64(set.GetSizeInBytes())}
}

// after returns the posting as the commit seq leaves it; nil: not worth keeping. It is called once.
func (p *cachedPosting) after(seq uint64, d *delta) *cachedPosting {
	n := &cachedPosting{seq: seq, base: p.base, pend: p.pend, waiting: p.waiting, count: p.count}
	if m := p.merged.Load(); m != nil {
		n.base, n.pend, n.waiting = m, nil, 0
	}
	n.pend = append(n.pend, d)
	n.waiting += len(d.adds) + len(d.removes)
	n.count += len(d.adds) - len(d.removes)
	if n.waiting > maxPending {
		return nil
	}
	n.size = int64(n.base.GetSizeInBytes()) + int64(4*n.waiting+deltaBytes*cap(n.pend))
	return n
}

// cache holds postings by key, the most recently used up to a number of bytes.
type cache struct {
	mu struct {
		sync.Mutex
		seq   uint64 // of the last commit published
		bytes int64
		byKey map[string]*cacheNode
		root  cacheNode // ring, most recently used first

		tidied     map[string]uint64 // see there
		recent     []*Change         // the last ones published, in order
		recentKeys int               // that they touched
	}
	maxBytes int64
}

type cacheNode struct {
	key        string
	p          *cachedPosting
	prev, next *cacheNode
}

const (
	// maxTidied bounds the postings of which is known that they were tidied, maxTidiedKey the length of their keys.
	maxTidied, maxTidiedKey = 1024, 256
	// maxRecentKeys bounds what the last changes touched.
	maxRecentKeys = 4096
)

// nodeBytes is the memory of an entry without its key and set.
const nodeBytes = 250

func newCache(maxBytes int64, seq uint64) *cache {
	c := &cache{maxBytes: maxBytes}
	c.mu.seq = seq
	c.mu.byKey = make(map[string]*cacheNode)
	c.mu.tidied = make(map[string]uint64)
	c.mu.root.prev, c.mu.root.next = &c.mu.root, &c.mu.root
	return c
}

// get returns the posting if what is in memory is its state at the commit seq.
func (c *cache) get(key []byte, seq uint64) *cachedPosting {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.mu.byKey[string(key)]
	// Past the last commit published an entry may be older than the snapshot.
	if n == nil || n.p.seq > seq || seq > c.mu.seq {
		return nil
	}
	n.unlink()
	c.mu.root.insert(n)
	return n.p
}

// count is how many ordinals the posting has after the last commit published; false: not known.
func (c *cache) count(key []byte) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.mu.byKey[string(key)]; n != nil {
		return n.p.count, true
	}
	return 0, false
}

// tidied returns the commit since which the posting has changes in the store, as the state of the commit seq shows it; 0: not known.
func (c *cache) tidied(key []byte, seq uint64) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if since := c.mu.tidied[string(key)]; since <= seq {
		return since
	}
	return 0 // that state has the changes that a later commit deleted
}

// put keeps a posting that was loaded from the state that p.seq made, and brings it up to date if what happened since is known.
func (c *cache) put(key []byte, p *cachedPosting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.size > c.maxBytes/4 || c.mu.byKey[string(key)] != nil || p.seq > c.mu.seq {
		return
	}
	if missed := c.mu.seq - p.seq; missed > uint64(len(c.mu.recent)) {
		return
	} else {
		for _, ch := range c.mu.recent[uint64(len(c.mu.recent))-missed:] {
			if d := ch.touched[string(key)]; d != nil {
				p = p.after(ch.seq, d)
			}
			if p == nil {
				return
			}
		}
	}
	c.insertLocked(string(key), p)
	c.evictLocked()
}

func (c *cache) insertLocked(key string, p *cachedPosting) {
	n := &cacheNode{key: key, p: p}
	c.mu.byKey[key] = n
	c.mu.root.insert(n)
	c.mu.bytes += n.bytes()
}

// publish makes the committed change the current state.
func (c *cache) publish(ch *Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.seq = ch.seq
	for key, d := range ch.touched {
		n := c.mu.byKey[key]
		if n == nil {
			if set := ch.loaded[key]; set != nil && int64(set.GetSizeInBytes()) <= c.maxBytes/4 {
				c.insertLocked(key, newCachedPosting(ch.seq, set))
			}
			continue
		}
		c.mu.bytes -= n.bytes()
		if p := n.p.after(ch.seq, d); p != nil {
			n.p = p
			c.mu.bytes += n.bytes()
		} else {
			delete(c.mu.byKey, key)
			n.unlink()
		}
	}
	c.noteTidiedLocked(ch)
	c.noteRecentLocked(ch)
	if len(ch.dropped) > 0 {
		c.dropLocked(ch.dropped)
	}
	c.evictLocked()
}

// dropLocked looks at every key: dropping is rare.
func (c *cache) dropLocked(dropped []string) {
	c.mu.recent, c.mu.recentKeys = nil, 0 // these do not tell what is gone
	for key, n := range c.mu.byKey {
		if slices.ContainsFunc(dropped, func(begin string) bool { return strings.HasPrefix(key, begin) }) {
			c.mu.bytes -= n.bytes()
			delete(c.mu.byKey, key)
			n.unlink()
		}
	}
}

func (c *cache) noteTidiedLocked(ch *Change) {
	for _, key := range ch.tidied {
		if len(key) > maxTidiedKey {
			continue
		}
		if _, ok := c.mu.tidied[key]; !ok && len(c.mu.tidied) >= maxTidied {
			for other := range c.mu.tidied { // any
				delete(c.mu.tidied, other)
				break
			}
		}
		c.mu.tidied[key] = ch.seq
	}
}

func (c *cache) noteRecentLocked(ch *Change) {
	ch.loaded, ch.tidied = nil, nil
	c.mu.recent = append(c.mu.recent, ch)
	c.mu.recentKeys += len(ch.touched)
	drop := 0
	for ; c.mu.recentKeys > maxRecentKeys; drop++ {
		c.mu.recentKeys -= len(c.mu.recent[drop].touched)
	}
	c.mu.recent = slices.Delete(c.mu.recent, 0, drop)
}

func (c *cache) evictLocked() {
	for c.mu.bytes > c.maxBytes {
		n := c.mu.root.prev
		n.unlink()
		delete(c.mu.byKey, n.key)
		c.mu.bytes -= n.bytes()
	}
}

func (n *cacheNode) bytes() int64 { return nodeBytes + int64(len(n.key)) + n.p.size }

func (n *cacheNode) unlink() { n.prev.next, n.next.prev = n.next, n.prev }

func (n *cacheNode) insert(m *cacheNode) {
	m.prev, m.next = n, n.next
	n.next.prev = m
	n.next = m
}
