package engine

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// A tail is the unsealed end of a series: samples in order of time as a byte stream that is
// only ever appended to, so that a reader may keep a copy of the struct and read it while the writer goes
// on behind it.
//
// Each sample is a control byte, time bytes and value bytes, relative to the sample before it:
//
//	high nibble  time: delta of delta d (nanoseconds)
//	0            d = 0
//	1..4         zigzag(d / 1e6) in 1..4 bytes
//	5..12        zigzag(d) in 1..8 bytes
//	low nibble   value
//	0            same bits
//	1..6         both are integers: zigzag of the difference in 1..6 bytes
//	7..14        XOR of the bits, its low 1..8 bytes
//	15           a byte: zero bytes below << 4 | n, then n bytes of the XOR from there;
//	             or 0x80 | n: both are hundredths, zigzag of their difference in n bytes
//
// All multi-byte fields are little-endian.
type tail struct {
	buf  []byte
	last sampleState // the newest sample; equal to base when n is 0
	n    int
	base sampleState // what the first sample is relative to
}

// sampleState is a sample as predictor of the next one.
type sampleState struct {
	t, delta int64
	bits     uint64
}

const (
	nanosPerMilli = 1_000_000
	maxSampleLen  = 1 + 8 + 9
	exactInt      = 1 << 53 // beyond it float64 skips integers
)

func zigzag(x int64) uint64   { return uint64(x<<1) ^ uint64(x>>63) }
func unzigzag(x uint64) int64 { return int64(x>>1) ^ -int64(x&1) }

// byteLen is the number of bytes that x needs, at least 1.
func byteLen(x uint64) int { return (bits.Len64(x|1) + 7) >> 3 }

// asInt returns the integer whose float64 has these bits, if there is one that differences can be taken of.
func asInt(b uint64) (int64, bool) {
	f := math.Float64frombits(b)
	if !(f > -exactInt && f < exactInt) {
		return 0, false
	}
	i := int64(f)
	return i, math.Float64bits(float64(i)) == b
}

// asHundredths returns the integer that gives the value with these bits when divided by 100. Gauges with one or two
// decimals are a sixth of what clouds measure, and nine bytes each as XOR.
func asHundredths(b uint64) (int64, bool) {
	f := math.Float64frombits(b)
	if !(f > -exactInt/100 && f < exactInt/100) {
		return 0, false
	}
	i := int64(math.RoundToEven(float64(f * 100)))
	return i, math.Float64bits(float64(i)/100) == b
}

// append adds a sample; t is not less than that of the last one, and greater unless the policy keeps all samples.
func (tl *tail) append(t int64, value float64) {
	b := tl.buf
	o := len(b)
	var w []byte
	roomy := cap(b)-o >= maxSampleLen+8 // 8: fields are stored as whole words
	if roomy {
		w = b[o : o+maxSampleLen+8]
	} else {
		var aside [maxSampleLen + 8]byte
		w = aside[:]
	}
	st := &tl.last
	at, ctl := 1, byte(0)
	delta := t - st.t
	if d := delta - st.delta; d != 0 {
		if m := d / nanosPerMilli; m*nanosPerMilli == d && zigzag(m) < 1<<32 {
			z := zigzag(m)
			n := byteLen(z)
			binary.LittleEndian.PutUint64(w[at:], z)
			ctl, at = byte(n)<<4, at+n
		} else {
			z := zigzag(d)
			n := byteLen(z)
			binary.LittleEndian.PutUint64(w[at:], z)
			ctl, at = byte(n+4)<<4, at+n
		}
	}
	vb := math.Float64bits(value)
	if x := vb ^ st.bits; x != 0 {
		z, n := x, byteLen(x)
		code := byte(6 + n)
		if zero := bits.TrailingZeros64(x) >> 3; zero > 1 {
			n -= zero
			w[at] = byte(zero<<4 | n)
			at++
			code, z = 15, x>>(8*zero)
		}
		if n > 1 {
			if p, ok := asInt(st.bits); ok {
				if q, ok := asInt(vb); ok {
					if d := zigzag(q - p); byteLen(d) <= 6 {
						if code == 15 {
							at--
						}
						z, n = d, byteLen(d)
						code = byte(n)
					}
				}
			}
		}
		if n > 4 && code > 6 {
			if q, ok := asHundredths(vb); ok {
				if p, ok := asHundredths(st.bits); ok {
					if code == 15 {
						at--
					}
					z = zigzag(q - p)
					n = byteLen(z)
					w[at] = byte(0x80 | n)
					at++
					code = 15
				}
			}
		}
		binary.LittleEndian.PutUint64(w[at:], z)
		ctl, at = ctl|code, at+n
	}
	w[0] = ctl
	switch {
	case roomy:
		tl.buf = tl.buf[:o+at] // of itself: only the length is stored
	case cap(b)-o >= at:
		tl.buf = tl.buf[:o+at]
		copy(tl.buf[o:], w[:at])
	default:
		tl.buf = append(growTail(b, at), w[:at]...)
	}
	tl.n++
	st.t, st.delta, st.bits = t, delta, vb
}

// take makes tl what aside is, a copy of it that was appended to with a buffer of its own, which holds those samples alone.
// If there is no room for them, room is made for more bytes that will follow.
func (tl *tail) take(aside *tail, more int) {
	b := tl.buf
	if n := len(aside.buf); cap(b)-len(b) < n {
		b = growTail(b, n+more)
	}
	b = append(b, aside.buf...)
	*tl = *aside
	tl.buf = b
}

// growTail makes room for n bytes and a few more: a million tails must not carry slack. Those that are longer than a few KiB are of few
// series; growing them by an eighth at a time made most of all garbage. Memory comes in multiples of 16.
func growTail(b []byte, n int) []byte {
	step := min(max(len(b)/2, 16), max(256, len(b)/8))
	if len(b) >= 8192 {
		step = len(b) / 4
	}
	nb := make([]byte, (len(b)+n+step+15)&^15) // not the length with a capacity: what is copied over at once is not cleared before
	copy(nb, b)
	return nb[:len(b)]
}

// tailReader walks a tail from the start.
type tailReader struct {
	b  []byte
	st sampleState
}

func (tl *tail) reader() tailReader { return tailReader{b: tl.buf, st: tl.base} }

// word reads n bytes (at most 8) at the front without looking past the end.
func word(b []byte, n int) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b) & (math.MaxUint64 >> (64 - 8*uint(n)))
	}
	var x uint64
	for i := min(n, len(b)) - 1; i >= 0; i-- {
		x = x<<8 | uint64(b[i])
	}
	return x
}

// next reads one sample; false means that the bytes end within it or break the format.
func (r *tailReader) next() bool {
	if len(r.b) == 0 {
		return false
	}
	ctl := r.b[0]
	b := r.b[1:]
	delta := r.st.delta
	if c := int(ctl >> 4); c != 0 {
		n, scale := c, int64(nanosPerMilli)
		if c > 4 {
			n, scale = c-4, 1
		}
		if n > 8 || n > len(b) {
			return false
		}
		delta += unzigzag(word(b, n)) * scale
		b = b[n:]
	}
	vb := r.st.bits
	switch c := int(ctl & 15); {
	case c == 0:
	case c <= 6:
		p, ok := asInt(vb)
		if !ok || c > len(b) {
			return false
		}
		vb = math.Float64bits(float64(p + unzigzag(word(b, c))))
		b = b[c:]
	case c < 15:
		n := c - 6
		if n > len(b) {
			return false
		}
		vb ^= word(b, n)
		b = b[n:]
	default:
		if len(b) == 0 {
			return false
		}
		form, n := uint(b[0]>>4), int(b[0]&15)
		b = b[1:]
		if n == 0 || n > 8 || n > len(b) || form > 8 {
			return false
		}
		if form < 8 {
			vb ^= word(b, n) << (8 * form)
		} else {
			p, ok := asHundredths(vb)
			if !ok {
				return false
			}
			vb = math.Float64bits(float64(p+unzigzag(word(b, n))) / 100)
		}
		b = b[n:]
	}
	r.b = b
	r.st = sampleState{t: r.st.t + delta, delta: delta, bits: vb}
	return true
}

// appendTo decodes the whole tail. It returns false if the bytes don't hold n samples in order of time
// that end at the last one.
func (tl *tail) appendTo(ts []int64, vs []float64) ([]int64, []float64, bool) {
	ts, vs, _, ok := tl.appendParted(ts, vs, math.MinInt64)
	return ts, vs, ok
}

// tailPart is the samples at the beginning of a tail that are older than some time.
type tailPart struct {
	n    int
	len  int         // bytes
	last sampleState // of them; the tail's base if n is 0
}

// appendParted is appendTo, and says which part of the tail is older than edge.
func (tl *tail) appendParted(ts []int64, vs []float64, edge int64) ([]int64, []float64, tailPart, bool) {
	if tl.n > len(tl.buf) {
		return ts, vs, tailPart{}, false
	}
	from, end := len(ts), len(ts)+tl.n
	ts, vs = slices.Grow(ts, tl.n)[:end], slices.Grow(vs, tl.n)[:end]
	r, part, parted := tl.reader(), tailPart{}, false
	for i := from; i < end; i++ {
		if i += r.run(ts[i:], vs[i:], edge); i == end {
			break
		}
		before := r
		if !r.next() {
			return ts[:i], vs[:i], part, false
		}
		if r.st.t >= edge && !parted {
			part, parted = tailPart{i - from, len(tl.buf) - len(before.b), before.st}, true
			edge = math.MaxInt64
		}
		ts[i], vs[i] = r.st.t, math.Float64frombits(r.st.bits)
	}
	if !parted {
		part = tailPart{tl.n, len(tl.buf), r.st}
	}
	return ts, vs, part, len(r.b) == 0 && r.st.t == tl.last.t && slices.IsSorted(ts[from:])
}

// run reads samples older than edge as next does, and returns how many. It stops at the last bytes of the tail and at what is rare or wrong.
func (r *tailReader) run(ts []int64, vs []float64, edge int64) int {
	b, st := r.b, r.st
	vs = vs[:len(ts)]
	i := 0
	for ; i < len(ts) && len(b) >= 1+8+1+8+8; i++ { // fields are read as whole words
		ctl := uint(b[0])
		at, delta, vb := uint(1), st.delta, st.bits
		if c := ctl >> 4; c > 4 {
			break
		} else if c > 0 {
			delta += unzigzag(binary.LittleEndian.Uint64(b[1:])&(1<<(8*c)-1)) * nanosPerMilli
			at += c
		}
		switch c := ctl & 15; {
		case c == 0:
		case c < 15:
			x := binary.LittleEndian.Uint64(b[at:])
			if at += c; c > 6 {
				vb ^= x & (math.MaxUint64 >> (8 * (14 - c)))
				at -= 6
				break
			}
			p, ok := asInt(vb)
			if !ok {
				r.b, r.st = b, st
				return i
			}
			vb = math.Float64bits(float64(p + unzigzag(x&(1<<(8*c)-1))))
		default:
			form, n := uint(b[at]>>4), uint(b[at]&15)
			x := binary.LittleEndian.Uint64(b[at+1:]) & (math.MaxUint64 >> (8 * (8 - n)))
			at += 1 + n
			if form < 8 {
				vb ^= x << (8 * form)
			} else if p, ok := asHundredths(vb); ok {
				vb = math.Float64bits(float64(p+unzigzag(x)) / 100)
			} else {
				form = 9
			}
			if n-1 > 7 || form > 8 {
				r.b, r.st = b, st
				return i
			}
		}
		t := st.t + delta
		if t >= edge {
			break
		}
		b, st = b[at:], sampleState{t, delta, vb}
		ts[i], vs[i] = t, math.Float64frombits(vb)
	}
	r.b, r.st = b, st
	return i
}

// restore walks a tail that was read back and completes the state of its last sample, of which only the time was kept.
// It returns false if the bytes don't hold n samples in order of time that end at that time.
func (tl *tail) restore() bool {
	r := tl.reader()
	for i := range tl.n {
		before := r.st.t
		if !r.next() || (i > 0 && r.st.t < before) {
			return false
		}
	}
	if len(r.b) != 0 || r.st.t != tl.last.t {
		return false
	}
	tl.last = r.st
	return true
}

// without returns the tail without a part of it, or of what it was before more was appended. It shares nothing with tl.
func (tl *tail) without(p tailPart) tail {
	return tail{buf: append([]byte(nil), tl.buf[p.len:]...), n: tl.n - p.n, base: p.last, last: tl.last}
}
