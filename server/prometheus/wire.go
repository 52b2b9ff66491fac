package prometheus

import (
	"encoding/binary"
	"fmt"
	"math"
)

// The kinds of fields in protocol buffers.
const (
	kindVarint = 0
	kindFixed8 = 1 // bytes, that is
	kindBytes  = 2
	kindFixed4 = 5
)

// field is one field of a message.
type field struct {
	number uint64
	kind   int
	value  uint64 // of kinds with a number
	bytes  []byte // of kindBytes, part of the message
}

// eachField calls fn with the fields of a message, in their order, and stops at its first error.
func eachField(message []byte, fn func(f *field) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return fmt.Errorf("%w: a field without a number", ErrFormat)
		}
		f := field{number: tag >> 3, kind: int(tag & 7)}
		n, err := f.read(message[n:], n)
		if err != nil {
			return err
		}
		if err := fn(&f); err != nil {
			return err
		}
		message = message[n:]
	}
	return nil
}

// read takes the value from the front of b and returns its length, more added.
func (f *field) read(b []byte, more int) (n int, err error) {
	short := fmt.Errorf("%w: field %d is cut short", ErrFormat, f.number)
	switch f.kind {
	case kindVarint:
		if f.value, n = binary.Uvarint(b); n <= 0 {
			return 0, short
		}
	case kindFixed8:
		if n = 8; len(b) < n {
			return 0, short
		}
		f.value = binary.LittleEndian.Uint64(b)
	case kindFixed4:
		if n = 4; len(b) < n {
			return 0, short
		}
		f.value = uint64(binary.LittleEndian.Uint32(b))
	case kindBytes:
		length, k := binary.Uvarint(b)
		if k <= 0 || length > uint64(len(b)-k) {
			return 0, short
		}
		n = k + int(length)
		f.bytes = b[k:n]
	default:
		return 0, fmt.Errorf("%w: field %d is of kind %d", ErrFormat, f.number, f.kind)
	}
	return n + more, nil
}

// is tells whether the field has this number; a field of the number and another kind is an error.
func (f *field) is(number uint64, kind int) (bool, error) {
	if f.number != number {
		return false, nil
	}
	if f.kind != kind {
		return false, fmt.Errorf("%w: field %d is of kind %d", ErrFormat, f.number, f.kind)
	}
	return true, nil
}

func (f *field) double() float64 { return math.Float64frombits(f.value) }
