package engine

import "slices"

// replayBlock is a part of a chunk, which one worker decodes.
type replayBlock struct {
	raw     []byte // the records
	records []replayRecord
	notes   []note
	marks   []replayMark
	rows    []row                 // by bucket; note is the index of a mark
	ends    [replayBuckets]uint32 // of the buckets' rows
	err     error
}

// replayMark is what rows that follow one another share: the index of the record that they are of, and the number of their note, in the block
// and then in the chunk.
type replayMark struct{ record, note uint32 }

// next returns an empty block behind the others.
func (c *replayChunk) next() *replayBlock {
	n := len(c.blocks)
	if n < cap(c.blocks) {
		c.blocks = c.blocks[:n+1]
	} else {
		c.blocks = append(c.blocks, nil)
	}
	b := c.blocks[n]
	if b == nil {
		b = new(replayBlock)
		c.blocks[n] = b
	}
	*b = replayBlock{records: b.records[:0], notes: b.notes[:0], marks: b.marks[:0]}
	return b
}

func (c *replayChunk) reset() {
	c.blocks = c.blocks[:0]
	c.used.Store(0)
	c.taken.Store(0)
}

// rows returns room for n rows.
func (c *replayChunk) rows(n int) []row {
	if end := int(c.used.Add(int64(n))); end <= len(c.room) {
		return c.room[end-n : end]
	}
	return make([]row, n) // blocks that were on their way when the chunk was full
}

// decode decodes blocks until there are no more.
func (w *replayWorker) decode() {
	r := w.r
	for b := range r.raw {
		b.err = w.block(b)
		select {
		case r.free <- b.raw[:0]:
		default:
		}
		b.raw = nil
		r.decoded.Done()
	}
}

// block decodes a block and puts its rows into buckets.
func (w *replayWorker) block(b *replayBlock) (err error) {
	r := w.r
	w.rows = w.rows[:0]
	raw := b.raw
	for i := range b.records {
		rec := &b.records[i]
		seq, fields, err := openLogRecord(raw[:rec.bytes])
		raw = raw[rec.bytes:]
		if err != nil {
			return r.log.corrupt(rec.at, err)
		}
		if rec.seq = seq; seq <= r.trimmed {
			continue
		}
		from := len(w.rows)
		if w.rows, b.notes, err = decodeLogRows(w.rows, b.notes, fields); err != nil {
			return r.log.corrupt(rec.at, err)
		}
		w.share(b, from, seq, uint32(i))
	}
	w.order(b)
	return nil
}

// share marks the rows from one on as those of a record and forgets those of series that are known to contain it: half of
// the log, when series are sealed one after the other.
func (w *replayWorker) share(b *replayBlock, from int, seq uint64, record uint32) {
	n, has := from, w.r.has
	mark := replayMark{record: ^uint32(0)}
	for _, row := range w.rows[from:] {
		if int(row.ref) < len(has) && seq <= has[row.ref] {
			continue
		}
		if m := (replayMark{record, row.note}); m != mark {
			mark = m
			b.marks = append(b.marks, m)
		}
		row.note = uint32(len(b.marks) - 1)
		w.rows[n] = row
		n++
	}
	w.rows = w.rows[:n]
}

// order puts the rows into buckets.
func (w *replayWorker) order(b *replayBlock) {
	run := w.r.run
	b.rows, b.ends = w.r.chunk.rows(len(w.rows)), [replayBuckets]uint32{}
	for i := range w.rows {
		b.ends[w.rows[i].ref>>run%replayBuckets]++
	}
	sum := uint32(0)
	for i, n := range b.ends {
		b.ends[i] = sum
		sum += n
	}
	for i := range w.rows {
		at := &b.ends[w.rows[i].ref>>run%replayBuckets]
		b.rows[*at] = w.rows[i]
		*at++
	}
}

// replayReader reads the rows of a bucket of all blocks.
type replayReader struct {
	blocks []*replayBlock
	bucket int
	rows   []row // the rest of a block's
	marks  []replayMark
}

// read fills rows and the index of the record of each, about most of them. It goes on to the end of a record: what a series has
// of that comes whole, or the rest would be taken for contained.
func (r *replayReader) read(rows []row, record []uint32, most int) ([]row, []uint32) {
	rows, record = rows[:0], record[:0]
	for len(rows) < most && r.turn() {
		n := min(len(r.rows), most-len(rows))
		for n < len(r.rows) && r.of(n) == r.of(n-1) {
			n++
		}
		at := len(rows)
		rows, record = slices.Grow(rows, n)[:at+n], slices.Grow(record, n)[:at+n]
		for i, row := range r.rows[:n] {
			m := r.marks[row.note]
			row.note = m.note
			rows[at+i], record[at+i] = row, m.record
		}
		r.rows = r.rows[n:]
	}
	return rows, record
}

// of returns the index of the record of the i-th of rows.
func (r *replayReader) of(i int) uint32 { return r.marks[r.rows[i].note].record }

// turn goes on in the next block that has rows of the bucket, if need be; false if there is none.
func (r *replayReader) turn() bool {
	for ; len(r.rows) == 0 && len(r.blocks) > 0; r.blocks = r.blocks[1:] {
		b, from := r.blocks[0], uint32(0)
		if r.bucket > 0 {
			from = b.ends[r.bucket-1]
		}
		r.rows, r.marks = b.rows[from:b.ends[r.bucket]], b.marks
	}
	return len(r.rows) > 0
}
