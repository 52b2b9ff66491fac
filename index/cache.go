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
	seq  uint64          // of the last commit it contains that touched it, or of the state it was loaded from
	base *roaring.Bitmap // read only
	pend []delta         // what later commits changed, in order
	size int64

	once   sync.Once
	merged atomic.Pointer[roaring.Bitmap] // base with pend applied; made when first asked for
}

type delta struct{ adds, removes []uint32 }

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

// after returns the posting as the commit seq leaves it; nil: not worth keeping.
func (p *cachedPosting) after(seq uint64, d delta) *cachedPosting {
	n := &cachedPosting{seq: seq, base: p.base, pend: p.pend, size: p.size}
	if m := p.merged.Load(); m != nil {
		n.base, n.pend = m, nil
	}
	n.pend = append(n.pend[:len(n.pend):len(n.pend)], d)
	waiting := 0
	for _, d := range n.pend {
		waiting += len(d.adds) + len(d.removes)
	}
	if waiting > maxPending {
		return nil
	}
	n.size = int64(n.base.GetSizeInBytes()) + int64(4*waiting)
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
	}
	maxBytes int64
}

type cacheNode struct {
	key        string
	p          *cachedPosting
	prev, next *cacheNode
}

// nodeBytes is the memory of an entry without its key and set.
const nodeBytes = 250

func newCache(maxBytes int64, seq uint64) *cache {
	c := &cache{maxBytes: maxBytes}
	c.mu.seq = seq
	c.mu.byKey = make(map[string]*cacheNode)
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

// put keeps a posting that was loaded from the state seq, unless a commit was published since.
func (c *cache) put(key []byte, p *cachedPosting) {
	p.size = int64(p.base.GetSizeInBytes())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.seq != p.seq || p.size > c.maxBytes/4 || c.mu.byKey[string(key)] != nil {
		return
	}
	n := &cacheNode{key: string(key), p: p}
	c.mu.byKey[n.key] = n
	c.mu.root.insert(n)
	c.mu.bytes += n.bytes()
	c.evictLocked()
}

// publish makes the commit seq the current one: it changed postings, and dropped those whose keys begin so.
func (c *cache) publish(seq uint64, changes map[string]*delta, dropped []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.seq = seq
	for key, d := range changes {
		n := c.mu.byKey[key]
		if n == nil {
			continue
		}
		c.mu.bytes -= n.bytes()
		if p := n.p.after(seq, *d); p != nil {
			n.p = p
			c.mu.bytes += n.bytes()
		} else {
			delete(c.mu.byKey, key)
			n.unlink()
		}
	}
	if len(dropped) > 0 {
		c.dropLocked(dropped)
	}
	c.evictLocked()
}

// dropLocked looks at every key: dropping is rare.
func (c *cache) dropLocked(dropped []string) {
	for key, n := range c.mu.byKey {
		if slices.ContainsFunc(dropped, func(begin string) bool { return strings.HasPrefix(key, begin) }) {
			c.mu.bytes -= n.bytes()
			delete(c.mu.byKey, key)
			n.unlink()
		}
	}
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
