package encoding

import (
	"encoding/binary"
	"math"
	"math/bits"
)

const xorRows = 256 // rows of a segment, each of which is read on its own

// bitWriter appends bits, the lowest first.
type bitWriter struct {
	dst []byte
	acc uint64
	n   uint // bits in acc, below 64
}

// put appends the k lowest bits of x, k at most 64; the others are zero.
func (w *bitWriter) put(x uint64, k uint) {
	w.acc |= x << w.n
	if w.n+k < 64 {
		w.n += k
		return
	}
	w.dst = binary.LittleEndian.AppendUint64(w.dst, w.acc)
	w.acc = x >> (64 - w.n)
	w.n = w.n + k - 64
}

// close fills the last byte up.
func (w *bitWriter) close() []byte {
	for n := int(w.n); n > 0; n -= 8 {
		w.dst = append(w.dst, byte(w.acc))
		w.acc >>= 8
	}
	w.acc, w.n = 0, 0
	return w.dst
}

// tryXor stores each value as its difference in bits to the one before. It gives up when the form gets larger than the best.
func (e *Encoder) tryXor(c *candidates, vs []float64) {
	limit := c.limit()
	head := c.space()
	w := bitWriter{dst: e.tmp[:0]}
	for len(vs) > 0 {
		at := len(w.dst)
		m := vs[:min(xorRows, len(vs))]
		vs = vs[len(m):]
		xorSegment(&w, m)
		head = binary.AppendUvarint(head, uint64(len(w.dst)-at))
		if len(head)+len(w.dst) >= limit {
			e.tmp = w.dst
			return
		}
	}
	e.tmp = w.dst
	c.offer(valuesXor, scale{}, append(head, w.dst...))
}

func xorSegment(w *bitWriter, vs []float64) {
	prev := math.Float64bits(vs[0])
	w.put(prev, 64)
	lead, size := uint(0), uint(64) // the window of the last difference
	for _, v := range vs[1:] {
		b := math.Float64bits(v)
		x := b ^ prev
		prev = b
		if x == 0 {
			w.put(0, 1)
			continue
		}
		l, t := uint(bits.LeadingZeros64(x)), uint(bits.TrailingZeros64(x))
		own := 64 - l - t
		if l >= lead && t >= 64-lead-size && size <= own+11 {
			w.put(1, 2)
			w.put(x>>(64-lead-size), size)
			continue
		}
		lead, size = l, own
		w.put(3|uint64(l)<<2|uint64(size-1)<<8, 14)
		w.put(x>>t, size)
	}
	w.dst = w.close()
}

// bitSource reads what bitWriter wrote. Behind the end there are zeros.
type bitSource struct {
	src []byte
	bit uint
}

func (r *bitSource) get(k uint) uint64 {
	o := r.bit >> 3
	sh := r.bit & 7
	r.bit += k
	if o+9 <= uint(len(r.src)) {
		s := r.src[o : o+9]
		return (binary.LittleEndian.Uint64(s)>>sh | uint64(s[8])<<(64-sh)) & lowMask(k)
	}
	var tail [9]byte
	if o < uint(len(r.src)) {
		copy(tail[:], r.src[o:])
	}
	return (binary.LittleEndian.Uint64(tail[:])>>sh | uint64(tail[8])<<(64-sh)) & lowMask(k)
}

// readXor fills dst with the values of rows [i, i+len(dst)) of n.
func readXor(dst []float64, src []byte, n, i int) error {
	o := 0
	segments := (n + xorRows - 1) / xorRows
	skip := uint64(0) // bytes of the segments before row i
	index := 0
	for s := range segments {
		if s == i/xorRows {
			index = o
		}
		size, end := uvarint(src, o)
		if end == 0 || size > uint64(len(src)) {
			return corruptf("XOR form: segment %d of %d is cut off", s, segments)
		}
		if s < i/xorRows {
			skip += size
		}
		o = end
	}
	if skip > uint64(len(src)-o) {
		return corruptf("XOR form is cut off")
	}
	at := o + int(skip)
	for row := i - i%xorRows; row < i+len(dst); row += xorRows {
		size, end := uvarint(src, index)
		index = end
		if size > uint64(len(src)-at) {
			return corruptf("XOR form is cut off at row %d", row)
		}
		r := bitSource{src: src[at : at+int(size)]}
		at += int(size)
		from, to := max(row, i), min(row+xorRows, i+len(dst), n)
		if err := r.values(dst[from-i:to-i], from-row); err != nil {
			return err
		}
	}
	return nil
}

// values decodes a segment: it drops skip values and fills dst with those behind.
func (r *bitSource) values(dst []float64, skip int) error {
	b := r.get(64)
	lead, size := uint(0), uint(64)
	for k := range skip + len(dst) {
		if k > 0 && r.get(1) != 0 {
			if r.get(1) != 0 {
				w := r.get(12)
				lead, size = uint(w&63), uint(w>>6)+1
				if lead+size > 64 {
					return corruptf("XOR form: window %d+%d", lead, size)
				}
			}
			b ^= r.get(size) << (64 - lead - size)
		}
		if k >= skip {
			dst[k-skip] = math.Float64frombits(b)
		}
	}
	if r.bit > uint(len(r.src))*8 {
		return corruptf("XOR form is cut off")
	}
	return nil
}
