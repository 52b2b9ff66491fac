package encoding

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/zstd"
)

// Effort says how hard the encoder searches.
type Effort uint8

const (
	// Fast is for ingest: candidates from a sample and from the hint, no general-purpose compressor.
	Fast Effort = iota
	// Cold is for re-encoding in the background: all forms and divisors, and compressed byte planes where they save a tenth.
	Cold
)

// MaxRows is the most rows that a block holds.
const MaxRows = 1 << 16

// Column is one column of values of a block.
type Column struct {
	// ID is the caller's number of the column, such as an aggregation method's. Raw samples have 0.
	ID uint16
	// Values has one value for each present row, in the order of rows.
	Values []float64
	// Present is a bitmap of the block's rows: bit i%64 of word i/64. Nil means that every row is present.
	Present []uint64
}

// Encoder makes blocks. It keeps scratch space between them; the zero value is ready. It serves one goroutine.
type Encoder struct {
	u, x, y []uint64
	tmp     []byte
	tries   [2][]byte // value columns: the smallest so far, and the one being tried
	table   []byte
	fit     fit // of a whole column
	part    fit // of a sample
	codes   []uint64
	sources []source
	hint    *Hint
	lz      *zstd.Encoder // made when first used
	planes  []byte

	recent     [recentColumns]recentTimes
	nextRecent int

	distincts []float64
	inner     *Encoder // for the distinct values of a dictionary, made when first used
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const checksumLen = 4

// AppendBlock appends a whole block to dst and returns it: a header, a time column, value columns, a CRC-32C. The times ts
// do not decrease; there are 1 to MaxRows. Each column has a value for each present row. It keeps no reference to its
// arguments. Anything else is the caller's mistake, and panics.
func (e *Encoder) AppendBlock(dst []byte, ts []int64, cols []Column, effort Effort) []byte {
	if len(ts) < 1 || len(ts) > MaxRows {
		panic(fmt.Sprintf("encoding: block of %d rows: want 1 to %d", len(ts), MaxRows))
	}
	for i := 1; i < len(ts); i++ {
		if ts[i] < ts[i-1] {
			panic(fmt.Sprintf("encoding: time %d at row %d after %d: want times in order", ts[i], i, ts[i-1]))
		}
	}
	at := len(dst)
	dst = append(dst, blockVersion)
	dst = binary.AppendUvarint(dst, uint64(len(ts)-1))
	dst = e.appendTimes(dst, ts, effort)
	dst = binary.AppendUvarint(dst, uint64(len(cols)))
	dst = e.appendColumns(dst, len(ts), cols, effort)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}
