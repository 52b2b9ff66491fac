package engine

import (
	"sync"
	"sync/atomic"
)

// clockCache keeps values by key up to a number of bytes. What was not asked for since the hand last passed goes first.
// Values are shared: read only. It may be used concurrently.
type clockCache[K comparable, V any] struct {
	hash   func(K) uint32
	shards [cacheShards]cacheShard[K, V]
}

const (
	cacheShards = 16
	// slotBytes is the memory of an entry beside its value: a slot, and its place in the map.
	slotBytes = 64
)

type cacheShard[K comparable, V any] struct {
	mu       sync.RWMutex
	at       map[K]int
	slots    []cacheSlot[K, V]
	free     []int
	hand     int
	bytes    int64
	maxBytes int64
}

type cacheSlot[K comparable, V any] struct {
	key   K
	val   V
	bytes int64  // 0: free
	used  uint32 // atomic; 1: asked for since the hand passed
}

func newClockCache[K comparable, V any](maxBytes int64, hash func(K) uint32) *clockCache[K, V] {
	c := &clockCache[K, V]{hash: hash}
	for i := range c.shards {
		c.shards[i].at = make(map[K]int)
		c.shards[i].maxBytes = maxBytes / cacheShards
	}
	return c
}

func (c *clockCache[K, V]) shard(key K) *cacheShard[K, V] { return &c.shards[c.hash(key)%cacheShards] }

func (c *clockCache[K, V]) get(key K) (val V, ok bool) {
	s := c.shard(key)
	s.mu.RLock()
	i, ok := s.at[key]
	if ok {
		slot := &s.slots[i]
		val = slot.val
		if atomic.LoadUint32(&slot.used) == 0 { // a store would take the line from other readers
			atomic.StoreUint32(&slot.used, 1)
		}
	}
	s.mu.RUnlock()
	return val, ok
}

// put keeps a value that was read when the catalogue was at the given version, unless it has moved on.
func (c *clockCache[K, V]) put(key K, val V, bytes int64, now *atomic.Uint64, version uint64) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Load() == version {
		s.setLocked(key, val, bytes+slotBytes)
	}
}

// set keeps a value that is current.
func (c *clockCache[K, V]) set(key K, val V, bytes int64) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setLocked(key, val, bytes+slotBytes)
}

func (c *clockCache[K, V]) drop(key K) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.at[key]; ok {
		s.dropLocked(i)
	}
}

func (c *clockCache[K, V]) clear() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		clear(s.at)
		s.slots, s.free, s.hand, s.bytes = nil, nil, 0, 0
		s.mu.Unlock()
	}
}

func (c *clockCache[K, V]) bytes() (n int64) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		n += s.bytes
		s.mu.RUnlock()
	}
	return n
}

func (s *cacheShard[K, V]) setLocked(key K, val V, bytes int64) {
	if i, ok := s.at[key]; ok {
		s.dropLocked(i)
	}
	if bytes > s.maxBytes {
		return
	}
	for s.bytes+bytes > s.maxBytes {
		s.evictLocked()
	}
	var i int
	if n := len(s.free); n > 0 {
		i, s.free = s.free[n-1], s.free[:n-1]
	} else {
		i = len(s.slots)
		s.slots = append(s.slots, cacheSlot[K, V]{})
	}
	slot := &s.slots[i]
	slot.key, slot.val, slot.bytes, slot.used = key, val, bytes, 0
	s.at[key] = i
	s.bytes += bytes
}

func (s *cacheShard[K, V]) evictLocked() {
	for {
		if s.hand >= len(s.slots) {
			s.hand = 0
		}
		i := s.hand
		s.hand++ // also past what is dropped: what takes its slot is the youngest
		if slot := &s.slots[i]; slot.bytes > 0 && atomic.SwapUint32(&slot.used, 0) == 0 {
			s.dropLocked(i)
			return
		}
	}
}

func (s *cacheShard[K, V]) dropLocked(i int) {
	slot := &s.slots[i]
	delete(s.at, slot.key)
	s.bytes -= slot.bytes
	*slot = cacheSlot[K, V]{}
	s.free = append(s.free, i)
}

func hashOrdinal(ord uint32) uint32 { return ord * 0x9e3779b1 >> 16 }

func hashRef(ref Ref) uint32 { return hashOrdinal(uint32(ref)) }

// hashUUID takes bytes that are random in both random and name-based ids.
func hashUUID(id UUID) uint32 { return uint32(id[15])<<8 | uint32(id[14]) }
