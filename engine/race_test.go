//go:build race

package engine

import "time"

// patience is how long a randomised test may go on. Pebble checks itself under the race detector and is many times slower,
// and tests of one goroutine have nothing to find there.
const patience = time.Second
