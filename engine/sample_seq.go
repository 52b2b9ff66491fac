package engine

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// NoSeq in Batch.Seqs stands for a sample that was dropped: it is older than the retention of its metric.
const NoSeq = ^uint32(0)

// sampleAt is a metric and an instant.
type sampleAt struct {
	ref Ref
	t   int64
}

// number finds the place that each row will have among the samples of its instant. The caller holds the locks of the rows' series, so
// nothing comes in between.
func (db *DB) number(a *appender, rows []row, seqs []uint32) ([]uint32, error) {
	if a.counts == nil {
		a.counts = map[sampleAt]uint32{}
	}
	defer clear(a.counts)
	for i := range rows {
		r, s := &rows[i], a.series[i]
		if !s.all {
			seqs = append(seqs, 0)
			continue
		}
		at := sampleAt{r.ref, r.t}
		n, ok := a.counts[at]
		if !ok {
			var err error
			if n, err = db.countAt(s, r.t); err != nil {
				return seqs, err
			}
		}
		seqs = append(seqs, n)
		if n != NoSeq {
			n++
		}
		a.counts[at] = n
	}
	return seqs, nil
}

// countAt counts the samples that a series which keeps all has of an instant; NoSeq if it takes none there any more.
func (db *DB) countAt(s *series, t int64) (n uint32, err error) {
	if t > s.maxT || s.maxT == noTime {
		return 0, nil
	}
	pl := s.meta.plan()
	if t < pl.takenFrom(s.maxT) {
		return NoSeq, nil
	}
	for r := s.tail.reader(); r.next() && r.st.t <= t; {
		if r.st.t == t {
			n++
		}
	}
	if s.sealed == noTime || t >= s.sealed {
		return n, nil
	}
	for i := range s.late {
		if s.late[i].t == t {
			n++
		}
	}
	it, err := db.p.NewIter(&pebble.IterOptions{LowerBound: []byte{keyRaw}, UpperBound: []byte{keyRaw + 1}})
	if err != nil {
		return 0, fmt.Errorf("tsdb: reading blocks: %w", err)
	}
	defer it.Close()
	err = blockRange(it, keyRaw, pl.widths[0], s.ref, t, t+1, func(k blockKey, v []byte) (bool, error) {
		b, err := parseColumns(k, v)
		if err != nil {
			return false, err
		}
		i, j, err := b.Range(t, t+1)
		n += uint32(j - i)
		return false, corruptBlock(k, &b, err) // an instant's samples lie in one block
	})
	return n, locate(err, s.meta.id)
}
