package encoding

import (
	"encoding/binary"
	"math"
	"slices"
)

const splitDict = 8 // frequent front parts at most

// split is the form of values whose front bits are few and whose rear bits are noise.
type split struct {
	right uint // rear bits, 48 to 63
	count int
	dict  [splitDict]uint64
}

// chooseSplit finds the cheapest border from a sample of the values; false when it takes limit bytes or more.
func chooseSplit(vs []float64, limit int) (s split, ok bool) {
	const most = 128
	var top [most]uint64
	n := min(most, len(vs))
	for i := range top[:n] {
		top[i] = math.Float64bits(vs[i*len(vs)/n])
	}
	slices.Sort(top[:n])
	best := limit
	if limit > math.MaxInt/8 {
		best = math.MaxInt / 8
	}
	type run struct{ count, at int }
	for right := uint(48); right < 64; right++ {
		var runs [most]run
		k := 0
		for i := range top[:n] {
			if i == 0 || top[i]>>right != top[i-1]>>right {
				runs[k] = run{0, i}
				k++
			}
			runs[k-1].count++
		}
		slices.SortFunc(runs[:k], func(a, b run) int { return b.count - a.count })
		d := min(k, splitDict)
		out := n
		for _, r := range runs[:d] {
			out -= r.count
		}
		size := (len(vs)*int(log2(d)+right)+out*len(vs)/n*24)/8 + 2*d + 6
		if size < best {
			best, ok = size, true
			s.right, s.count = right, d
			for i, r := range runs[:d] {
				s.dict[i] = top[r.at] >> right
			}
		}
	}
	return s, ok
}

// append writes the form; see format.go.
func (s *split) append(dst []byte, e *Encoder, vs []float64) []byte {
	left, right := grow(&e.x, len(vs)), grow(&e.y, len(vs))
	dict := s.dict[:s.count]
	dst = append(dst, byte(s.right), byte(len(dict)))
	for _, d := range dict {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(d))
	}
	rows := e.fit.bad[:0]
	for i, v := range vs {
		b := math.Float64bits(v)
		right[i] = b
		k := 0
		for k < len(dict) && dict[k] != b>>s.right {
			k++
		}
		if k == len(dict) {
			k = 0
			rows = append(rows, int32(i))
		}
		left[i] = uint64(k)
	}
	e.fit.bad = rows
	dst = binary.AppendUvarint(dst, uint64(len(rows)))
	last := int32(0)
	for _, r := range rows {
		dst = binary.AppendUvarint(dst, uint64(r-last))
		last = r
		dst = binary.LittleEndian.AppendUint16(dst, uint16(math.Float64bits(vs[r])>>s.right))
	}
	dst = appendPacked(dst, left, log2(len(dict)))
	return appendPacked(dst, right, s.right)
}

// readSplit fills dst with the values of rows [i, i+len(dst)) of n.
func readSplit(dst []float64, src []byte, n, i int) error {
	if len(src) < 2 {
		return corruptf("split form is cut off")
	}
	right, count := uint(src[0]), int(src[1])
	o := 2 + 2*count
	if right < 48 || right > 63 || count < 1 || count > splitDict || o > len(src) {
		return corruptf("split form: %d bits, %d front parts", right, count)
	}
	var dict [splitDict]uint64
	for k := range count {
		dict[k] = uint64(binary.LittleEndian.Uint16(src[2+2*k:])) << right
	}
	exceptions, o := uvarint(src, o)
	if o == 0 || exceptions > uint64(n) {
		return corruptf("split form: exceptions are cut off")
	}
	list := o
	for range exceptions {
		if _, o = uvarint(src, o); o == 0 || o+2 > len(src) {
			return corruptf("split form: exceptions are cut off")
		}
		o += 2
	}
	w := log2(count)
	left := src[o:]
	rest := o + packedLen(n, w)
	if rest+packedLen(n, right) > len(src) {
		return corruptf("split form is cut off")
	}
	var a, b [miniMax]uint64
	for done := 0; done < len(dst); {
		m := min(miniMax, len(dst)-done)
		unpack(a[:m], left, uint(i+done)*w, w)
		unpack(b[:m], src[rest:], uint(i+done)*right, right)
		out := dst[done : done+m]
		for k := range out {
			out[k] = math.Float64frombits(dict[a[k]&(splitDict-1)] | b[k])
		}
		done += m
	}
	row := uint64(0)
	for range exceptions {
		gap, at := uvarint(src, list)
		list = at + 2
		row += gap
		if row >= uint64(i+len(dst)) {
			break
		}
		if row >= uint64(i) {
			p := &dst[row-uint64(i)]
			*p = math.Float64frombits(uint64(binary.LittleEndian.Uint16(src[at:]))<<right | math.Float64bits(*p)&lowMask(right))
		}
	}
	return nil
}
