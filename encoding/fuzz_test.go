package encoding

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// FuzzParseBlock reads damaged blocks whose checksum is right, or it would stop every mutation at the door.
func FuzzParseBlock(f *testing.F) {
	var e Encoder
	for _, g := range goldenBlocks() {
		src := e.AppendBlock(nil, g.ts, g.cols, g.effort)
		f.Add(src[:len(src)-checksumLen])
	}
	f.Fuzz(func(t *testing.T, body []byte) { readAll(t, withChecksum(body)) })
}

// FuzzColumnRoundTrip makes values of the input: its bytes as floats, as small integers under a divisor, or as runs.
func FuzzColumnRoundTrip(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07"), uint8(0), uint64(0), true)
	f.Add([]byte("minus zero, infinities and not a number"), uint8(1), uint64(15), false)
	for _, s := range shapes {
		var b []byte
		for _, v := range series(s.name, 1, 150) {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		f.Add(b, uint8(0), uint64(hintTurns<<4|hintNear), false)
	}
	var e Encoder // shared: a compressor is slow to make
	f.Fuzz(func(t *testing.T, src []byte, mode uint8, hint uint64, cold bool) {
		vs := fuzzValues(src, mode)
		if len(vs) == 0 {
			return
		}
		ts := make([]int64, len(vs))
		for i := range ts {
			ts[i] = int64(i)
		}
		h := Hint(hint)
		e.SetHint(&h)
		effort := Fast
		if cold {
			effort = Cold
		}
		cols := []Column{{Values: vs}, {ID: 1, Values: vs[:(len(vs)+1)/2], Present: alternate(len(vs))}}
		r := rand.New(rand.NewPCG(1, 1))
		for range 2 { // the second time with the hint of the first
			checkBlock(t, r, e.AppendBlock(nil, ts, cols, effort), ts, cols)
		}
	})
}

// alternate is a bitmap of every other row.
func alternate(rows int) []uint64 {
	m := make([]uint64, (rows+63)/64)
	for i := range m {
		m[i] = 0x5555555555555555
	}
	return m
}

func fuzzValues(src []byte, mode uint8) (vs []float64) {
	switch mode % 3 {
	case 0:
		for ; len(src) >= 8; src = src[8:] {
			vs = append(vs, math.Float64frombits(binary.LittleEndian.Uint64(src)))
		}
	case 1:
		for ; len(src) >= 2; src = src[2:] {
			vs = append(vs, float64(int16(binary.LittleEndian.Uint16(src)))/float64(mode/3+1))
		}
	default:
		for ; len(src) >= 2; src = src[2:] {
			for range src[0] {
				vs = append(vs, float64(src[1])*0.37)
			}
		}
	}
	return vs[:min(len(vs), MaxRows)]
}

// FuzzTimesRoundTrip makes times in order of the input: gaps of up to eight bytes, or none.
func FuzzTimesRoundTrip(f *testing.F) {
	f.Add(int64(1767571200e9), []byte("\x02\x80\x02\x80\x02\x81"), uint64(1e9))
	f.Add(int64(0), []byte("\x00\x00\x00"), uint64(1))
	f.Add(int64(5), []byte("\x00\x01\x05\x00\x00\x02\x01\x01"), uint64(1))
	f.Add(int64(math.MinInt64), []byte("\x07\xff\xff\xff\xff\xff\xff\x01\x00"), uint64(1))
	f.Fuzz(func(t *testing.T, first int64, src []byte, unit uint64) {
		ts := []int64{first}
		for len(src) > 0 {
			n := int(src[0]) % 8
			src = src[1:]
			var b [8]byte
			src = src[copy(b[:n], src):]
			gap := binary.LittleEndian.Uint64(b[:]) * (unit%1e10 + 1)
			next := ts[len(ts)-1] + int64(gap)
			if next < ts[len(ts)-1] {
				break
			}
			ts = append(ts, next)
		}
		ts = slices.Clip(ts[:min(len(ts), MaxRows)])
		var e Encoder
		cols := []Column{{Values: make([]float64, len(ts))}}
		r := rand.New(rand.NewPCG(1, 1))
		for _, effort := range []Effort{Fast, Cold} {
			checkBlock(t, r, e.AppendBlock(nil, ts, cols, effort), ts, cols)
		}
	})
}
