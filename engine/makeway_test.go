package engine

import (
	"testing"
	"time"
)

// TestMakeWay makes way only for the log, while nobody else is there, and not when it took long.
func TestMakeWay(t *testing.T) {
	db, made := &DB{}, 0
	yield := func() { made++ }
	db.ops.running.Store(2)
	db.makeWay(yield)
	if made != 0 {
		t.Error("another operation waits for locks of one that makes way")
	}
	db.ops.running.Store(3)
	db.ops.ahead.Store(2) // for the one
	db.makeWay(func() { made++; time.Sleep(2 * slowWay) })
	for range crowdedBatches {
		db.makeWay(yield)
	}
	if made != 1 {
		t.Errorf("way was made %d times, want once: processors are busy", made)
	}
	db.makeWay(yield)
	if made != 2 {
		t.Errorf("way was made %d times, want twice", made)
	}
}
