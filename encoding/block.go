package encoding

import (
	"encoding/binary"
	"hash/crc32"
)

// Block is a parsed block whose checksum held. It refers to the bytes that it was parsed from, which must not change while it
// is in use. Any number of goroutines may read it.
type Block struct {
	src   []byte // without the checksum
	rows  int
	times timeColumn
	cols  int
	at    int // offset of the first column's header
}

// ParseBlock reads a block that AppendBlock wrote: all of src, neither more nor less. Errors wrap ErrCorrupt or ErrVersion.
// Nothing is decoded but the headers, and nothing is allocated.
func ParseBlock(src []byte) (Block, error) {
	var b Block
	if len(src) < 1+checksumLen {
		return b, corruptf("block of %d bytes", len(src))
	}
	body := src[:len(src)-checksumLen]
	want := binary.LittleEndian.Uint32(src[len(body):])
	if got := crc32.Checksum(body, castagnoli); got != want {
		return b, corruptf("checksum %08x, stored %08x", got, want)
	}
	err := b.parse(body)
	return b, err
}

// parse reads the headers.
func (b *Block) parse(src []byte) (err error) {
	if src[0] != blockVersion {
		return versionf("block version %d", src[0])
	}
	b.src = src
	rows, o := uvarint(src, 1)
	if o == 0 || rows >= MaxRows {
		return corruptf("block of %d rows", rows)
	}
	b.rows = int(rows) + 1
	if b.times, o, err = parseTimes(src, o, b.rows); err != nil {
		return err
	}
	cols, o := uvarint(src, o)
	if o == 0 || cols > uint64(len(src)) {
		return corruptf("number of columns is cut off")
	}
	b.cols, b.at = int(cols), o
	for i := range b.cols {
		var c column
		if c, o, err = b.parseColumn(o, i); err != nil {
			return err
		}
		if c.alias >= i {
			return corruptf("column %d: presence of column %d", i, c.alias)
		}
	}
	if b.cols == 0 && o != len(src) {
		return corruptf("%d bytes behind the block", len(src)-o)
	}
	return nil
}

// column is a parsed column header.
type column struct {
	id       uint16
	codec    byte
	alias    int // column that has the same presence, -1 for none
	presence presence
	payload  []byte
}

// parseColumn reads column i's header at offset o and returns the offset behind its payload.
func (b *Block) parseColumn(o, i int) (c column, end int, err error) {
	src := b.src
	id, o := uvarint(src, o)
	if o == 0 || id > 0xffff || o >= len(src) {
		return c, 0, corruptf("column %d: header is cut off", i)
	}
	f := src[o]
	o++
	c = column{id: uint16(id), codec: f & 15, alias: -1}
	switch f >> 4 {
	case presentAll:
	case presentOwn:
		if c.presence, o, err = parsePresence(src, o, b.rows); err != nil {
			return c, 0, err
		}
	case presentAlias:
		a, e := uvarint(src, o)
		if e == 0 || a >= uint64(b.cols) {
			return c, 0, corruptf("column %d: presence is cut off", i)
		}
		c.alias, o = int(a), e
	default:
		return c, 0, versionf("column %d of form %#x", i, f)
	}
	size := uint64(len(src) - o)
	if i+1 < b.cols {
		if size, o = uvarint(src, o); o == 0 || size > uint64(len(src)-o) {
			return c, 0, corruptf("column %d is cut off", i)
		}
	}
	end = o + int(size)
	c.payload = src[o:end]
	return c, end, nil
}

// column finds column i; its presence is looked up in the column that it refers to.
func (b *Block) column(i int) (c column, err error) {
	if i < 0 || i >= b.cols {
		return c, corruptf("column %d of %d", i, b.cols)
	}
	o := b.at
	for k := 0; k <= i; k++ {
		if c, o, err = b.parseColumn(o, k); err != nil {
			return c, err
		}
	}
	if c.alias < 0 {
		return c, nil
	}
	o = b.at
	var like column
	for k := 0; k <= c.alias; k++ {
		if like, o, err = b.parseColumn(o, k); err != nil {
			return c, err
		}
	}
	if like.alias >= 0 {
		return c, corruptf("column %d: presence of presence", i)
	}
	c.presence = like.presence
	return c, nil
}

// Len returns the number of rows, at least 1 in a parsed block.
func (b *Block) Len() int { return b.rows }

// First returns the first row's time in nanoseconds, from the header.
func (b *Block) First() int64 { return b.times.first }

// Last returns the last row's time in nanoseconds, from the header.
func (b *Block) Last() int64 { return b.times.last() }

// Columns returns the number of value columns.
func (b *Block) Columns() int { return b.cols }

// ID returns the caller's number of the column at position col, 0 when there is none.
func (b *Block) ID(col int) uint16 {
	c, err := b.column(col)
	if err != nil {
		return 0
	}
	return c.id
}

// Find returns the position of the first column with the id.
func (b *Block) Find(id uint16) (col int, ok bool) {
	o := b.at
	for i := range b.cols {
		c, end, err := b.parseColumn(o, i)
		if err != nil {
			return 0, false
		}
		if c.id == id {
			return i, true
		}
		o = end
	}
	return 0, false
}

// Range returns the rows [i,j) with from <= time < to, in nanoseconds. It decodes at most a mini block of times for either end.
func (b *Block) Range(from, to int64) (i, j int, err error) {
	return b.times.rows(from, to)
}

// AppendTimes appends the times of rows [i,j) in nanoseconds.
func (b *Block) AppendTimes(dst []int64, i, j int) ([]int64, error) {
	if err := b.checkRows(i, j); err != nil || i == j {
		return dst, err
	}
	return b.times.append(dst, i, j)
}

// AppendValues appends the values of those of the rows [i,j) that are present in the column at position col.
func (b *Block) AppendValues(dst []float64, col, i, j int) ([]float64, error) {
	if err := b.checkRows(i, j); err != nil {
		return dst, err
	}
	c, err := b.column(col)
	if err != nil {
		return dst, err
	}
	at := len(dst)
	from, n := c.presence.count(0, i), c.presence.count(0, b.rows)
	count := c.presence.count(i, j)
	dst = extend(dst, count)
	if err := b.read(dst[at:], &c, n, from); err != nil {
		return dst[:at], err
	}
	return dst, nil
}

// AppendPresent appends a bitmap of the rows [i,j) of the column at position col: bit k%64 of word k/64 is set if row i+k is
// present. With all of them present it appends nothing and returns true.
func (b *Block) AppendPresent(dst []uint64, col, i, j int) ([]uint64, bool, error) {
	if err := b.checkRows(i, j); err != nil {
		return dst, false, err
	}
	c, err := b.column(col)
	if err != nil {
		return dst, false, err
	}
	if c.presence.count(i, j) == j-i {
		return dst, true, nil
	}
	return c.presence.append(dst, i, j), false, nil
}

func (b *Block) checkRows(i, j int) error {
	if i < 0 || i > j || j > b.rows {
		return corruptf("rows %d to %d of %d", i, j, b.rows)
	}
	return nil
}

// read fills dst with the values [i, i+len(dst)) of the n that the column has.
func (b *Block) read(dst []float64, c *column, n, i int) error {
	switch c.codec {
	case valuesAlias:
		a, _, err := b.reference(c, c.payload, n)
		if err != nil {
			return err
		}
		return readValues(dst, a.codec, a.payload, n, i)
	case valuesQuotient:
		return b.readQuotient(dst, c, n, i)
	}
	return readValues(dst, c.codec, c.payload, n, i)
}

// reference finds the column whose number src begins with.
func (b *Block) reference(c *column, src []byte, n int) (a column, rest []byte, err error) {
	k, o := uvarint(src, 0)
	if o == 0 || k >= uint64(b.cols) {
		return a, nil, corruptf("column %d: reference is cut off", c.id)
	}
	if a, err = b.column(int(k)); err != nil {
		return a, nil, err
	}
	if m := a.presence.count(0, b.rows); m != n {
		return a, nil, corruptf("column %d: reference to %d values, has %d", c.id, m, n)
	}
	return a, src[o:], nil
}

// readQuotient divides one column by another, a piece at a time so that no memory is needed.
func (b *Block) readQuotient(dst []float64, c *column, n, i int) error {
	x, rest, err := b.reference(c, c.payload, n)
	if err != nil {
		return err
	}
	y, _, err := b.reference(c, rest, n)
	if err != nil {
		return err
	}
	if err := readValues(dst, x.codec, x.payload, n, i); err != nil {
		return err
	}
	var buf [1024]float64
	for done := 0; done < len(dst); {
		m := min(len(buf), len(dst)-done)
		if err := readValues(buf[:m], y.codec, y.payload, n, i+done); err != nil {
			return err
		}
		out := dst[done : done+m]
		for k := range out {
			out[k] /= buf[k]
		}
		done += m
	}
	return nil
}
