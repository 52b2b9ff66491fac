package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// preloadPart brings series that are not in memory there. refs ascend; the caller holds their locks and DB.visible for reading, or
// recovers. What it does not bring is to be loaded alone, as is everything once the head takes most bytes.
func (db *DB) preloadPart(refs []Ref, most int64) {
	db.readBeside(refs, func(s *series) bool {
		if db.head.bytes.Load() > most {
			return false // what there is no room for is read when its turn comes
		}
		s.touched = true
		db.head.put(s)
		return true
	})
}

// readBeside reads series that are not in memory by walking metric records and series records side by side, two gets a series take three
// times as long, and hands them to fn while it says that there is room for more. refs ascend; the caller holds their locks, or recovers.
// If it came to their end, next is the metric after them, if there is one.
func (db *DB) readBeside(refs []Ref, fn func(s *series) (more bool)) (next Ref, ok bool) {
	if len(refs) == 0 {
		return 0, false
	}
	var metrics, records forwardIter
	if metrics.open(db.p, keyMetric) != nil {
		return 0, false
	}
	defer metrics.it.Close() // errors were seen by find
	if records.open(db.p, keySeries) != nil {
		return 0, false
	}
	defer records.it.Close()
	policies := db.cat.policies.Load()
	for _, ref := range refs {
		rec, err := metrics.find(ref)
		if rec == nil || err != nil || db.head.holds(ref) {
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
		if err != nil {
			continue
		}
		if !fn(s) {
			return 0, false
		}
	}
	return metrics.next()
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

// next returns the ordinal of the record after the one last looked for.
func (f *forwardIter) next() (Ref, bool) {
	if f.ok && bytes.Equal(f.it.Key(), f.key[:]) {
		f.ok = f.it.Next()
	}
	if !f.ok || len(f.it.Key()) != len(f.key) {
		return 0, false
	}
	return Ref(binary.BigEndian.Uint32(f.it.Key()[1:])), true
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
