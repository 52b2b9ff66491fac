package engine

import "github.com/cockroachdb/pebble/v2"

// dropSeries notes in the batch that the samples of a deleted metric are to be removed.
func (db *DB) dropSeries(b *pebble.Batch, ref Ref) error {
	return b.Set(purgeKey(nil, ref), nil, nil)
}
