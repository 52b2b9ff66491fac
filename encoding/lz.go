package encoding

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// zstdMagic begins every zstd frame; blocks leave it out.
var zstdMagic = [4]byte{0x28, 0xb5, 0x2f, 0xfd}

// lzMemory bounds what a damaged frame may unpack to: two columns of 64-bit integers.
const lzMemory = MaxRows * 16

// newLZ makes the compressor of an Encoder. It starts no goroutines.
func newLZ() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(1<<20),
		zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))
}

// lzReader is shared: decoding whole frames is safe from many goroutines.
var lzReader = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderMaxMemory(lzMemory), zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true))
})

// tryLZ compresses the byte planes of the integers, and ulps, of the best candidate. It is kept where it saves a tenth.
func (e *Encoder) tryLZ(c *candidates, vs []float64) {
	if c.codec != valuesInts {
		return
	}
	ulps := c.best[0]&intsUlps != 0
	if ulps {
		if !c.scale.near(&e.fit, vs, len(vs)) {
			return
		}
	} else if !c.scale.exact(&e.fit, vs, len(vs)) {
		return
	}
	if e.lz == nil {
		var err error
		if e.lz, err = newLZ(); err != nil {
			return // never with these options; the block is only larger
		}
	}
	n := e.fit.n[:len(vs)]
	flags := c.best[0] &^ 15
	limit := len(c.best) * 9 / 10
	for _, p := range []plan{{kind: kindValue}, {kind: kindDelta, zigzag: true}} {
		dst := c.scale.append(c.space(), flags)
		if flags&intsExceptions != 0 {
			dst = appendExceptions(dst, vs, e.fit.bad)
		}
		u := grow(&e.x, len(n))
		base, _ := p.fill(u, n)
		widths := byteWidth(u)
		planes := appendPlanes(e.planes[:0], u, widths)
		if ulps {
			w := byteWidth(e.fit.ulps[:len(vs)])
			planes = appendPlanes(planes, e.fit.ulps[:len(vs)], w)
			widths |= w << 4
		}
		e.planes = planes
		dst = append(dst, p.kind)
		dst = binary.AppendUvarint(dst, zigzag(base))
		dst = append(dst, byte(widths))
		head := len(dst)
		dst = e.lz.EncodeAll(planes, dst)
		dst = append(dst[:head], dst[head+len(zstdMagic):]...)
		if len(dst) > limit {
			if c.best != nil {
				e.tries[1-c.used] = dst
			}
			continue
		}
		c.offer(valuesLZ, c.scale, dst)
	}
}

// byteWidth is the number of bytes that the largest of u takes.
func byteWidth(u []uint64) int {
	var all uint64
	for _, x := range u {
		all |= x
	}
	return (bits.Len64(all) + 7) / 8
}

// appendPlanes appends the lowest byte of each number, then the next byte of each, and so on.
func appendPlanes(dst []byte, u []uint64, width int) []byte {
	for p := range width {
		for _, x := range u {
			dst = append(dst, byte(x>>(8*p)))
		}
	}
	return dst
}

// lzBuffers are a reader's scratch space.
type lzBuffers struct{ frame, planes []byte }

var lzPool = sync.Pool{New: func() any { return new(lzBuffers) }}

// lzForm is a parsed compressed form.
type lzForm struct {
	scale       scale
	flags       byte
	exceptions  exceptions
	kind        byte
	base        uint64
	width, ulps int // bytes
	frame       []byte
}

func parseLZ(src []byte, n int) (f lzForm, err error) {
	var o int
	if f.scale, f.flags, o, err = parseScale(src, 0); err != nil {
		return f, err
	}
	if f.flags&intsExceptions != 0 {
		if f.exceptions, o, err = parseExceptions(src, o, n); err != nil {
			return f, err
		}
	}
	if o >= len(src) {
		return f, corruptf("compressed form is cut off")
	}
	if f.kind = src[o]; f.kind > kindDelta {
		return f, versionf("compressed form of kind %d", f.kind)
	}
	z, o := uvarint(src, o+1)
	if o == 0 || o >= len(src) {
		return f, corruptf("compressed form is cut off")
	}
	f.base = unzigzag(z)
	f.width, f.ulps = int(src[o]&15), int(src[o]>>4)
	if f.width > 8 || f.ulps > 8 {
		return f, corruptf("compressed form of %d and %d bytes", f.width, f.ulps)
	}
	f.frame = src[o+1:]
	return f, nil
}

// readLZ fills dst with the values [i, i+len(dst)) of n. The whole column is unpacked for that.
func readLZ(dst []float64, src []byte, n, i int) error {
	f, err := parseLZ(src, n)
	if err != nil {
		return err
	}
	z, err := lzReader()
	if err != nil {
		return err
	}
	b := lzPool.Get().(*lzBuffers)
	defer lzPool.Put(b)
	b.frame = append(append(b.frame[:0], zstdMagic[:]...), f.frame...)
	size := n * (f.width + f.ulps)
	if b.planes, err = z.DecodeAll(b.frame, b.planes[:0]); err != nil {
		return corruptf("compressed form: %v", err)
	}
	if len(b.planes) != size {
		return corruptf("compressed form: %d bytes, want %d", len(b.planes), size)
	}
	x := f.base
	var buf [miniMax]uint64
	for row := 0; row < i+len(dst); {
		m := min(len(buf), i+len(dst)-row)
		if f.kind == kindValue && row+m <= i {
			row += m
			continue
		}
		u := buf[:m]
		readPlanes(u, b.planes, n, row, f.width)
		if f.kind == kindDelta {
			for k, d := range u {
				x += unzigzag(d)
				u[k] = x
			}
		} else {
			for k, d := range u {
				u[k] = x + d
			}
		}
		from := max(i-row, 0)
		if from < m {
			out := dst[row+from-i : row+m-i]
			f.scale.values(out, u[from:])
			if f.flags&intsUlps != 0 {
				readPlanes(u, b.planes[n*f.width:], n, row, f.ulps)
				scale{kind: scaleUlps}.values(out, u[from:])
			}
		}
		row += m
	}
	f.exceptions.put(dst, i)
	return nil
}

// readPlanes reads the numbers of rows [row, row+len(u)) of n from their byte planes.
func readPlanes(u []uint64, planes []byte, n, row, width int) {
	clear(u)
	for p := range width {
		src := planes[p*n+row:]
		src = src[:len(u)]
		for k, x := range src {
			u[k] |= uint64(x) << (8 * p)
		}
	}
}
