package encoding

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// zigzag folds signed numbers so that those near zero are small: 0, -1, 1, -2 become 0, 1, 2, 3.
func zigzag(x uint64) uint64 { return x<<1 ^ uint64(int64(x)>>63) }

// unzigzag reverses zigzag.
func unzigzag(u uint64) uint64 { return u>>1 ^ -(u & 1) }

// uvarintLen is the number of bytes that binary.AppendUvarint takes for x.
func uvarintLen(x uint64) int { return (bits.Len64(x|1) + 6) / 7 }

// packedLen is the number of bytes that n values of k bits take.
func packedLen(n int, k uint) int { return (n*int(k) + 7) / 8 }

// lowMask has the k lowest bits set, k at most 64.
func lowMask(k uint) uint64 {
	if k >= 64 {
		return 1<<64 - 1
	}
	return 1<<k - 1
}

// appendPacked appends the k lowest bits of each value, lowest bit first, filled up to a whole byte.
func appendPacked(dst []byte, u []uint64, k uint) []byte {
	if k == 0 || len(u) == 0 {
		return dst
	}
	size := packedLen(len(u), k)
	at := len(dst)
	dst = slices.Grow(dst, size+16) // whole words are stored, the surplus is cut off below
	out := dst[at : at+size+16]
	m := lowMask(k)
	var acc uint64
	var n uint
	for _, x := range u {
		x &= m
		acc |= x << n
		n += k
		if n >= 64 {
			binary.LittleEndian.PutUint64(out, acc)
			out = out[8:]
			n -= 64
			acc = x >> (k - n) // a shift by 64 or more gives 0
		}
	}
	binary.LittleEndian.PutUint64(out, acc)
	return dst[:at+size]
}

// unpack fills dst with values of k bits that start at the given bit of src. The caller has checked that src
// holds them all; it need not be longer.
func unpack(dst []uint64, src []byte, bit, k uint) {
	if k == 0 {
		clear(dst)
		return
	}
	m := lowMask(k)
	src = src[bit>>3:]
	bit &= 7
	fast := 0 // so many values can be loaded as whole words
	if k <= 56 {
		if last := len(src)*8 - 64; last >= int(bit) {
			fast = min(len(dst), (last-int(bit))/int(k)+1)
		}
		d := dst[:fast]
		for len(d) >= 4 {
			a := binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7)
			b1 := bit + k
			b := binary.LittleEndian.Uint64(src[b1>>3:]) >> (b1 & 7)
			b2 := b1 + k
			c := binary.LittleEndian.Uint64(src[b2>>3:]) >> (b2 & 7)
			b3 := b2 + k
			e := binary.LittleEndian.Uint64(src[b3>>3:]) >> (b3 & 7)
			d[0], d[1], d[2], d[3] = a&m, b&m, c&m, e&m
			bit = b3 + k
			d = d[4:]
		}
		for i := range d {
			d[i] = binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7) & m
			bit += k
		}
	} else {
		for fast < len(dst) && bit>>3+9 <= uint(len(src)) {
			s := src[bit>>3:]
			sh := bit & 7
			dst[fast] = (binary.LittleEndian.Uint64(s)>>sh | uint64(s[8])<<(64-sh)) & m
			bit += k
			fast++
		}
	}
	for i := fast; i < len(dst); i++ {
		dst[i] = bitsAt(src, bit, k)
		bit += k
	}
}

// bitsAt reads one value of k bits at the given bit, byte by byte: right at the end of src too.
func bitsAt(src []byte, bit, k uint) uint64 {
	if k == 0 {
		return 0
	}
	s := src[bit>>3:]
	sh := bit & 7
	x := uint64(s[0]) >> sh
	got := 8 - sh
	for i := 1; got < k; i++ {
		x |= uint64(s[i]) << got
		got += 8
	}
	return x & lowMask(k)
}

// uvarint reads an unsigned number at src[o:] and returns the offset behind it, 0 when it is cut off or too long.
func uvarint(src []byte, o int) (uint64, int) {
	if uint(o) < uint(len(src)) && src[o] < 0x80 {
		return uint64(src[o]), o + 1
	}
	if o > len(src) {
		return 0, 0
	}
	x, n := binary.Uvarint(src[o:])
	if n <= 0 {
		return 0, 0
	}
	return x, o + n
}
