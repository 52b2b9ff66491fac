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

// unpack fills dst with values of k bits that start at the given bit of src. The caller has checked that src holds them all; it
// need not be longer.
func unpack(dst []uint64, src []byte, bit, k uint) {
	src = src[bit>>3:]
	bit &= 7
	switch {
	case k == 0:
		clear(dst)
		return
	case k <= 28:
		dst, src = unpackPairs(dst, src, bit, k)
	case k <= 56:
		dst, src = unpackSingles(dst, src, bit, k)
	}
	m := lowMask(k)
	for i := range dst {
		o := bit >> 3
		if o+9 > uint(len(src)) {
			dst[i] = bitsAt(src, bit, k)
		} else {
			s := src[o : o+9]
			dst[i] = (binary.LittleEndian.Uint64(s)>>(bit&7) | uint64(s[8])<<(64-(bit&7))) & m
		}
		bit += k
	}
}

// The two below take eight values, k whole bytes, a turn and return what is left. They stop while a turn's 64-bit loads, wherever
// they start, stay within src: the masks let the compiler see that, so the loops have no bounds checks.
const unpackReach = 72

// unpackPairs takes two values a load: k is at most 28, bit at most 7.
func unpackPairs(dst []uint64, src []byte, bit, k uint) ([]uint64, []byte) {
	m := uint64(1)<<(k&63) - 1
	b1, b2, b3 := bit+2*k, bit+4*k, bit+6*k
	for len(dst) >= 8 && len(src) >= unpackReach {
		s := (*[unpackReach]byte)(src)
		d := (*[8]uint64)(dst)
		x := binary.LittleEndian.Uint64(s[:]) >> (bit & 63)
		d[0] = x & m
		d[1] = x >> (k & 63) & m
		x = binary.LittleEndian.Uint64(s[b1>>3&63:]) >> (b1 & 7)
		d[2] = x & m
		d[3] = x >> (k & 63) & m
		x = binary.LittleEndian.Uint64(s[b2>>3&63:]) >> (b2 & 7)
		d[4] = x & m
		d[5] = x >> (k & 63) & m
		x = binary.LittleEndian.Uint64(s[b3>>3&63:]) >> (b3 & 7)
		d[6] = x & m
		d[7] = x >> (k & 63) & m
		src = src[k:]
		dst = dst[8:]
	}
	return dst, src
}

// unpackSingles takes one value a load: k is at most 56, bit at most 7.
func unpackSingles(dst []uint64, src []byte, bit, k uint) ([]uint64, []byte) {
	m := uint64(1)<<(k&63) - 1
	for len(dst) >= 8 && len(src) >= unpackReach {
		s := (*[unpackReach]byte)(src)
		d := (*[8]uint64)(dst)
		b := bit
		d[0] = binary.LittleEndian.Uint64(s[:]) >> (b & 7) & m
		b += k
		d[1] = binary.LittleEndian.Uint64(s[b>>3&63:]) >> (b & 7) & m
		b += k
		d[2] = binary.LittleEndian.Uint64(s[b>>3&63:]) >> (b & 7) & m
		b += k
		d[3] = binary.LittleEndian.Uint64(s[b>>3&63:]) >> (b & 7) & m
		b += k
		d[4] = binary.LittleEndian.Uint64(s[b>>3&63:]) >> (b & 7) & m
		b += k
		d[5] = binary.LittleEndian.Uint64(s[b>>3&63:]) >> (b & 7) & m
		b += k
		d[6] = binary.LittleEndian.Uint64(s[b>>3&63:]) >> (b & 7) & m
		b += k
		d[7] = binary.LittleEndian.Uint64(s[b>>3&63:]) >> (b & 7) & m
		src = src[k:]
		dst = dst[8:]
	}
	return dst, src
}

// bitsAt reads one value of k bits at the given bit, right at the end of src too.
func bitsAt(src []byte, bit, k uint) uint64 {
	if k == 0 {
		return 0
	}
	s := src[bit>>3:]
	sh := bit & 7
	if len(s) >= 9 {
		return (binary.LittleEndian.Uint64(s)>>sh | uint64(s[8])<<(64-sh)) & lowMask(k)
	}
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
