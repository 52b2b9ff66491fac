package engine

import (
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"sync"

	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"github.com/telemetrydb/tsdb/encoding"
)

func bitsOf(v float64) uint64  { return math.Float64bits(v) }
func floatOf(b uint64) float64 { return math.Float64frombits(b) }

// sealer is the scratch space of sealing one series.
type sealer struct {
	enc   encoding.Encoder
	group grouper
	ts    []int64
	vs    []float64
	key   []byte
	value []byte
	noted noteColumns
	old   blockBuffer
}

var sealers = sync.Pool{New: func() any { return new(sealer) }}

// sealMode says what sealing does besides persisting a series.
type sealMode uint8

const (
	sealNothing sealMode = iota // the tail goes into the record as it is
	sealLong                    // what lies before the window's edge becomes blocks if the tail is no crumb
	sealRoom                    // the same, but of shorter tails: memory or log is needed for others
	sealCut                     // what lies before the window's edge becomes blocks
	sealWhole                   // and joins the block before it more readily: it is to be at rest
)

// seal persists a series. After it the log holds nothing that the series needs, unless samples arrived meanwhile.
//
// The long part, encoding, runs without locks on a copy of the tail's header. If the tail was rewritten meanwhile (a late
// sample) it is done again.
func (db *DB) seal(ref Ref, mode sealMode) error {
	sl := sealers.Get().(*sealer)
	defer sealers.Put(sl)
	for try := 0; ; try++ {
		if err := db.placeLate(ref); err != nil {
			return err
		}
		if try == sealTries {
			return nil // late samples come without end; placing the last ones has persisted the series
		}
		s, copied := db.beginSeal(ref, mode)
		if s == nil {
			return nil
		}
		done, err := db.sealCopy(sl, s, copied, mode)
		if done || err != nil {
			return err
		}
	}
}

const sealTries = 8

// sealState is what sealing needs of a series, as it was at one moment.
type sealState struct {
	tail   tail
	sealed int64
	maxT   int64
	carry  sampleState
	seams  []seam
	ends   []blockEnd
	edits  uint32
	hint   encoding.Hint
	notes  *notes
	low    []int64 // per width: no group that begins before it is computed; nil: no bound

	blocks tailPart // what writeBlocks has put into blocks
}

func (db *DB) beginSeal(ref Ref, mode sealMode) (*series, sealState) {
	db.head.lockOne(ref)
	defer db.head.unlockOne(ref)
	s := db.head.get(ref)
	if s == nil && db.head.packed(ref) != nil {
		s = db.unpackUnused(ref)
	}
	if s == nil || s.gone || s.sealing {
		return nil, sealState{}
	}
	// A series may be clean and its tail long: samples that came while it was sealed are in its record.
	cuttable := mode == sealWhole && s.maxT != noTime && s.meta.plan().floor(s.maxT) > s.sealed
	if s.firstSeq.Load() == 0 && !cuttable {
		return nil, sealState{}
	}
	s.sealing = true
	return s, sealState{s.tail, s.sealed, s.maxT, s.carry, slices.Clone(s.seams), slices.Clone(s.ends), s.edits, s.hint, s.copyNotes(), nil, tailPart{}}
}

// sealCopy seals by a copied state; false means that the state has changed and nothing was done.
func (db *DB) sealCopy(sl *sealer, s *series, st sealState, mode sealMode) (done bool, err error) {
	wb := db.p.NewBatch()
	defer func() {
		if !done {
			wb.Close()
		}
	}()
	defer func() {
		if !done || err != nil {
			db.head.lockOne(s.ref)
			s.sealing = false
			db.head.unlockOne(s.ref)
		}
	}()
	if mode == sealLong && st.tail.n <= joinRows || mode == sealRoom && st.tail.n < leastRows {
		mode = sealNothing
	}
	pl := s.meta.plan()
	edge, carry := st.sealed, st.carry
	if mode != sealNothing && st.maxT != noTime {
		if f := pl.floor(st.maxT); f > st.sealed && f > 0 {
			edge = f
			if carry, err = db.writeBlocks(sl, wb, s, &st, pl, f, mode == sealWhole); err != nil {
				return false, err
			}
		}
	}
	db.head.lockOne(s.ref)
	defer db.head.unlockOne(s.ref)
	db.visible.RLock()
	defer db.visible.RUnlock()
	if s.gone {
		s.sealing = false
		return true, wb.Close()
	}
	if s.edits != st.edits || s.hasLate() {
		return false, nil
	}
	rest, noted := s.tail, s.notes
	if st.blocks.n > 0 {
		rest, noted = s.tail.without(st.blocks), s.notes.cut(st.blocks.n)
	}
	seams := slices.DeleteFunc(slices.Clone(s.seams), func(x seam) bool { return x.start < sealEnd(edge, pl.widths[x.width]) })
	sl.value = s.appendRecord(sl.value[:0], edge, carry, st.ends, seams, &rest, noted, s.late)
	sl.key = seriesKey(sl.key[:0], s.ref)
	if err := wb.Set(sl.key, sl.value, nil); err != nil {
		return false, err
	}
	if err := db.expiring.noteBlocks(wb); err != nil {
		return false, err
	}
	if err := db.commitLazily(wb); err != nil {
		return true, err
	}
	before := s.memBytes()
	s.groups = nil // they look at samples that may have left the tail
	s.tail, s.sealed, s.carry, s.ends, s.seams, s.hint = rest, edge, carry, st.ends, seams, st.hint
	s.notes = noted
	s.sealAt = int32(rest.n + maxBlockRows)
	s.firstSeq.Store(0)
	s.sealing = false
	db.head.bytes.Add(s.memBytes() - before)
	db.stats.seals.Add(1)
	if !s.touched && db.head.bytes.Load() > db.headBudget()/2 {
		db.head.remove(s) // it was packed, or has not been used for long
	}
	return true, nil
}

// leastRows is from how many samples on a tail is worth a block where room is needed: fewer cost less as part of the series record, although it is
// read and written with them again.
const leastRows = 8

// writeBlocks adds to wb the blocks of everything before f, notes in st which part of the tail that is, and returns the newest sample
// before what is left of the tail.
func (db *DB) writeBlocks(sl *sealer, wb *writeBatch, s *series, st *sealState, pl *plan, f int64, whole bool) (sampleState, error) {
	var ok bool
	if sl.ts, sl.vs, st.blocks, ok = st.tail.appendParted(sl.ts[:0], sl.vs[:0], pl.tailStart(f)); !ok {
		return st.carry, fmt.Errorf("tsdb: tail of metric %v does not decode: %w", s.meta.id, ErrCorrupt)
	}
	k := st.blocks.n
	carry := st.carry
	if k > 0 {
		carry = sampleState{t: sl.ts[k-1], bits: bitsOf(sl.vs[k-1])}
	}
	if st.ends == nil {
		st.ends = make([]blockEnd, 1+len(pl.widths))
	}
	w := blockWriter{db: db, sl: sl, wb: wb, s: s, ends: st.ends, whole: whole}
	defer w.close()
	var err error
	if pl.raw != 0 {
		sl.enc.SetHint(&st.hint)
		if !sl.noted.of(st.notes, k) {
			return carry, fmt.Errorf("tsdb: notes of metric %v do not decode: %w", s.meta.id, ErrCorrupt)
		}
		if err := w.raw(pl, sl.ts[:k], sl.vs[:k], &sl.noted); err != nil {
			return carry, err
		}
		sl.enc.SetHint(nil)
	}
	before := k // samples of the blocks, one an instant
	if pl.keepAll {
		sl.ts, sl.vs = lastOfEqual(sl.ts, sl.vs)
		before, _ = slices.BinarySearch(sl.ts, pl.tailStart(f))
	}
	in := samples{sl.ts, sl.vs, st.carry}
	for wi, width := range pl.widths {
		lo := sealEnd(st.sealed, width)
		if st.low != nil {
			lo = max(lo, st.low[wi])
		}
		starts, cols := sl.group.compute(pl, wi, in, lo, sealEnd(f, width), st.seams, pl.methods)
		if len(starts) == 0 {
			continue
		}
		a, _ := slices.BinarySearch(sl.ts, starts[0])
		b, _ := slices.BinarySearch(sl.ts, sealEnd(f, width))
		if pl.derived[wi] && b-a == len(starts) && b <= before {
			err = w.derived(&w.ends[1+wi], width, starts)
		} else {
			err = w.aggregates(&w.ends[1+wi], width, starts, cols)
		}
		if err != nil {
			return carry, err
		}
		if err := w.expire(keyAgg, width, pl.keep[wi], newestOfAll(starts, cols)); err != nil {
			return carry, err
		}
	}
	return carry, nil
}

// newestOfAll returns the newest time up to which every method has a point, noTime if one has none: retention goes by
// method.
func newestOfAll(starts []int64, cols []encoding.Column) int64 {
	newest := starts[len(starts)-1]
	for c := range cols {
		i := lastPresent(len(starts), &cols[c])
		if i < 0 {
			return noTime
		}
		newest = min(newest, starts[i])
	}
	return newest
}

// blockWriter writes the blocks of one seal.
type blockWriter struct {
	db *DB
	sl *sealer
	wb *writeBatch
	s  *series
	it *pebble.Iterator // over blocks; made when it is needed

	ends  []blockEnd
	cols  []encoding.Column // memory of putRaw
	whole bool              // joins blocks more readily
}

func (w *blockWriter) iterator() (*pebble.Iterator, error) {
	if w.it == nil {
		var err error
		blocks := w.db.p.NewIter
		if w.wb.Indexed() { // it has blocks of its own, and deletes others
			blocks = w.wb.NewIter
		}
		w.it, err = blocks(&pebble.IterOptions{LowerBound: []byte{keyRaw}, UpperBound: []byte{keyEnd}})
		if err != nil {
			return nil, fmt.Errorf("tsdb: reading blocks: %w", err)
		}
	}
	return w.it, nil
}

func (w *blockWriter) close() {
	if w.it != nil {
		w.it.Close() // its error was seen by the reads
	}
}

// runs splits rows [0,n) so that no run crosses a partition's end or is longer than a block may be.
func runs(n int, at func(i int) int64, span int64, fn func(i, j int, partition uint32) error) error {
	for i := 0; i < n; {
		p := at(i) / span
		j := i + 1
		if (p+1) > math.MaxInt64/span || at(n-1) < (p+1)*span {
			j = n
		} else {
			for j < n && at(j) < (p+1)*span {
				j++
			}
		}
		// Equal parts rather than a full block and a crumb.
		parts := (j - i + maxBlockRows*5/4 - 1) / (maxBlockRows * 5 / 4)
		for ; parts > 0 && i < j; parts-- {
			m := i + (j-i)/parts
			for m < j && at(m) == at(m-1) { // one instant is in one block, or two would have one name
				m++
			}
			if err := fn(i, m, uint32(p)); err != nil {
				return err
			}
			i = m
		}
	}
	return nil
}

func (w *blockWriter) raw(pl *plan, ts []int64, vs []float64, noted *noteColumns) error {
	width := pl.widths[0]
	at := func(i int) int64 { return ts[i] }
	return runs(len(ts), at, span(width), func(i, j int, partition uint32) error {
		t, v, nc := ts[i:j], vs[i:j], noted.rows(i, j)
		if i == 0 { // what this call writes itself is not joined
			small, err := w.last(&w.ends[0], keyRaw, width, partition, len(t))
			if err = w.spared(err); err != nil {
				return err
			}
			if small != nil {
				n := len(small.ts)
				t, v = append(small.ts, t...), append(small.values, v...)
				small.ts, small.values = t, v
				nc = small.noted.join(n, nc, len(t)-n)
			}
		}
		w.ends[0] = blockEnd{end: ts[j-1], rows: len(t)}
		if err := w.putRaw(blockKey{keyRaw, width, partition, w.s.ref, ts[j-1]}, t, v, nc); err != nil {
			return err
		}
		return w.expire(keyRaw, width, pl.rawKeep, ts[j-1])
	})
}

// put writes a block with columns.
func (w *blockWriter) put(key blockKey, ts []int64, cols []encoding.Column) error {
	w.sl.key = key.append(w.sl.key[:0])
	w.sl.value = w.sl.enc.AppendBlock(append(w.sl.value[:0], blockColumns), ts, cols, encoding.Fast)
	w.db.stats.blocks.Add(1)
	return w.wb.Set(w.sl.key, w.sl.value, nil)
}

// aggregates writes the groups of one width, joining them with the last block while that is small.
func (w *blockWriter) aggregates(end *blockEnd, width int64, starts []int64, cols []encoding.Column) error {
	at := func(i int) int64 { return starts[i] }
	return runs(len(starts), at, span(width), func(i, j int, partition uint32) error {
		part := make([]encoding.Column, len(cols))
		for c := range cols {
			part[c] = columnRows(cols[c], i, j)
		}
		ts := starts[i:j]
		if i == 0 {
			small, err := w.lastColumns(end, width, partition, j-i, part)
			if err = w.spared(err); err != nil {
				return err
			}
			if small != nil {
				ts, part = append(small.ts, ts...), small.cols
			}
		}
		*end = blockEnd{end: starts[j-1], rows: len(ts)}
		return w.put(blockKey{keyAgg, width, partition, w.s.ref, starts[j-1]}, ts, part)
	})
}

// Values of blocks begin with a byte that says what follows.
const (
	blockColumns = 1 // a block of package encoding
	blockDerived = 2 // no points of their own: the raw samples of the range give them, one each
)

// A derived block, after its first byte: uvarint number of points, uvarint (last - first) / width, CRC-32C of all
// before it, little-endian. Its last point's time is in the key.

func (w *blockWriter) derived(end *blockEnd, width int64, starts []int64) error {
	at := func(i int) int64 { return starts[i] }
	return runs(len(starts), at, span(width), func(i, j int, partition uint32) error {
		n, first, last := j-i, starts[i], starts[j-1]
		// Unlike other blocks a derived one grows without end: it is a marker.
		if i == 0 && end.rows < 0 && end.end/span(width) == int64(partition) {
			n, first = n-end.rows, end.first
			if err := w.drop(keyAgg, width, partition, end.end); err != nil {
				return err
			}
		}
		*end = blockEnd{end: last, rows: -n, first: first}
		w.sl.key = blockKey{keyAgg, width, partition, w.s.ref, last}.append(w.sl.key[:0])
		w.sl.value = appendDerived(w.sl.value[:0], n, (last-first)/width)
		return w.wb.Set(w.sl.key, w.sl.value, nil)
	})
}

// drop deletes the block that one in the same batch takes the place of.
func (w *blockWriter) drop(kind byte, width int64, partition uint32, end int64) error {
	w.sl.key = blockKey{kind, width, partition, w.s.ref, end}.append(w.sl.key[:0])
	return w.wb.Delete(w.sl.key, nil)
}

func appendDerived(b []byte, n int, widths int64) []byte {
	from := len(b)
	b = append(b, blockDerived)
	b = binary.AppendUvarint(b, uint64(n))
	b = binary.AppendUvarint(b, uint64(widths))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

// decodeDerived returns the number of points and the time of the first one.
func decodeDerived(v []byte, k blockKey) (n int, first int64, err error) {
	r, err := checked(v, blockDerived)
	if err != nil {
		return 0, 0, err
	}
	count, widths := r.uv(), r.uv()
	if r.bad || len(r.b) != 0 || count == 0 || widths+1 < count || k.width <= 0 || k.end < 0 || widths > uint64(k.end/k.width) {
		return 0, 0, fmt.Errorf("%w: derived block", ErrCorrupt)
	}
	return int(count), k.end - int64(widths)*k.width, nil
}
