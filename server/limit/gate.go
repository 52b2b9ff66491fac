package limit

import "sync/atomic"

// Gate lets a number of requests in at once.
type Gate struct {
	most int64
	now  atomic.Int64
}

// NewGate gives a gate for so many requests.
func NewGate(most int) *Gate { return &Gate{most: int64(most)} }

// Enter lets one more request in; false: there are enough. Leave has to follow if it did.
func (g *Gate) Enter() bool {
	if g.now.Add(1) > g.most {
		g.now.Add(-1)
		return false
	}
	return true
}

// Leave makes room for another request.
func (g *Gate) Leave() { g.now.Add(-1) }

// Inside tells how many requests are in.
func (g *Gate) Inside() int64 { return g.now.Load() }
