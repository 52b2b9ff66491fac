package encoding

import (
	"encoding/binary"
	"math"
)

// readValues fills dst with the values [i, i+len(dst)) of n that the codec and payload hold.
func readValues(dst []float64, codec byte, src []byte, n, i int) error {
	if len(dst) == 0 {
		return nil
	}
	switch codec {
	case valuesConst:
		v, err := readConst(src)
		for k := range dst {
			dst[k] = v
		}
		return err
	case valuesInts:
		return readInts(dst, src, n, i)
	case valuesSplit:
		return readSplit(dst, src, n, i)
	case valuesXor:
		return readXor(dst, src, n, i)
	case valuesDict:
		return readDict(dst, src, n, i)
	case valuesLZ:
		return readLZ(dst, src, n, i)
	}
	return versionf("value codec %d", codec)
}

// exceptions is a list of rows with their bits.
type exceptions struct {
	src   []byte
	count uint64
}

// parseExceptions checks the list at src[o:].
func parseExceptions(src []byte, o, n int) (x exceptions, end int, err error) {
	count, o := uvarint(src, o)
	if o == 0 || count > uint64(n) || count > uint64(len(src)) {
		return x, 0, corruptf("exceptions are cut off")
	}
	x = exceptions{src: src[o:], count: count}
	for range count {
		if _, o = uvarint(src, o); o == 0 || o+8 > len(src) {
			return x, 0, corruptf("exceptions are cut off")
		}
		o += 8
	}
	return x, o, nil
}

// put overwrites those that lie in rows [i, i+len(dst)).
func (x *exceptions) put(dst []float64, i int) {
	row, o := uint64(0), 0
	for range x.count {
		gap, end := uvarint(x.src, o)
		row += gap
		o = end + 8
		if row >= uint64(i+len(dst)) {
			return
		}
		if row >= uint64(i) {
			dst[row-uint64(i)] = math.Float64frombits(binary.LittleEndian.Uint64(x.src[end:]))
		}
	}
}

// readInts reads the integer form.
func readInts(dst []float64, src []byte, n, i int) error {
	s, flags, o, err := parseScale(src, 0)
	if err != nil {
		return err
	}
	var x exceptions
	if flags&intsExceptions != 0 {
		if x, o, err = parseExceptions(src, o, n); err != nil {
			return err
		}
	}
	ulps := src[o:]
	if flags&intsUlps != 0 {
		size, end := uvarint(src, o)
		if end == 0 || size > uint64(len(src)-end) {
			return corruptf("integer stream is cut off")
		}
		o = end + int(size)
		ulps = src[o:]
		src = src[end:o]
	} else {
		src = src[o:]
	}
	if err := readStream(dst, src, n, i, s); err != nil {
		return err
	}
	if flags&intsUlps != 0 {
		if err := readStream(dst, ulps, n, i, scale{kind: scaleUlps}); err != nil {
			return err
		}
	}
	x.put(dst, i)
	return nil
}

// readStream reads the integers [i, i+len(dst)) of a stream of n as values under a scale.
func readStream(dst []float64, src []byte, n, i int, s scale) error {
	r, err := newIntReader(src, n)
	if err != nil {
		return err
	}
	if err := r.skip(i); err != nil {
		return err
	}
	j := i + len(dst)
	var buf [miniMax]uint64
	for len(dst) > 0 {
		x, err := r.chunk(&buf, j-len(dst), j)
		if err != nil {
			return err
		}
		s.values(dst, x)
		dst = dst[len(x):]
	}
	return nil
}
