package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// preload brings the series of the rows into memory, in the order of their keys and on all processors: one by one as they
// come in the log, a million series took twenty seconds.
func (db *DB) preload(rows []row) {
	var refs []Ref
	for i := range rows {
		if (i == 0 || rows[i].ref != rows[i-1].ref) && db.head.get(rows[i].ref) == nil {
			refs = append(refs, rows[i].ref)
		}
	}
	slices.Sort(refs)
	refs = slices.Compact(refs)
	workers := runtime.GOMAXPROCS(0)
	var done sync.WaitGroup
	for w := range workers {
		part := refs[len(refs)*w/workers : len(refs)*(w+1)/workers]
		done.Go(func() { db.preloadPart(part) })
	}
	done.Wait()
}

// preloadPart brings series that are not in memory there, by walking metric records and series records side by side: two gets a series take
// three times as long. refs ascend; the caller holds their stripes and DB.visible for reading, or recovers. What it does not bring is
// to be loaded alone.
func (db *DB) preloadPart(refs []Ref) {
	if len(refs) == 0 {
		return
	}
	var metrics, records forwardIter
	if metrics.open(db.p, keyMetric) != nil {
		return
	}
	defer metrics.it.Close() // errors were seen by find
	if records.open(db.p, keySeries) != nil {
		return
	}
	defer records.it.Close()
	policies := db.cat.policies.Load()
	for _, ref := range refs {
		if db.head.bytes.Load() > db.headBudget()*15/16 {
			return // what there is no room for is read when its turn comes
		}
		rec, err := metrics.find(ref)
		if rec == nil || err != nil {
			continue
		}
		meta, err := decodeMetricState(rec, policies)
		if err != nil {
			continue
		}
		s := newSeries(ref, meta)
		if rec, err = records.find(ref); rec != nil && err == nil {
			err = s.restore(rec)
		}
		if err == nil {
			s.touched = true
			db.head.put(s)
		}
	}
}

// decodeMetricState takes from a metric record what a series needs of it.
func decodeMetricState(rec []byte, set *policySet) (*metricState, error) {
	r, err := checked(rec, recordVersion)
	if err != nil {
		return nil, err
	}
	m := new(metricState)
	copy(m.id[:], r.take(uint64(len(m.id))))
	ord := r.uv()
	if m.policy = set.byOrd[uint32(ord)]; r.bad || ord > 1<<32-1 || m.policy == nil {
		return nil, fmt.Errorf("%w: metric record", ErrCorrupt)
	}
	return m, nil
}

// forwardIter finds the records of ascending ordinals under a first byte of keys.
type forwardIter struct {
	it  *pebble.Iterator
	key [5]byte
	ok  bool // it stands on a record
	end bool // there is none from the last one looked for on
}

func (f *forwardIter) open(p *pebble.DB, prefix byte) (err error) {
	f.key[0] = prefix
	f.it, err = p.NewIter(&pebble.IterOptions{LowerBound: []byte{prefix}, UpperBound: []byte{prefix + 1}})
	return err
}

// find returns the record of an ordinal greater than the last one looked for, nil if there is none; it is valid until the next call.
// Mostly it is the next record.
func (f *forwardIter) find(ref Ref) ([]byte, error) {
	if f.end {
		return nil, f.it.Error()
	}
	binary.BigEndian.PutUint32(f.key[1:], uint32(ref))
	if f.ok && bytes.Compare(f.it.Key(), f.key[:]) < 0 {
		f.ok = f.it.Next()
	}
	if !f.ok || bytes.Compare(f.it.Key(), f.key[:]) < 0 {
		f.ok = f.it.SeekGE(f.key[:])
	}
	if f.end = !f.ok; f.end {
		return nil, f.it.Error()
	}
	if !bytes.Equal(f.it.Key(), f.key[:]) {
		return nil, nil
	}
	return f.it.ValueAndErr()
}
