package familiar

import "sync"

// Memo remembers values by texts, those that were asked for last. The zero value is empty. Its methods may be called concurrently; values are
// shared by all who get them.
type Memo[V any] struct {
	mu         sync.Mutex // guards what follows
	young, old map[string]entry[V]
	bytes      int // of young
}

type entry[V any] struct {
	value V
	bytes int
}

// memoBytes bounds, about, each of the two generations of a memo; entryBytes is what an entry takes beside what is said of it.
const (
	memoBytes  = 8 << 20
	entryBytes = 100
)

// Get gives the value of a text.
func (m *Memo[V]) Get(text []byte) (v V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.young[string(text)]
	if !ok {
		if e, ok = m.old[string(text)]; ok {
			m.put(string(text), e)
		}
	}
	return e.value, ok
}

// Put remembers the value of a text, which takes so many bytes.
func (m *Memo[V]) Put(text []byte, v V, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(string(text), entry[V]{v, entryBytes + len(text) + bytes})
}

// put takes over a text, unless it is too large. When the young are too many, the old are forgotten, and the young are old. The caller holds
// the lock.
func (m *Memo[V]) put(text string, e entry[V]) {
	if e.bytes > memoBytes {
		return
	}
	if m.young == nil || m.bytes+e.bytes > memoBytes {
		m.young, m.old, m.bytes = map[string]entry[V]{}, m.young, 0
	}
	m.young[text] = e
	m.bytes += e.bytes
}
