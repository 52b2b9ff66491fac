package auth

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// tokenKey stands for a token, which itself is not kept.
type tokenKey [sha256.Size]byte

// cache remembers what was found out about tokens, the most recently used of them.
type cache struct {
	most int

	mu      sync.Mutex
	entries map[tokenKey]*list.Element // of *entry
	order   list.List                  // the least recently used last
}

// entry is what is known of a token: whose it is, or that it is no good.
type entry struct {
	key     tokenKey
	caller  *Caller // nil: no good
	expires time.Time
}

func newCache(most int) *cache { return &cache{most: most, entries: map[tokenKey]*list.Element{}} }

// get gives what is known of a token at the time now.
func (c *cache) get(key tokenKey, now time.Time) (caller *Caller, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.entries[key]
	if !ok {
		return nil, false
	}
	e := el.Value.(*entry)
	if !now.Before(e.expires) {
		c.drop(el)
		return nil, false
	}
	c.order.MoveToFront(el)
	return e.caller, true
}

// put remembers a token until the time expires.
func (c *cache) put(key tokenKey, caller *Caller, expires time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.entries[key]; ok {
		c.drop(el)
	}
	c.entries[key] = c.order.PushFront(&entry{key, caller, expires})
	if len(c.entries) > c.most {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(el *list.Element) {
	delete(c.entries, el.Value.(*entry).key)
	c.order.Remove(el)
}
