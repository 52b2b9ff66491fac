package ceilometer

import "sync"

// keptBytes is what a kept holds at most.
const keptBytes = 2 << 20

// kept keeps what was made of things that never change. When it is full it begins anew. Its zero value is empty. It may be used concurrently; what
// is in it is shared, and not to be changed.
type kept[K comparable, V any] struct {
	mu    sync.Mutex
	of    map[K]V
	bytes int
}

func (c *kept[K, V]) get(key K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok = c.of[key]
	return v, ok
}

// keep keeps what takes so many bytes, unless that is too much.
func (c *kept[K, V]) keep(key K, v V, bytes int) {
	const slot = 64 // of the map, and a slice
	bytes += slot
	if bytes > keptBytes/16 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil || c.bytes+bytes > keptBytes {
		c.of, c.bytes = map[K]V{}, 0
	}
	if _, ok := c.of[key]; !ok {
		c.of[key], c.bytes = v, c.bytes+bytes
	}
}
