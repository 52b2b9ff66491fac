//go:build !race

package engine

import "time"

// patience is how long a randomised test may go on.
const patience = 6 * time.Second
