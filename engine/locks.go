package engine

import "sync"

// seriesLocks are the locks of series. Each has one to itself, but for those 4,096 ordinals apart: goroutines that append to different series
// never wait for each other, however their metrics are numbered. 64 locks are the bits of a word, so that a batch of many series takes a
// word at a time. The zero value is ready.
type seriesLocks [lockWords]lockWord

const (
	lockWords = 64
	lockBits  = 64
)

// lockWord is 64 locks.
type lockWord struct {
	mu       sync.Mutex // held for some nanoseconds
	held     uint64
	reserved uint64    // for one who has waited too long: nobody else gets them
	freed    sync.Cond // some are held no more
	_        [48]byte  // two cache lines each
}

// lockSet is a set of locks.
type lockSet [lockWords]uint64

func lockOf(ref Ref) (word int, bit uint64) {
	return int(ref / lockBits % lockWords), 1 << (ref % lockBits)
}

func (l *lockSet) add(ref Ref) {
	word, bit := lockOf(ref)
	l[word] |= bit
}

func (l *lockSet) addAll() {
	for i := range l {
		l[i] = ^uint64(0)
	}
}

// lock takes the locks of a set. All of a word are taken at once, and words in ascending order: whoever waits for a word holds nothing in it
// or behind it.
func (h *head) lock(l *lockSet) {
	for i, mask := range l {
		if mask != 0 {
			h.locks[i].lock(mask)
		}
	}
}

func (h *head) unlock(l *lockSet) {
	for i, mask := range l {
		if mask != 0 {
			h.locks[i].unlock(mask)
		}
	}
}

// lockOne takes the lock of one series; not beside others.
func (h *head) lockOne(ref Ref) {
	word, bit := lockOf(ref)
	h.locks[word].lock(bit)
}

func (h *head) unlockOne(ref Ref) {
	word, bit := lockOf(ref)
	h.locks[word].unlock(bit)
}

// lockPatience is how often somebody else may be faster than one who waits. Handing locks over in the order of arrival would leave them idle
// until the next one has woken up.
const lockPatience = 4

func (w *lockWord) lock(mask uint64) {
	w.mu.Lock()
	mine := uint64(0)
	for lost := 0; (w.held|w.reserved&^mine)&mask != 0; lost++ {
		if lost >= lockPatience && w.reserved&mask == 0 { // all or nothing: who has a reservation waits for holders alone
			mine = mask
			w.reserved |= mine
		}
		if w.freed.L == nil { // others read it without mu
			w.freed.L = &w.mu
		}
		w.freed.Wait()
	}
	w.held |= mask
	w.reserved &^= mine
	w.mu.Unlock()
	if mine != 0 {
		w.freed.Broadcast() // who waits for the reservation waits for the locks now, and may have a reservation made
	}
}

func (w *lockWord) unlock(mask uint64) {
	w.mu.Lock()
	w.held &^= mask
	w.mu.Unlock()
	w.freed.Broadcast()
}
