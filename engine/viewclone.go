package engine

import (
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Clone returns another view of the same state, for another goroutine. It may be called while v is not in use otherwise; the
// two are then independent, and each must be closed. ErrClosed.
func (v *View) Clone() (*View, error) {
	if err := v.db.begin(); err != nil {
		return nil, err
	}
	it, err := v.it.Clone(pebble.CloneOptions{})
	if err != nil {
		v.db.end()
		return nil, fmt.Errorf("tsdb: reading: %w", err)
	}
	return &View{db: v.db, it: it, series: slices.Clone(v.series), index: v.index, epoch: v.epoch,
		scratch: scratches.Get().(*scratch)}, nil
}
