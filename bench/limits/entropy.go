package limits

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/klauspost/compress/zstd"

	"github.com/telemetrydb/tsdb/bench/dataset"
)

// Entropy compresses each series of a set whole, its times and its values apart, with zstd's strongest level, after the best of three plain
// transformations: differences, differences of differences, and the bytes of each word together. That is no bound in the strict sense, but what a
// general compressor makes of the data when it may see all of a series at once and need not enter it anywhere.
func Entropy(set *dataset.Set) ([]Limit, error) {
	times, values, err := set.Columns()
	if err != nil {
		return nil, err
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	var timeBytes, valueBytes, samples int
	for i := range times {
		words := make([]uint64, len(times[i]))
		for k, t := range times[i] {
			words[k] = uint64(t)
		}
		timeBytes += least(z, words)
		for k, v := range values[i] {
			words[k] = math.Float64bits(v)
			if n := int64(v); float64(n) == v {
				words[k] = uint64(n) // an integer's differences are small, its bits' are not
			}
		}
		valueBytes += least(z, words)
		samples += len(words)
	}
	all := float64(timeBytes+valueBytes) / float64(samples)
	return []Limit{{"zstd of whole columns of " + set.Name, all, "B/sample", fmt.Sprintf("times %.3f, values %.3f", float64(timeBytes)/float64(samples), float64(valueBytes)/float64(samples))}}, nil
}

// least is the fewest bytes that z makes of words, which are changed.
func least(z *zstd.Encoder, words []uint64) int {
	n := math.MaxInt
	for range 3 { // as they are, differences, differences of differences
		n = min(n, len(z.EncodeAll(planes(words), nil)))
		for i := len(words) - 1; i > 0; i-- {
			words[i] -= words[i-1]
		}
	}
	return n
}

// planes puts the first bytes of all words together, then the second ones, and so on; negative differences are folded first.
func planes(words []uint64) []byte {
	out := make([]byte, 8*len(words))
	var b [8]byte
	for i, w := range words {
		binary.BigEndian.PutUint64(b[:], w<<1^uint64(int64(w)>>63))
		for k := range b {
			out[k*len(words)+i] = b[k]
		}
	}
	return out
}
