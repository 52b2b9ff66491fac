package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Keys and values of the index, version 1. P is the first byte given in Options; it is the index's alone.
//
//	P 00                                    -> uint64 BE: number of changes committed so far (the sequence number)
//	P space field value 01 chunk            -> the ordinals chunk<<16 .. chunk<<16+65535 that have the value
//	P space field value 02 seq              -> what the change seq added to and removed from those that have it
//
//	space   1 byte, at least 1
//	field   text, escaped as below
//	value   kind, 1 byte, then
//	        0 null    nothing: the posting of all ordinals that have some value in the field;
//	                  with the empty field, of all ordinals of the space
//	        1 bool    1 byte, 0 or 1
//	        2 number  8 bytes: IEEE 754 bits, big-endian, all inverted if negative, else the sign bit set.
//	                  -0 is stored as 0, every NaN as one NaN, which sorts after +Inf
//	        3 time    8 bytes: int64 nanoseconds, big-endian, sign bit inverted
//	        4 bytes   escaped: 00 becomes 00 ff, the end is 00 01
//	        5 cell    4 bytes: a time shifted right by 46 bits, int32, big-endian, sign bit inverted. The posting of
//	                  all times in these 19.5 hours, beside their own postings: long ranges are made of cells
//	chunk   uint16 BE
//	seq     uint64 BE
//
// So keys sort by space, field, kind, value, and the chunks of a value come before its changes, which are in
// the order of their commits. A posting is the union of its chunks with the changes applied in order.
//
// A chunk's value is roaring's portable serialisation of one container. A change's value is
//
//	uvarint n, then n ordinals added, ascending: the first as uvarint, the others as uvarint distance from
//	the one before; the rest, to the end, the ordinals removed in the same way
//
// Folding (fold.go) turns changes into chunks. testdata/keys_v1.golden shows some keys; TestKeysGolden keeps it true.
const (
	kindSeq     = 0x00 // after P: the sequence number
	suffixChunk = 0x01
	suffixDelta = 0x02

	chunkSuffixLen = 1 + 2
	deltaSuffixLen = 1 + 8
)

// ErrCorrupt is wrapped by errors about stored bytes that break the format.
var ErrCorrupt = errors.New("index: corrupt data")

func corruptf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// appendEscaped appends s so that it sorts as s does and ends by itself.
func appendEscaped[T string | []byte](dst []byte, s T) []byte {
	return append(appendEscapedOpen(dst, s), 0x00, 0x01)
}

// appendEscapedOpen leaves the end off: what it appends is a prefix of every escaped text that s is a prefix of.
func appendEscapedOpen[T string | []byte](dst []byte, s T) []byte {
	for i := range len(s) {
		dst = append(dst, s[i])
		if s[i] == 0 {
			dst = append(dst, 0xff)
		}
	}
	return dst
}

// escapedLen returns the length of the escaped text at the start of src with its end.
func escapedLen(src []byte) (int, error) {
	for i := 0; ; {
		j := bytes.IndexByte(src[i:], 0)
		if j < 0 || i+j+1 >= len(src) {
			return 0, corruptf("text without an end")
		}
		switch i += j + 2; src[i-1] {
		case 0x01:
			return i, nil
		case 0xff:
		default:
			return 0, corruptf("escape 00 %02x", src[i-1])
		}
	}
}

// unescape appends the text that esc, checked by escapedLen, stands for.
func unescape(dst, esc []byte) []byte {
	esc = esc[:len(esc)-2]
	for i := 0; i < len(esc); i++ {
		dst = append(dst, esc[i])
		if esc[i] == 0 {
			i++
		}
	}
	return dst
}

// orderedBits maps numbers to integers of the same order.
func orderedBits(f float64) uint64 {
	switch {
	case f == 0:
		f = 0 // -0 and 0 are one value
	case f != f:
		f = math.Float64frombits(0x7ff8000000000000)
	}
	b := math.Float64bits(f)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

func fromOrderedBits(b uint64) float64 {
	if b>>63 != 0 {
		return math.Float64frombits(b &^ (1 << 63))
	}
	return math.Float64frombits(^b)
}

// appendValue appends the value's bytes: they sort as Compare orders values, and end by themselves.
func appendValue(dst []byte, v Value) []byte {
	dst = append(dst, byte(v.Kind))
	switch v.Kind {
	case Bool:
		b := byte(0)
		if v.Num != 0 {
			b = 1
		}
		dst = append(dst, b)
	case Number:
		dst = binary.BigEndian.AppendUint64(dst, orderedBits(v.Num))
	case Time:
		dst = binary.BigEndian.AppendUint64(dst, uint64(v.Time)^1<<63)
	case Bytes:
		dst = appendEscaped(dst, v.Str)
	case cell:
		dst = binary.BigEndian.AppendUint32(dst, uint32(v.Time)^1<<31)
	}
	return dst
}

// cell is the kind of keys that stand for all times of a cell; Value.Time holds its number. It is no kind of value.
const (
	cell      = Bytes + 1
	cellShift = 46
)

func cellOf(v Value) Value { return Value{Kind: cell, Time: v.Time >> cellShift} }

// valueLen returns the length of the value at the start of src.
func valueLen(src []byte) (int, error) {
	if len(src) == 0 {
		return 0, corruptf("key without a value")
	}
	n := 1
	switch Kind(src[0]) {
	case Null:
	case Bool:
		n = 2
	case Number, Time:
		n = 9
	case cell:
		n = 5
	case Bytes:
		m, err := escapedLen(src[1:])
		return 1 + m, err
	default:
		return 0, corruptf("kind %d of a value", src[0])
	}
	if n > len(src) {
		return 0, corruptf("value of %d bytes, want %d", len(src), n)
	}
	return n, nil
}

// decodeValue reads the value at the start of src and returns the rest.
func decodeValue(src []byte) (Value, []byte, error) {
	n, err := valueLen(src)
	if err != nil {
		return Value{}, nil, err
	}
	v := Value{Kind: Kind(src[0])}
	switch v.Kind {
	case Bool:
		v.Num = float64(src[1] & 1)
	case Number:
		v.Num = fromOrderedBits(binary.BigEndian.Uint64(src[1:]))
	case Time:
		v.Time = int64(binary.BigEndian.Uint64(src[1:]) ^ 1<<63)
	case Bytes:
		v.Str = string(unescape(nil, src[1:n]))
	case cell:
		v.Time = int64(int32(binary.BigEndian.Uint32(src[1:]) ^ 1<<31))
	}
	return v, src[n:], nil
}

// appendDelta appends the value of a change; both lists ascend and hold no doubles.
func appendDelta(dst []byte, adds, removes []uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(adds)))
	for _, list := range [2][]uint32{adds, removes} {
		last := uint32(0)
		for _, o := range list {
			dst = binary.AppendUvarint(dst, uint64(o-last))
			last = o
		}
	}
	return dst
}

// decodeDelta appends what a change added and removed to the two lists.
func decodeDelta(adds, removes []uint32, src []byte) ([]uint32, []uint32, error) {
	n, k := binary.Uvarint(src)
	if k <= 0 || n > uint64(len(src)-k) { // an ordinal takes a byte at least
		return adds, removes, corruptf("change that adds %d ordinals in %d bytes", n, len(src))
	}
	src = src[k:]
	last, i := uint64(0), uint64(0)
	for ; len(src) > 0; i++ {
		d, k := binary.Uvarint(src)
		if i == n {
			last = 0
		}
		if k <= 0 || d > math.MaxUint32-last || d == 0 && i != 0 && i != n {
			return adds, removes, corruptf("ordinal %d of a change", i)
		}
		src, last = src[k:], last+d
		if i < n {
			adds = append(adds, uint32(last))
		} else {
			removes = append(removes, uint32(last))
		}
	}
	if i < n {
		return adds, removes, corruptf("change ends after %d of %d ordinals", i, n)
	}
	return adds, removes, nil
}

// keyEnd returns the first key after all those with this prefix; nil: there is none.
func keyEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := bytes.Clone(prefix[:i+1])
			end[i]++
			return end
		}
	}
	return nil
}
