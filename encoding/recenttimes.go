package encoding

import "slices"

// Metrics of one resource are mostly read at the same moments, and sealed one after the other: their blocks have the same time column,
// which took a third of the time of encoding.

const (
	recentColumns = 4  // time columns remembered: a series may fill some blocks before the next one begins
	recentRows    = 64 // of a column that is worth remembering, at least
	recentMost    = 4096
)

// recentTimes is a time column as it was encoded.
type recentTimes struct {
	ts     []int64
	effort Effort
	bytes  []byte
}

// findTimes returns the encoded form of a time column that the encoder has met lately, nil if it has not.
func (e *Encoder) findTimes(ts []int64, effort Effort) []byte {
	n := len(ts)
	for i := range e.recent {
		r := &e.recent[i]
		if n > 0 && len(r.ts) == n && r.ts[0] == ts[0] && r.ts[n-1] == ts[n-1] && r.effort == effort && slices.Equal(r.ts, ts) {
			return r.bytes
		}
	}
	return nil
}

// keepTimes remembers a time column in place of the one that was remembered first.
func (e *Encoder) keepTimes(ts []int64, effort Effort, bytes []byte) {
	if len(ts) < recentRows || len(ts) > recentMost {
		return
	}
	r := &e.recent[e.nextRecent]
	e.nextRecent = (e.nextRecent + 1) % recentColumns
	r.ts, r.effort, r.bytes = append(r.ts[:0], ts...), effort, append(r.bytes[:0], bytes...)
}
