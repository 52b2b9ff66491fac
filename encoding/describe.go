package encoding

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"time"
)

// Describe writes an annotated dump of a block to w, a line for each field: offsets, bytes, meaning. Of a damaged block it shows
// what can be read, says what is wrong, and returns that as an error that wraps ErrCorrupt or ErrVersion. Other errors are w's.
func Describe(w io.Writer, src []byte) error {
	d := dumper{w: w, src: src}
	body := src
	var damage error
	if len(src) > checksumLen {
		body = src[:len(src)-checksumLen]
		want := binary.LittleEndian.Uint32(src[len(body):])
		if got := crc32.Checksum(body, castagnoli); got != want {
			damage = corruptf("checksum is %08x", got)
		}
	}
	d.src = body
	err := d.block()
	if err != nil {
		d.end = len(body)
		d.line("unread: %v", err)
	}
	d.src, d.at = src, len(body)
	d.end = len(src)
	if damage != nil {
		d.line("CRC-32C: %v", damage)
	} else {
		d.line("CRC-32C")
	}
	return errors.Join(d.failed, err, damage)
}

// dumper walks a block as the decoders do, field by field.
type dumper struct {
	w      io.Writer
	src    []byte
	at     int // where the next line starts
	end    int // and ends
	failed error
}

// line prints the bytes from at to end and moves on.
func (d *dumper) line(format string, args ...any) {
	const most = 12
	hex := fmt.Sprintf("% x", d.src[d.at:min(d.end, d.at+most)])
	if d.end-d.at > most {
		hex = hex[:3*most-3] + ".."
	}
	if _, err := fmt.Fprintf(d.w, "%5d-%-5d %-36s %s\n", d.at, d.end, hex, fmt.Sprintf(format, args...)); err != nil && d.failed == nil {
		d.failed = err
	}
	d.at = d.end
}

// take makes the next n bytes the field, false when there are fewer.
func (d *dumper) take(n int) bool {
	if n < 0 || n > len(d.src)-d.at {
		return false
	}
	d.end = d.at + n
	return true
}

// number makes the next unsigned number the field.
func (d *dumper) number() (x uint64, ok bool) {
	x, o := uvarint(d.src, d.at)
	if o == 0 {
		return 0, false
	}
	d.end = o
	return x, true
}

// within keeps what is read before end until the function that it returns is called.
func (d *dumper) within(end int) func() {
	src := d.src
	d.src = src[:end]
	return func() { d.src = src }
}

var errCutOff = corruptf("cut off")

func (d *dumper) block() error {
	if !d.take(1) {
		return errCutOff
	}
	d.line("version %d", d.src[0])
	if d.src[0] != blockVersion {
		return versionf("block version %d", d.src[0])
	}
	rows, ok := d.number()
	if !ok || rows >= MaxRows {
		return corruptf("number of rows")
	}
	d.line("rows - 1: %d rows", rows+1)
	if err := d.timeColumn(int(rows) + 1); err != nil {
		return err
	}
	cols, ok := d.number()
	if !ok {
		return errCutOff
	}
	d.line("%d columns", cols)
	b := Block{src: d.src, rows: int(rows) + 1, cols: int(min(cols, MaxRows)), at: d.at}
	for i := range b.cols {
		if err := d.column(&b, i); err != nil {
			return err
		}
	}
	if d.at < len(d.src) {
		return corruptf("%d bytes behind the block", len(d.src)-d.at)
	}
	return nil
}

func stamp(t int64) string { return time.Unix(0, t).UTC().Format(time.RFC3339Nano) }

func (d *dumper) timeColumn(n int) error {
	if !d.take(1) {
		return errCutOff
	}
	f := d.src[d.at]
	name, known := map[byte]string{timesStep: "constant step", timesInts: "integers", timesGrid: "distance from a grid", timesExternal: "external"}[f&7]
	if !known {
		name = "unknown"
	}
	first := timeUnits[f>>3&3]
	start := d.at
	d.line("times: codec %d, %s; first in units of %v, others in %s", f&7, name, time.Duration(first), unitName(f>>5))
	z, ok := d.number()
	if !ok {
		return errCutOff
	}
	d.line("first: %s", stamp(int64(unzigzag(z))*first))
	c, end, err := parseTimes(d.src, start, n)
	if err != nil {
		return err
	}
	if f>>5 == timeUnitGiven {
		d.number()
		d.line("unit: %v", time.Duration(c.unit))
	}
	if c.codec == timesStep {
		if n > 1 {
			d.number()
			d.line("step: %v, last %s", time.Duration(c.step*c.unit), stamp(c.last()))
		}
		return nil
	}
	d.number()
	d.line("last: %s", stamp(c.last()))
	if c.codec == timesGrid {
		d.number()
		d.line("grid step: %v", time.Duration(c.step*c.unit))
	}
	d.number()
	d.line("%d bytes of times", len(c.stream))
	return d.stream(end, n)
}

func unitName(u byte) string {
	if int(u) < len(timeUnits) {
		return time.Duration(timeUnits[u]).String()
	}
	return "a unit given below"
}

// stream prints an integer stream of n numbers that ends at end.
func (d *dumper) stream(end, n int) error {
	defer d.within(end)()
	start := d.at
	r, err := newIntReader(d.src[start:end], n)
	if err != nil {
		return err
	}
	kind := [...]string{"values", "differences", "differences of differences"}[r.kind]
	if r.zigzag {
		kind += ", folded"
	}
	d.end = start + 1
	d.line("integers: %s, %d rows a mini block", kind, 1<<r.log)
	if r.kind == kindDelta {
		d.end = start + r.o
		d.line("reference %d", int64(r.ref))
	}
	for r.row < n {
		row := r.row
		m, err := r.header()
		if err != nil {
			return err
		}
		d.end = start + m.data
		text := fmt.Sprintf("rows %d-%d: base %d, width %d", row, row+m.rows, int64(m.base), m.width)
		if r.kind == kindDelta2 {
			text += fmt.Sprintf(", difference %d", int64(m.diff))
		}
		if m.patches > 0 {
			text += fmt.Sprintf(", %d patches of %d bits", m.patches, m.highWidth)
		}
		d.line("%s", text)
		if d.end = start + m.pos; d.end > d.at {
			d.line("  %d packed", m.count)
		}
		if d.end = start + m.end; d.end > d.at {
			d.line("  patches")
		}
	}
	if d.at < end {
		return corruptf("%d bytes behind a stream", end-d.at)
	}
	return nil
}

var codecNames = [...]string{"constant", "integers", "split", "xor", "dictionary", "compressed integers", "alias", "quotient"}

func (d *dumper) column(b *Block, i int) error {
	c, end, err := b.parseColumn(d.at, i)
	if err != nil {
		return err
	}
	d.number()
	d.line("column %d: id %d", i, c.id)
	d.take(1)
	f := d.src[d.at]
	name := "unknown"
	if int(c.codec) < len(codecNames) {
		name = codecNames[c.codec]
	}
	d.line("codec %d, %s; presence %d", c.codec, name, f>>4)
	rows := b.rows
	if c.presence.own || c.alias >= 0 {
		full, err := b.column(i)
		if err != nil {
			return err
		}
		rows = full.presence.count(0, b.rows)
		if c.alias >= 0 {
			d.number()
			d.line("presence of column %d: %d rows", c.alias, rows)
		} else {
			_, o, err := parsePresence(d.src, d.at, b.rows)
			if err != nil {
				return err
			}
			d.end = o
			d.line("%d rows present", rows)
		}
	}
	if i+1 < b.cols {
		d.number()
		d.line("%d bytes of values", len(c.payload))
	}
	return d.values(c.codec, end, rows)
}

// values prints a column's payload, which ends at end.
func (d *dumper) values(codec byte, end, n int) error {
	defer d.within(end)()
	src := d.src[d.at:]
	switch codec {
	case valuesConst:
		v, err := readConst(src)
		if err != nil {
			return err
		}
		if d.end = end; end > d.at || n > 0 {
			d.line("value %v", v)
		}
		return nil
	case valuesInts:
		return d.ints(end, n)
	case valuesDict:
		return d.dict(end, n)
	case valuesLZ:
		return d.compressed(end, n)
	case valuesAlias:
		k, _ := d.number()
		d.line("equal to column %d", k)
	case valuesQuotient:
		k, _ := d.number()
		d.line("column %d", k)
		k, _ = d.number()
		d.line("divided by column %d", k)
	case valuesSplit:
		if len(src) < 2 {
			return errCutOff
		}
		d.end = d.at + 2
		d.line("%d rear bits, %d front parts", src[0], src[1])
	case valuesXor:
		for row := 0; row < n; row += xorRows {
			k, ok := d.number()
			if !ok {
				return errCutOff
			}
			d.line("rows %d-%d: %d bytes", row, min(n, row+xorRows), k)
		}
	default:
		d.end = end
		d.line("%d bytes", len(src))
		return versionf("value codec %d", codec)
	}
	if d.at > end {
		return errCutOff
	}
	if d.end = end; d.at < end {
		d.line("values")
	}
	return nil
}

// scaled prints a scale and the exceptions behind it.
func (d *dumper) scaled(end, n int) (flags byte, err error) {
	s, flags, o, err := parseScale(d.src[:end], d.at)
	if err != nil {
		return 0, err
	}
	text := fmt.Sprintf("scale: n/%d", s.den)
	switch s.kind {
	case scaleBase:
		text = fmt.Sprintf("scale: n*%v", s.base)
	case scaleBits:
		text = "scale: bits"
	}
	if flags&intsUlps != 0 {
		text += ", with ulps"
	}
	d.end = o
	d.line("%s", text)
	if flags&intsExceptions == 0 {
		return flags, nil
	}
	x, o, err := parseExceptions(d.src[:end], d.at, n)
	if err != nil {
		return 0, err
	}
	d.number()
	d.line("%d exceptions", x.count)
	row := uint64(0)
	for d.at < o {
		gap, _ := d.number()
		row += gap
		d.end += 8
		d.line("  row %d: %v", row, math.Float64frombits(binary.LittleEndian.Uint64(d.src[d.end-8:])))
	}
	return flags, nil
}

func (d *dumper) ints(end, n int) error {
	flags, err := d.scaled(end, n)
	if err != nil || flags&intsUlps == 0 {
		if err == nil {
			err = d.stream(end, n)
		}
		return err
	}
	size, ok := d.number()
	if !ok || size > uint64(end-d.end) {
		return errCutOff
	}
	d.line("%d bytes of integers", size)
	if err := d.stream(d.at+int(size), n); err != nil {
		return err
	}
	return d.stream(end, n)
}

func (d *dumper) dict(end, n int) error {
	if d.at >= end {
		return errCutOff
	}
	count := int(d.src[d.at]) + 1
	d.take(1)
	d.line("%d distinct values", count)
	size, ok := d.number()
	if !ok || size < 1 || size > uint64(end-d.end) {
		return errCutOff
	}
	d.line("%d bytes of them", size)
	table := d.at + int(size)
	codec := d.src[d.at]
	d.take(1)
	d.line("codec %d", codec)
	if codec == valuesDict {
		return corruptf("dictionary of a dictionary")
	}
	if err := d.values(codec, table, count); err != nil {
		return err
	}
	return d.stream(end, n)
}

func (d *dumper) compressed(end, n int) error {
	at := d.at
	f, err := parseLZ(d.src[at:end], n)
	if err != nil {
		return err
	}
	if _, err := d.scaled(end, n); err != nil {
		return err
	}
	d.take(1)
	d.line("kind %d", f.kind)
	d.number()
	d.line("base %d", int64(f.base))
	d.take(1)
	d.line("%d byte planes of integers, %d of ulps", f.width, f.ulps)
	d.end = end
	d.line("zstd frame without its magic number")
	return nil
}
