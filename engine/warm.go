package engine

import (
	"encoding/binary"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Warming brings resources and series into memory when a database is opened, in the order of their ordinals, as far as a part of the caches
// goes: half of Pebble's and of that of resources, a quarter of the head. The first question about each then reads nothing but its block; one by
// one these records took two thirds of its time. What is not brought is read when it is asked for, and says then what is wrong with it.
//
// It begins in Open, for some milliseconds, with all processors. The table blocks with the records of series and metrics are brought as they are, those of
// ten thousand in 2 ms: what is asked for before its turn is then read from memory. Making series of them takes ten times as long: that is done
// for a moment, and the rest is one goroutine's, which makes way for whoever asks or appends.

const (
	// warmFirst is how long Open is at making series, at most, and warmRecords at bringing their records.
	warmFirst   = 2 * time.Millisecond
	warmRecords = 2 * warmFirst
	// warmWorkers is how many goroutines are at it meanwhile, at most.
	warmWorkers = 4
	// warmPause is how long the rest waits after each chunk while somebody uses the database.
	warmPause = 200 * time.Microsecond
	// warmChunk is how many series are brought at a time, while appends to them wait: those of one word of locks, some 100 us.
	warmChunk = lockBits
	// warmStep is how many records are passed over at a time where only their table blocks are wanted, which have more than that, and warmSteps
	// how often between looks at the clock and at who else is there: some 50 us.
	warmStep  = 32
	warmSteps = 8
)

// warmer is the state of warming.
type warmer struct {
	db      *DB
	records [2]recordRun  // of series and of metrics
	next    atomic.Uint32 // no series from this one on has been looked for
	end     atomic.Bool   // there are no more
}

func newWarmer(db *DB) *warmer {
	room := db.opts.MemoryBytes / 8 / 4
	return &warmer{db: db, records: [2]recordRun{{kind: keySeries, room: room}, {kind: keyMetric, room: room}}}
}

// begin is Open's part.
func (w *warmer) begin() {
	begun := time.Now()
	within := func(d time.Duration) func() bool { return func() bool { return time.Since(begun) < d } }
	inTime := within(warmFirst)
	var helpers sync.WaitGroup
	for i := range w.records {
		helpers.Go(func() { w.records[i].bring(w.db, within(warmRecords)) })
	}
	for range min(runtime.GOMAXPROCS(0), warmWorkers) - 1 {
		helpers.Go(func() { w.series(inTime) })
	}
	w.resources()
	w.series(inTime)
	helpers.Wait()
}

// rest does what begin has left.
func (w *warmer) rest() {
	defer w.db.bg.idle.Done()
	makeWay := func() bool {
		if w.db.ops.running.Load() > 0 {
			time.Sleep(warmPause)
		}
		return true
	}
	for i := range w.records {
		w.records[i].bring(w.db, makeWay)
	}
	w.series(makeWay)
	room := w.db.opts.MemoryBytes / 8 / 2
	room = w.tables(seriesKey(nil, Ref(w.next.Load())), []byte{keySeries + 1}, room)
	w.tables([]byte{keyResource}, []byte{keyMetric + 1}, room)
}

// recordRun is how far the table blocks with the records of series, or of metrics, have been brought into Pebble's cache.
type recordRun struct {
	kind byte
	next uint32 // ordinal to go on from
	room int64  // in Pebble's cache
	end  bool   // there are no more
}

// bring goes on as long as more says so.
func (r *recordRun) bring(db *DB, more func() bool) {
	if r.end || r.room <= 0 {
		return
	}
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{r.kind}, UpperBound: []byte{r.kind + 1}})
	if err != nil {
		return
	}
	defer it.Close() // whoever asks for what could not be read gets the error
	read := uint64(0)
	for n := 1; r.room > 0; n++ {
		if !it.SeekGE(ordinalKey(r.kind, r.next)) || len(it.Key()) != 5 {
			r.end = true
			return
		}
		stats := it.Stats()
		r.room -= int64(stats.InternalStats.BlockBytes - read)
		read = stats.InternalStats.BlockBytes
		ord := beUint32(it.Key()[1:])
		if ord > math.MaxUint32-warmStep {
			r.end = true
			return
		}
		r.next = ord + warmStep
		if n%warmSteps == 0 && (db.bg.stopping() || !more()) {
			return
		}
	}
}

// stopping tells whether Close waits for the background.
func (b *background) stopping() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// tables brings the table blocks of a range of keys into Pebble's cache and returns what is left of the room.
func (w *warmer) tables(from, to []byte, room int64) int64 {
	it, err := w.db.p.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return 0
	}
	defer it.Close()
	for ok := it.First(); ok && room > 0 && !w.db.bg.stopping(); ok = it.Next() {
		v := it.LazyValue()
		room -= int64(len(it.Key()) + v.Len())
	}
	return room
}

// resources keeps resources as they are now; it ends when a transaction changes something.
func (w *warmer) resources() {
	db, c := w.db, w.db.cat
	version, settled := c.mark()
	if !settled {
		return
	}
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyResource}, UpperBound: []byte{keyResource + 1}})
	if err != nil {
		return
	}
	defer it.Close() // whoever asks for what could not be read gets the error
	room := db.opts.MemoryBytes / resourcesShare / 2
	for ok := it.First(); ok && room > 0 && c.version.Load() == version && !db.bg.stopping(); ok = it.Next() {
		rec, err := it.ValueAndErr()
		if key := it.Key(); err != nil || len(key) != 5 {
			return
		}
		r, err := decodeResource(binary.BigEndian.Uint32(it.Key()[1:]), rec)
		if err != nil {
			continue
		}
		r.since = version / 2
		c.resources.put(r.ID, r, r.bytes(), &c.version, version)
		c.byOrdinal.put(r.ord, r, 0, &c.version, version)
		room -= r.bytes() + slotBytes
	}
}

// series brings series and the states of their metrics, as long as more says so.
func (w *warmer) series(more func() bool) {
	for w.db.head.bytes.Load() < w.db.headBudget()/4 && !w.end.Load() && !w.db.bg.stopping() && more() {
		end := w.next.Add(warmChunk)
		next, ok := w.db.warmPart(Ref(end - warmChunk))
		if !ok || end < warmChunk {
			w.end.Store(true)
		}
		next = next / warmChunk * warmChunk
		for end < uint32(next) && !w.next.CompareAndSwap(end, uint32(next)) { // there is a gap
			end = w.next.Load()
		}
	}
}

// warmPart brings the series of a run from its first ordinal on and returns where the next ones begin. Their records stay as they are while their
// locks are held; views wait no longer than it takes to put them in place. They count as unused, to be the first to go.
func (db *DB) warmPart(from Ref) (next Ref, ok bool) {
	var refs [warmChunk]Ref
	var locks lockSet
	for i := range refs {
		refs[i] = from + Ref(i)
		locks.add(refs[i])
	}
	if refs[warmChunk-1] < from {
		return 0, false // after the last ordinal
	}
	db.head.lock(&locks)
	defer db.head.unlock(&locks)
	var brought [warmChunk]*series
	n := 0
	next, ok = db.readBeside(refs[:], func(s *series) bool {
		brought[n] = s
		n++
		return true
	})
	db.visible.RLock()
	defer db.visible.RUnlock()
	for _, s := range brought[:n] {
		db.head.put(s)
	}
	return max(next, from+warmChunk), ok
}
