package encoding

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// This file writes integer streams; intsread.go reads them; format.go has the layout.

// Kinds of an integer stream: what is packed of the numbers.
const (
	kindValue  = 0 // the number less the mini block's base
	kindDelta  = 1 // the difference to the number before, less the stream's reference
	kindDelta2 = 2 // the difference of two differences
)

const (
	miniLogMin   = 6
	miniLogMax   = 8
	miniMax      = 1 << miniLogMax
	streamZigzag = 1 << 2 // flag of a stream's first byte
	miniPatched  = 0x80   // flag of a mini block's first byte
)

// plan says how a stream of integers is to be written.
type plan struct {
	kind   uint8
	zigzag bool
	log    uint8  // a mini block has 1<<log rows
	ref    uint64 // kindDelta: taken from each difference
}

// skipped is how many numbers at a mini block's start are given by its header alone.
func skipped(kind uint8, rows int) int { return min(int(kind), rows) }

// miniPlan is the width and the patches of one mini block.
type miniPlan struct {
	width, highWidth uint8
	patches          int
}

// chooseWidth finds the cheapest width for a mini block from the histogram of its numbers' bit lengths.
func chooseWidth(h *[65]uint16, count int, log uint8) (p miniPlan, bytes int) {
	top := 64
	for top > 0 && h[top] == 0 {
		top--
	}
	p = miniPlan{width: uint8(top)}
	best := count * top
	out := 0
	for w := top - 1; w >= 0; w-- {
		out += int(h[w+1])
		high := top - w
		c := w*count + out*(int(log)+high) + 24
		if c < best {
			best = c
			p = miniPlan{uint8(w), uint8(high), out}
		}
		if out*4 > count && out > 8 {
			break
		}
	}
	bytes = 1 + packedLen(count, uint(p.width))
	if p.patches > 0 {
		bytes += 2 + packedLen(p.patches, uint(log)) + packedLen(p.patches, uint(p.highWidth))
	}
	return p, bytes
}

// histogram counts the bit lengths of u.
func histogram(h *[65]uint16, u []uint64) {
	*h = [65]uint16{}
	var g [3][65]uint16 // more of them, so that runs of equal lengths don't wait for each other
	var all uint64
	for len(u) >= 4 {
		x := (*[4]uint64)(u)
		h[bits.Len64(x[0])]++
		g[0][bits.Len64(x[1])]++
		g[1][bits.Len64(x[2])]++
		g[2][bits.Len64(x[3])]++
		all |= x[0] | x[1] | x[2] | x[3]
		u = u[4:]
	}
	for _, x := range u {
		h[bits.Len64(x)]++
	}
	for i := range bits.Len64(all) + 1 {
		h[i] += g[0][i] + g[1][i] + g[2][i]
	}
}

// fill computes what is packed for the numbers x of one mini block, and the mini block's base (and, for kindDelta2, its first difference).
func (p *plan) fill(u, x []uint64) (base, diff uint64) {
	switch p.kind {
	case kindValue:
		if p.zigzag {
			base = x[len(x)/2]
			for i, v := range x {
				u[i] = zigzag(v - base)
			}
			return base, 0
		}
		lo := int64(x[0])
		for _, v := range x {
			lo = min(lo, int64(v))
		}
		for i, v := range x {
			u[i] = v - uint64(lo)
		}
		return uint64(lo), 0
	case kindDelta:
		prev := x[0]
		if p.zigzag {
			for i, v := range x {
				u[i] = zigzag(v - prev - p.ref)
				prev = v
			}
		} else {
			for i, v := range x {
				u[i] = v - prev - p.ref
				prev = v
			}
		}
		return x[0], 0
	}
	if len(x) < 2 {
		return x[0], 0
	}
	diff = x[1] - x[0]
	prev, d := x[0], diff
	for i, v := range x {
		u[i] = zigzag(v - prev - d)
		d = v - prev
		prev = v
	}
	return x[0], diff
}

// size is the exact number of bytes that the plan takes for x, or a number above limit once it is clear that it takes more.
func (p *plan) size(u []uint64, x []uint64, limit int) int {
	bytes := 1
	if p.kind == kindDelta {
		bytes += uvarintLen(zigzag(p.ref))
	}
	var c chain
	var h [65]uint16
	for len(x) > 0 && bytes <= limit {
		m := x[:min(1<<p.log, len(x))]
		x = x[len(m):]
		base, diff := p.fill(u[:len(m)], m)
		s := skipped(p.kind, len(m))
		histogram(&h, u[s:len(m)])
		_, n := chooseWidth(&h, len(m)-s, p.log)
		b, d := c.step(p.kind, base, diff)
		bytes += n + uvarintLen(b)
		if p.kind == kindDelta2 {
			bytes += uvarintLen(d)
		}
	}
	return bytes
}

// chain codes the mini blocks' bases as differences: of the base itself for kindValue, of its growth for the others, since a
// counter grows about as much in each mini block.
type chain struct{ base, growth, diff uint64 }

func (c *chain) step(kind uint8, base, diff uint64) (b, d uint64) {
	g := base - c.base
	b, d = zigzag(g), zigzag(diff-c.diff)
	if kind != kindValue {
		b = zigzag(g - c.growth)
	}
	*c = chain{base, g, diff}
	return b, d
}

// unstep reverses step.
func (c *chain) unstep(kind uint8, b, d uint64) {
	g := unzigzag(b)
	if kind != kindValue {
		g += c.growth
	}
	*c = chain{c.base + g, g, c.diff + unzigzag(d)}
}

// append writes x by the plan.
func (p *plan) append(dst []byte, u []uint64, x []uint64) []byte {
	first := p.kind | (p.log-miniLogMin)<<3
	if p.zigzag {
		first |= streamZigzag
	}
	dst = append(dst, first)
	if p.kind == kindDelta {
		dst = binary.AppendUvarint(dst, zigzag(p.ref))
	}
	var c chain
	for len(x) > 0 {
		m := x[:min(1<<p.log, len(x))]
		x = x[len(m):]
		base, diff := p.fill(u[:len(m)], m)
		b, d := c.step(p.kind, base, diff)
		dst = p.appendMini(dst, u[skipped(p.kind, len(m)):len(m)], b, d)
	}
	return dst
}

func (p *plan) appendMini(dst []byte, u []uint64, base, diff uint64) []byte {
	var h [65]uint16
	histogram(&h, u)
	w, _ := chooseWidth(&h, len(u), p.log)
	if w.patches > 0 {
		dst = append(dst, w.width|miniPatched, byte(w.patches-1), w.highWidth)
	} else {
		dst = append(dst, w.width)
	}
	dst = binary.AppendUvarint(dst, base)
	if p.kind == kindDelta2 {
		dst = binary.AppendUvarint(dst, diff)
	}
	dst = appendPacked(dst, u, uint(w.width))
	if w.patches == 0 {
		return dst
	}
	var pos, high [miniMax]uint64
	n := 0
	for i, x := range u {
		if x>>w.width != 0 {
			pos[n], high[n] = uint64(i), x>>w.width
			n++
		}
	}
	dst = appendPacked(dst, pos[:n], uint(p.log))
	return appendPacked(dst, high[:n], uint(w.highWidth))
}

// planInts chooses the cheapest plan for x: by exact size if Cold, by that of some of the rows if Fast.
func (e *Encoder) planInts(x []uint64, effort Effort) plan {
	if len(x) == 1 {
		return plan{log: midLog}
	}
	lo, mid := deltaRefs(x)
	return e.planLog(x, effort,
		plan{kind: kindValue, log: midLog},
		plan{kind: kindDelta, log: midLog, ref: lo},
		plan{kind: kindDelta, log: midLog, ref: mid, zigzag: true},
		plan{kind: kindDelta2, log: midLog, zigzag: true})
}

// planFlat is planInts for what is noise, such as ulps: only the numbers themselves are tried, not their differences.
func (e *Encoder) planFlat(x []uint64, effort Effort) plan {
	return e.planLog(x, effort, plan{kind: kindValue, log: midLog})
}

const (
	midLog    = 7   // rows of a mini block when the kind is chosen
	planSpan  = 256 // Fast: rows looked at in one go
	planSpans = 2
)

// planLog chooses one of the plans and then the rows of its mini blocks.
func (e *Encoder) planLog(x []uint64, effort Effort, plans ...plan) plan {
	sampled := effort == Fast && len(x) > planSpan*planSpans
	best, least := plans[0], math.MaxInt
	for _, p := range plans {
		if s := e.size(p, x, least, sampled); s < least {
			best, least = p, s
		}
	}
	p := best
	for p.log = miniLogMin; p.log <= miniLogMax; p.log++ {
		if p.log == midLog || p.log < midLog && effort == Fast || len(x) <= 1<<(p.log-1) {
			continue
		}
		if s := e.size(p, x, least, sampled); s < least {
			best, least = p, s
		}
	}
	return best
}

// size is the size of the plan for x, or, sampled, for some rows at the beginning and the end.
func (e *Encoder) size(p plan, x []uint64, limit int, sampled bool) (bytes int) {
	u := grow(&e.u, miniMax)
	if !sampled {
		return p.size(u, x, limit)
	}
	for k := range planSpans {
		at := k * (len(x) - planSpan) / (planSpans - 1) &^ (miniMax - 1)
		if bytes += p.size(u, x[at:at+planSpan], limit-bytes); bytes > limit {
			break
		}
	}
	return bytes
}

// deltaRefs returns the smallest difference of neighbours and about the middle one.
func deltaRefs(x []uint64) (lo, mid uint64) {
	least := int64(math.MaxInt64)
	prev := x[0]
	for _, v := range x[1:] {
		least = min(least, int64(v-prev))
		prev = v
	}
	var sample [31]int64
	n := min(len(sample), len(x)-1)
	for i := range sample[:n] {
		k := 1 + i*(len(x)-1)/n
		sample[i] = int64(x[k] - x[k-1])
	}
	slices.Sort(sample[:n])
	return uint64(least), uint64(sample[n/2])
}

// grow returns a slice of n elements that reuses *s.
func grow[T any](s *[]T, n int) []T {
	if cap(*s) < n {
		*s = make([]T, n+n/4)
	}
	return (*s)[:n]
}
