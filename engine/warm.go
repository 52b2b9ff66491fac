package engine

import (
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"
)

// Warming brings resources and series into memory after Open, in the order of their ordinals, as far as a part of the caches goes: half of
// Pebble's and of that of resources, a quarter of the head. Ten thousand series, all of a small database, take some 25 ms, and the first
// question about each then reads nothing but its block; one by one these records took two thirds of its time. What is not brought is
// read when it is asked for, and says then what is wrong with it.

// warmChunk is how many series are brought at a time, while appends wait: some 50 us.
const warmChunk = 32

func (db *DB) warm() {
	defer db.bg.idle.Done()
	room := db.opts.MemoryBytes / 8 / 2
	for _, r := range [][2]byte{{keySeries, keySeries + 1}, {keyResource, keyMetric + 1}} {
		room = db.warmTables(r, room)
	}
	db.warmResources()
	db.warmSeries()
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

// warmTables brings the table blocks of a range of keys into Pebble's cache and returns what is left of the room: done first, because it
// takes a quarter of the time and spares most of the wait.
func (db *DB) warmTables(r [2]byte, room int64) int64 {
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: r[:1], UpperBound: r[1:]})
	if err != nil {
		return 0
	}
	defer it.Close()
	for ok := it.First(); ok && room > 0 && !db.bg.stopping(); ok = it.Next() {
		v := it.LazyValue()
		room -= int64(len(it.Key()) + v.Len())
	}
	return room
}

// warmResources keeps resources as they are now; it ends when a transaction changes something.
func (db *DB) warmResources() {
	c := db.cat
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

// warmSeries brings series and the states of their metrics.
func (db *DB) warmSeries() {
	for next, ok := Ref(1), true; ok && db.head.bytes.Load() < db.headBudget()/4 && !db.bg.stopping(); {
		next, ok = db.warmPart(next)
	}
}

// warmPart brings a few series from an ordinal on and returns where the next ones begin. Their records stay as they are while their stripes
// are held; views wait no longer than it takes to put them in place. They count as unused, to be the first to go.
func (db *DB) warmPart(from Ref) (next Ref, ok bool) {
	var refs [warmChunk]Ref
	var mask uint64
	for i := range refs {
		refs[i] = from + Ref(i)
		mask |= 1 << stripeOf(refs[i])
	}
	if refs[warmChunk-1] < from {
		return 0, false // after the last ordinal
	}
	db.head.lock(mask)
	defer db.head.unlock(mask)
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
