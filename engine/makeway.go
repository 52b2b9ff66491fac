package engine

import "time"

const (
	// manyRows is the size of a batch whose Append makes way for the goroutine that writes the log, as soon as that has something to write: an idle
	// processor takes 50 to 100 us to wake up and take it over, and what the batch does to the head is to be done while the disk syncs.
	manyRows = 64
	// slowWay is how long making way takes when the processors have other things to do.
	slowWay = time.Millisecond
	// crowdedBatches is how many batches make no way after one for which it took long.
	crowdedBatches = 1024
)

// makeWay has others run, by yield. As the caller holds the locks of its series and DB.visible, it does so only where nobody else is in the database
// who would wait for these, and seldom where the processors are busy: each time took 10 ms there.
func (db *DB) makeWay(yield func()) {
	if !db.ops.alone() {
		return
	}
	if db.crowded.Load() > 0 {
		db.crowded.Add(-1)
		return
	}
	begun := time.Now()
	yield()
	if time.Since(begun) >= slowWay {
		db.crowded.Store(crowdedBatches)
	}
}
