package engine

import (
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// background is the work that no answer depends on: sealing long tails, keeping memory and log within bounds, expiry,
// giving back the space of deleted metrics. Two goroutines, and one that ends when memory is warm, started by Open, stopped and waited for by Close.
type background struct {
	want chan Ref      // series whose tails are long enough to seal
	kick chan struct{} // of one place: memory or log is over its bound
	done chan struct{}
	idle sync.WaitGroup

	relieving sync.Mutex
}

// tickEvery is how often housekeeping looks around.
const tickEvery = time.Second

func (b *background) start(db *DB) {
	b.want = make(chan Ref, 4096)
	b.kick = make(chan struct{}, 1)
	b.done = make(chan struct{})
	b.idle.Add(3)
	go db.runSealer()
	go db.runHousekeeping()
	w := newWarmer(db)
	w.begin()
	go w.rest()
}

func (b *background) stop() {
	close(b.done)
	b.idle.Wait()
}

// headBudget is what the head may take: three eighths of the memory budget, for Go's collector lets garbage grow to as much
// again.
func (db *DB) headBudget() int64 { return db.opts.MemoryBytes * 3 / 8 }

// logBudget bounds the log, and with it what recovery has to replay.
func (db *DB) logBudget() int64 { return 4 * db.opts.MemoryBytes }

// logFileBudget bounds a file of the log, which goes as a whole.
func (db *DB) logFileBudget() int64 { return db.logBudget() / 8 }

// logNeedBudget bounds the records that are needed: those of a file's length may be in the same file as the oldest of them.
func (db *DB) logNeedBudget() int64 { return db.logBudget() - db.logFileBudget() }

// pressure has long tails sealed and, when memory runs over, makes the writer help.
func (db *DB) pressure(touched []touchedSeries) {
	for i := range touched {
		if t := &touched[i]; t.want {
			select {
			case db.bg.want <- t.s.ref:
			default: // the sealer is behind: lend a hand
				db.note(db.seal(t.s.ref, sealCut))
			}
		}
	}
	over := db.head.bytes.Load() - db.headBudget()
	if over > 0 || db.log.size() > db.logNeedBudget() || db.log.activeSize() > db.logFileBudget() {
		select {
		case db.bg.kick <- struct{}{}:
		default:
		}
		if over > db.headBudget()/2 || db.log.size() > db.logBudget() || db.log.activeSize() > 2*db.logFileBudget() {
			db.bg.relieving.Lock() // wait for who is at it
			defer db.bg.relieving.Unlock()
			db.note(db.relieve())
		}
	}
}

// note counts an error of background work. The database goes on: what was not sealed is in the log.
func (db *DB) note(err error) {
	if err == nil || errors.Is(err, ErrReadOnly) || errors.Is(err, ErrClosed) {
		return
	}
	db.stats.backgroundErrors.Add(1)
	db.opts.Logger.Error("background work failed", "error", err)
}

func (db *DB) runSealer() {
	defer db.bg.idle.Done()
	for {
		select {
		case <-db.bg.done:
			return
		case ref := <-db.bg.want:
			db.note(db.seal(ref, sealCut))
			if len(db.bg.want) == 0 && db.log.due() { // tails that grow side by side are sealed in bursts
				db.note(db.trimLog())
			}
		}
	}
}

func (db *DB) runHousekeeping() {
	defer db.bg.idle.Done()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	db.expireAt = time.Now().Add(expireEvery)
	cold := time.Now().Add(coldEvery)
	db.purgeable.Store(true) // the last run may have left some
	for {
		select {
		case <-db.bg.done:
			return
		case <-db.bg.kick:
			db.bg.relieving.Lock()
			db.note(db.relieve())
			db.bg.relieving.Unlock()
		case <-tick.C:
			db.note(db.purge())
			db.note(db.expirePartitions())
			if now := time.Now(); now.After(cold) {
				cold = now.Add(coldEvery)
				db.note(db.recode())
			}
		}
	}
}

// relieve brings head and log a sixteenth below their bounds: little at a time, so that what is sealed is always the oldest
// tails, which are long. (Down to three quarters, a million series in half a gigabyte were sealed every eight samples.) It
// takes the series that have been dirty for longest, a few hundred at a time, in the order of their keys, so that tables do
// not overlap. One at a time: the caller holds relieving, or recovers.
func (db *DB) relieve() error {
	if err := db.rotateLog(); err != nil {
		return err
	}
	low := db.headBudget() * 15 / 16
	if db.head.bytes.Load() > db.headBudget() {
		db.shrink(low)
	}
	for db.head.bytes.Load() > low || db.log.size() > db.logNeedBudget()*15/16 && !db.log.recovering.Load() {
		db.visible.Lock()
		refs := db.head.queue.longest(&db.head, 256)
		db.visible.Unlock()
		if len(refs) == 0 {
			break
		}
		slices.Sort(refs)
		for _, ref := range refs {
			if err := db.seal(ref, sealRoom); err != nil {
				// One series that cannot be sealed must not hold up memory and log: its record takes the tail as it is.
				db.note(err)
				if err = db.seal(ref, sealNothing); err != nil {
					return err
				}
			}
		}
		if err := db.trimLog(); err != nil {
			return err
		}
		if err := db.rotateLog(); err != nil {
			return err
		}
	}
	if db.head.bytes.Load() > low {
		db.evict()
	}
	return nil
}

// rotateLog has Pebble go on in a new file when the one it writes is long enough. It does so by itself only when its memory is full, which
// takes long, for samples do not go there.
func (db *DB) rotateLog() error {
	if db.log.activeSize() <= db.logFileBudget() || db.flushes.check() != nil {
		return nil
	}
	if err := db.fault.check(); err != nil {
		return err
	}
	return db.guard(func() error {
		_, err := db.p.AsyncFlush()
		return err
	})
}

// checkpoint persists every series in memory.
func (db *DB) checkpoint(mode sealMode) error {
	return db.head.each(func(ref Ref) error {
		for {
			err := db.seal(ref, mode)
			if err != nil || !db.beingSealed(ref) {
				return err
			}
			time.Sleep(time.Millisecond) // the background was at it, and may leave a part that is to be sealed here
		}
	})
}

func (db *DB) beingSealed(ref Ref) bool {
	db.head.lockOne(ref)
	defer db.head.unlockOne(ref)
	s := db.head.get(ref)
	return s != nil && s.sealing
}

// evict drops series from memory that are whole in their records and were not used since the last call.
func (db *DB) evict() { db.sweep(math.MinInt64, false) }

// shrink makes the head smaller, to low bytes if it can, without writing: it drops what evict does and, where series have so short tails that
// most of what they take is something else, packs those that have not been used for longest.
func (db *DB) shrink(low int64) {
	pack := db.head.bytes.Load() < db.head.count.Load()*packMean
	db.sweep(low, pack)
	if pack {
		db.sweep(low, pack) // those that were used since the hand came by
	}
}

// packMean is how many bytes series take on the average below which they are packed. Above it sealing, which makes room as well, moves so many
// samples at a time that it costs a sample less than packing its series.
const packMean = 512

// sweep goes once around the series from where the last sweep ended, until the head has low bytes.
func (db *DB) sweep(low int64, pack bool) {
	h := &db.head
	pages := h.pages.list.Load()
	if pages == nil {
		return
	}
	runs := len(*pages) * (seriesPageLen / sweepRun)
	for range runs {
		if h.bytes.Load() <= low {
			return
		}
		h.hand = (h.hand + 1) % runs
		ref := Ref(h.hand * sweepRun)
		if page := (*pages)[ref/seriesPageLen]; page != nil {
			db.sweepSome(page[ref%seriesPageLen:][:sweepRun], ref, pack)
		}
	}
}

// sweepRun is how many neighbouring series are looked at under their locks at a time: those of a word.
const sweepRun = 64

// sweepSome is sweep for a run of series, the first of which is ref's.
func (db *DB) sweepSome(run []*series, ref Ref, pack bool) {
	var locks lockSet
	for i := range run {
		locks.add(ref + Ref(i))
	}
	db.head.lock(&locks)
	defer db.head.unlock(&locks)
	db.visible.RLock()
	defer db.visible.RUnlock()
	for _, s := range run {
		switch {
		case s == nil || s.sealing:
		case s.touched:
			s.touched = false
		case s.firstSeq.Load() == 0:
			db.head.remove(s)
		case pack && s.packable():
			db.head.pack(s)
		}
	}
}
