package encoding

// Block, version 1. Fixed-width integers are little-endian; uvarint is encoding/binary's; varint is a uvarint of the folded number
// (zigzag: 0, -1, 1, -2 become 0, 1, 2, 3). Packed values follow each other bit by bit, the lowest first, up to a whole byte.
//
//	bytes    field
//	1        version = 1
//	uvarint  rows - 1, below MaxRows
//	...      time column
//	uvarint  number of value columns
//	...      value columns, one behind the other
//	4        CRC-32C of every byte before it
//
// Time column, nanoseconds since the Unix epoch. A unit is 1 ns, 1 us, 1 ms or 1 s (0 to 3), or given (4).
//
//	1        bits 0-2 codec, bits 3-4 unit of the first time (0 to 3), bits 5-7 unit of all distances (0 to 4)
//	varint   first time, in its unit
//	uvarint  distance unit in ns, if given
//	codec 0  constant step: uvarint step, if there is a second row
//	codec 1  uvarint last - first; uvarint length; integer stream of the distances from the first time
//	codec 2  uvarint last - first; uvarint step; uvarint length; integer stream of the distances less row*step
//	codec 7  reserved for a column kept elsewhere: 16 bytes, a hash of its content. Read as ErrVersion.
//
// Value column. It has one value for each present row. The last column takes all bytes that are left.
//
//	uvarint  caller's id
//	1        bits 0-3 codec, bits 4-5 presence
//	...      presence 0: every row. 1: a bitmap, below. 2: uvarint number of the earlier column whose bitmap it shares
//	uvarint  length of the values, unless it is the last column
//	...      values:
//	codec 0  constant: the bits of the float, highest byte first, without zero bytes at the end
//	codec 1  integers: scale; exceptions if flagged; if ulps are flagged, uvarint length of the stream that follows; integer
//	         stream; if ulps are flagged, an integer stream of folded distances in ulps to add
//	codec 2  split: 1 byte rear bits r (48 to 63); 1 byte number of front parts; front parts of 2 bytes; uvarint number of
//	         exceptions, each a uvarint of rows from the one before and a front part; packed numbers of front parts, as many
//	         bits as tell them apart; packed rear parts of r bits
//	codec 3  XOR: for each 256 rows a uvarint length; then their bytes: 64 bits of the first, and for each other a bit 0 (the
//	         same), or 1 0 (a difference in the window of the last), or 1 1, 6 bits leading zeros, 6 bits size - 1 and the
//	         difference in that window
//	codec 4  dictionary: 1 byte distinct values - 1; uvarint length of the column of these, its codec and values; integer
//	         stream of numbers of distinct values
//	codec 5  compressed integers: scale; exceptions if flagged; 1 byte kind (0 numbers less the base, 1 folded differences);
//	         varint base; 1 byte planes of the integers (bits 0-3) and ulps (bits 4-7); zstd frame without its 4 bytes of
//	         magic number: the lowest byte of every integer, then the next byte of each ..., then those of ulps
//	codec 6  alias: uvarint number of the column that has the same values
//	codec 7  quotient: uvarint numbers of two columns; each value is the first's divided by the second's
//
// A reference leads to a column that is no reference itself. Presence bitmap:
//
//	1        0: one bit a row, lowest first. 1: uvarint runs, of absent and present rows in turn
//
// Scale, from integers n to floats:
//
//	1        bits 0-3: 0 to 9 for n/10^that; 10 for n/den, uvarint den follows; 11 for n*base, 8 bytes of float follow; 12 for
//	         the float with the bits n. Bit 4: exceptions follow. Bit 5: a stream of ulps follows the integers'.
//
// Exceptions are a uvarint number, and for each a uvarint of rows from the one before and 8 bytes of float.
//
// Integer stream: mini blocks of 64, 128 or 256 rows, each with what a reader needs to start there. To get at a row only the
// heads of the mini blocks before it are read.
//
//	1        bits 0-1 kind: 0 numbers less the mini block's base, 1 differences of neighbours less the reference, 2 differences
//	         of differences. Bit 2: folded. Bits 3-4: log2 of the rows of a mini block, less 6 (0 to 2)
//	varint   reference, if kind 1
//	...      for each mini block:
//	1          bits 0-6 width w, bit 7: there are patches
//	1+1        number of patches - 1, width of their high parts, if there are
//	varint     base (kind 0) or the first number: how much it grows from the mini block before; for kinds 1 and 2, how much
//	           more it grows than there
//	varint     kind 2: first difference, less that of the mini block before
//	...        packed numbers, w bits each; kinds 1 and 2 leave out the first, kind 2 also the second
//	...        packed places of the patches, as many bits as tell the rows of a full mini block apart; packed high parts,
//	           to be added above the w bits
//
// Readers take version 1 and answer others with ErrVersion, as they do codec, scale and kind numbers that aren't listed here.
// testdata/*.golden show blocks of each codec; TestGolden keeps them true. The smallest:
//
//	 0-1     01                                   version 1
//	 1-2     00                                   rows - 1: 1 rows
//	 2-3     18                                   times: codec 0, constant step; first in units of 1s, others in 1ns
//	 3-8     80 fc d7 95 0d                       first: 2026-01-05T00:00:00Z
//	 8-9     01                                   1 columns
//	 9-10    00                                   column 0: id 0
//	10-11    00                                   codec 0, constant; presence 0
//	11-13    40 29                                value 12.5
//	13-17    c5 62 00 df                          CRC-32C
const blockVersion = 1

// Codecs of a value column: the low 4 bits of its second byte.
const (
	valuesConst    = 0
	valuesInts     = 1
	valuesSplit    = 2
	valuesXor      = 3
	valuesDict     = 4
	valuesLZ       = 5
	valuesAlias    = 6
	valuesQuotient = 7
)

// Presence of a value column: bits 4 and 5 of its second byte.
const (
	presentAll   = 0
	presentOwn   = 1
	presentAlias = 2
)
