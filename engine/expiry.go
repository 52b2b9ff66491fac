package engine

import (
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// expireEvery is how often partitions are looked through for what retention no longer shows.
const expireEvery = 10 * time.Minute

// expirePartitions deletes what the catalogue need not keep, and blocks that no policy shows any more: whole partitions at once where all metrics agree, else
// runs of neighbouring metrics. Retention goes by each metric's own newest sample (Gnocchi v1, retention), so a metric
// that has stopped keeps its points.
func (db *DB) expirePartitions() error {
	if now := time.Now(); now.Before(db.expireAt) {
		return nil
	} else {
		db.expireAt = now.Add(expireEvery)
	}
	err := errors.Join(db.expireNow(), db.expireCatalogue(), db.expireEvents())
	db.oldest.stale.Store(true)
	return err
}

// Expire deletes what no policy shows any more, and old events, at once, which else is done every ten minutes. It waits for one that is
// under way.
func (db *DB) Expire() error {
	if err := db.begin(); err != nil {
		return err
	}
	defer db.end()
	err := errors.Join(db.expireNow(), db.expireEvents())
	db.oldest.stale.Store(true)
	return err
}

func (db *DB) expireNow() error {
	db.expiryRuns.Lock()
	defer db.expiryRuns.Unlock()
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyRaw}, UpperBound: []byte{keyEnd}})
	if err != nil {
		return err
	}
	defer it.Close()
	return db.eachPartition(it, func(kind byte, width int64, p uint32) error {
		x, err := db.beginExpiry(blockKey{kind: kind, width: width, partition: p})
		if err != nil {
			return err
		}
		return x.end(x.walk())
	})
}

// expiry deletes the blocks of one partition that are out. It deletes by runs of neighbouring metrics, and a metric that had no
// block in the partition when that was walked may get one before the deletion: whoever seals says what it writes.
type expiry struct {
	db   *DB
	at   blockKey // the partition
	blks *pebble.Iterator
	runs []refRun

	mu      sync.Mutex
	written []Ref // by sealing since the beginning
}

// refRun is a run of metrics, both ends within it.
type refRun struct{ first, last Ref }

// beginExpiry begins to expire a partition; end must be called. There is one expiry at a time.
func (db *DB) beginExpiry(at blockKey) (x *expiry, err error) {
	x = &expiry{db: db, at: at}
	db.visible.Lock()
	defer db.visible.Unlock()
	x.blks, err = db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyRaw}, UpperBound: []byte{keyEnd}})
	if err != nil {
		return nil, err
	}
	db.expiring = x
	return x, nil
}

// noteBlocks tells the expiry that is under way which metrics of its partition a seal's batch, about to be committed,
// brings blocks for. The caller holds visible for reading.
func (x *expiry) noteBlocks(wb *writeBatch) error {
	if x == nil {
		return nil
	}
	r := wb.Reader()
	for {
		kind, key, _, ok, err := r.Next()
		if !ok || err != nil {
			return err
		}
		k, good := parseBlockKey(key)
		if good && kind == pebble.InternalKeyKindSet && k.kind == x.at.kind && k.width == x.at.width && k.partition == x.at.partition {
			x.mu.Lock()
			x.written = append(x.written, k.ref)
			x.mu.Unlock()
		}
	}
}

// walk finds the runs of metrics whose retention has passed the partition's end.
func (x *expiry) walk() error {
	end := int64(math.MaxInt64)
	if sp := span(x.at.width); int64(x.at.partition)+1 <= math.MaxInt64/sp {
		end = (int64(x.at.partition) + 1) * sp
	}
	it, at, open := x.blks, x.at, false
	for it.SeekGE(at.append(nil)) {
		k, ok := parseBlockKey(it.Key())
		if !ok || k.kind != at.kind || k.width != at.width || k.partition != at.partition {
			break
		}
		gone, err := x.db.hasExpired(k, end)
		var c *CorruptError
		if errors.As(err, &c) { // of this metric: keep what there is of it
			x.db.note(err)
		} else if err != nil {
			return err
		}
		if gone {
			if err := x.db.dropNames(x.blks, k); err != nil {
				return err
			}
		}
		switch {
		case gone && open:
			x.runs[len(x.runs)-1].last = k.ref
		case gone:
			x.runs = append(x.runs, refRun{k.ref, k.ref})
		}
		open = gone
		if k.ref == math.MaxUint32 {
			break
		}
		at.ref = k.ref + 1
	}
	return it.Error()
}

// end deletes the runs unless the walk failed. A run that got blocks meanwhile is left to the next time.
func (x *expiry) end(failed error) error {
	x.blks.Close() // its error was seen by the walk
	db := x.db
	db.visible.Lock()
	defer db.visible.Unlock()
	db.expiring = nil
	if failed != nil {
		return failed
	}
	wb := db.p.NewBatch()
	for _, r := range x.runs {
		if slices.ContainsFunc(x.written, func(ref Ref) bool { return r.first <= ref && ref <= r.last }) {
			continue
		}
		from, to := x.at, x.at
		from.ref, to.ref, to.end = r.first, r.last, math.MaxInt64 // no block ends there
		if err := wb.DeleteRange(from.append(nil), to.append(nil), nil); err != nil {
			return err
		}
	}
	if wb.Empty() {
		return wb.Close()
	}
	if err := db.commitLazily(wb); err != nil {
		return err
	}
	db.last.expired()
	return nil
}

// hasExpired tells whether all of a metric's blocks of a partition that ends at end are out of its retention.
func (db *DB) hasExpired(k blockKey, end int64) (bool, error) {
	s, err := db.peek(k.ref)
	if errors.Is(err, ErrNotFound) {
		return false, nil // deleted: purge's business
	}
	if err != nil {
		return false, err
	}
	if s.late {
		return false, nil // their groups are still to be computed
	}
	keep := s.plan.rawKeep
	if k.kind == keyAgg {
		wi := s.plan.width(k.width)
		if wi < 0 {
			return false, nil
		}
		keep = s.plan.keep[wi]
	}
	if keep <= 0 || s.maxT == noTime || end > s.maxT-keep {
		return false, nil
	}
	if k.kind != keyAgg {
		return true, nil
	}
	newest, err := db.newestOfAll(&s, k.width)
	return err == nil && newest != noTime && end <= newest-keep, err
}

// newestOfAll returns the oldest of the newest points of a series' methods: some may have none for long.
func (db *DB) newestOfAll(s *viewSeries, width int64) (int64, error) {
	newest := groupFloor(s.maxT, width)
	for _, m := range s.plan.methods {
		if !m.MayLack() {
			continue
		}
		if err := db.begin(); err != nil {
			return noTime, err
		}
		v, err := db.view([]Ref{s.ref}, false)
		if err != nil {
			return noTime, err
		}
		vs, err := v.find(s.ref)
		if err == nil && vs.plan != s.plan { // another policy by now
			newest = noTime
		} else if err == nil {
			r := measureReader{v: v, s: vs, wi: vs.plan.width(width), width: width}
			var t int64
			t, err = r.newestPoint(m)
			newest = min(newest, t)
		}
		v.Close()
		if err != nil {
			return noTime, err
		}
	}
	return newest, nil
}

// peek returns a copy of a series' state without bringing it into memory.
func (db *DB) peek(ref Ref) (viewSeries, error) {
	db.head.lockOne(ref)
	defer db.head.unlockOne(ref)
	meta, err := db.cat.metricState(ref)
	if err != nil {
		return viewSeries{}, err
	}
	out := viewSeries{ref: ref, id: meta.id, plan: meta.plan()}
	s := db.head.look(ref)
	if s == nil {
		if s, err = db.readSeries(db.p, ref); err != nil {
			return out, err
		}
	}
	out.copyOf(s)
	return out, nil
}
