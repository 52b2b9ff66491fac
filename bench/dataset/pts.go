package dataset

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// PTS1 is the form in which real data is handed around, usually inside zstd. After the bytes "PTS1" and the uvarint number of
// series comes, for each series,
//
//	uvarint      id
//	uvarint      n
//	n varints    zigzag delta of delta of the times in milliseconds (the time and delta before the first are 0)
//	8n bytes     IEEE 754 bits of the values, transposed: the lowest byte of all, then the next byte of all, ...
const ptsMagic = "PTS1"

var errPTS = errors.New("not a PTS1 file")

// ReadPTS decodes the series of a PTS1 file in the order of the file, which is that of series.tsv.
func ReadPTS(src []byte) (times [][]int64, values [][]float64, err error) {
	if len(src) < len(ptsMagic) || string(src[:len(ptsMagic)]) != ptsMagic {
		return nil, nil, errPTS
	}
	src = src[len(ptsMagic):]
	count, src, err := uvarint(src)
	if err != nil {
		return nil, nil, err
	}
	for i := uint64(0); i < count; i++ {
		var t []int64
		var v []float64
		if t, v, src, err = ptsSeries(src); err != nil {
			return nil, nil, fmt.Errorf("series %d: %w", i, err)
		}
		times, values = append(times, t), append(values, v)
	}
	return times, values, nil
}

func ptsSeries(src []byte) (times []int64, values []float64, rest []byte, err error) {
	if _, src, err = uvarint(src); err != nil { // the id: its place in the file already
		return nil, nil, nil, err
	}
	n, src, err := uvarint(src)
	if err != nil {
		return nil, nil, nil, err
	}
	if n > uint64(len(src))/9 { // each sample takes at least nine bytes
		return nil, nil, nil, errPTS
	}
	times, values = make([]int64, n), make([]float64, n)
	var time, delta int64
	for i := range times {
		d, size := binary.Varint(src)
		if size <= 0 {
			return nil, nil, nil, errPTS
		}
		src = src[size:]
		delta += d
		time += delta
		times[i] = time
	}
	if uint64(len(src)) < 8*n {
		return nil, nil, nil, errPTS
	}
	for i := range values {
		var bits uint64
		for plane := range 8 {
			bits |= uint64(src[plane*int(n)+i]) << (8 * plane)
		}
		values[i] = math.Float64frombits(bits)
	}
	return times, values, src[8*n:], nil
}

func uvarint(src []byte) (uint64, []byte, error) {
	x, size := binary.Uvarint(src)
	if size <= 0 {
		return 0, nil, errPTS
	}
	return x, src[size:], nil
}

// FromColumns makes a prepared set in dir from one pair of columns a series, merged in time order.
func FromColumns(dir, name string, stepMillis int64, series []Series, times [][]int64, values [][]float64) error {
	if len(times) != len(series) || len(values) != len(series) {
		return fmt.Errorf("%d series, %d columns of times, %d of values", len(series), len(times), len(values))
	}
	var all []Sample
	for i := range times {
		for k, t := range times[i] {
			all = append(all, Sample{uint32(i), t, values[i][k]})
		}
	}
	slices.SortFunc(all, func(a, b Sample) int {
		return cmp.Or(cmp.Compare(a.Millis, b.Millis), cmp.Compare(a.Series, b.Series))
	})
	w, err := Create(dir, name, stepMillis, series)
	if err != nil {
		return err
	}
	for _, s := range all {
		w.Add(s)
	}
	return w.Close()
}
