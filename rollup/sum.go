package rollup

import (
	"math"
	"slices"
)

// The sum of a group is a chain in which each addition waits for the one before, and its order is fixed. Four groups at a time
// are four chains that a processor works on at once, which is about three times as fast.

func appendSums(dst []float64, offs []int32, vs []float64, full bool) []float64 {
	n := len(dst)
	dst = groupSums(dst, offs, vs)
	if full {
		return dst
	}
	sums := dst[n:]
	for i, sum := range sums {
		if offs[i] != offs[i+1] {
			dst[n] = sum
			n++
		}
	}
	return dst[:n]
}

func appendMeans(dst []float64, offs []int32, vs []float64) []float64 {
	n := len(dst)
	dst = groupSums(dst, offs, vs)
	sums := dst[n:]
	for i, sum := range sums {
		if count := offs[i+1] - offs[i]; count > 0 {
			dst[n] = sum / float64(count)
			n++
		}
	}
	return dst[:n]
}

func (a *Aggregator) appendStds(dst []float64, offs []int32, vs []float64) []float64 {
	a.sums = groupSums(a.sums[:0], offs, vs)
	for i, sum := range a.sums {
		a.sums[i] = sum / float64(offs[i+1]-offs[i]) // NaN for an empty group, never used
	}
	n := len(dst)
	dst = groupSquares(dst, offs, vs, a.sums)
	squares := dst[n:]
	for i, sum := range squares {
		if count := offs[i+1] - offs[i]; count > 1 {
			dst[n] = math.Sqrt(sum / float64(count-1))
			n++
		}
	}
	return dst[:n]
}

// groupSums appends the sum of each group, 0 for an empty one.
func groupSums(dst []float64, offs []int32, vs []float64) []float64 {
	dst = slices.Grow(dst, len(offs)-1)
	for ; len(offs) > 4; offs = offs[4:] {
		a, b, c, d := vs[offs[0]:offs[1]], vs[offs[1]:offs[2]], vs[offs[2]:offs[3]], vs[offs[3]:offs[4]]
		n := min(len(a), len(b), len(c), len(d))
		var sa, sb, sc, sd float64
		for i := range n {
			sa += a[i]
			sb += b[i]
			sc += c[i]
			sd += d[i]
		}
		dst = append(dst, addAll(sa, a[n:]), addAll(sb, b[n:]), addAll(sc, c[n:]), addAll(sd, d[n:]))
	}
	for ; len(offs) > 1; offs = offs[1:] {
		dst = append(dst, addAll(0, vs[offs[0]:offs[1]]))
	}
	return dst
}

func addAll(sum float64, vs []float64) float64 {
	for _, v := range vs {
		sum += v
	}
	return sum
}

// groupSquares appends for each group the sum of the squared distances from its mean, 0 for an empty one.
func groupSquares(dst []float64, offs []int32, vs []float64, means []float64) []float64 {
	dst = slices.Grow(dst, len(offs)-1)
	for ; len(offs) > 4; offs, means = offs[4:], means[4:] {
		a, b, c, d := vs[offs[0]:offs[1]], vs[offs[1]:offs[2]], vs[offs[2]:offs[3]], vs[offs[3]:offs[4]]
		ma, mb, mc, md := means[0], means[1], means[2], means[3]
		n := min(len(a), len(b), len(c), len(d))
		var sa, sb, sc, sd float64
		for i := range n {
			sa += square(a[i] - ma)
			sb += square(b[i] - mb)
			sc += square(c[i] - mc)
			sd += square(d[i] - md)
		}
		dst = append(dst, addSquares(sa, a[n:], ma), addSquares(sb, b[n:], mb), addSquares(sc, c[n:], mc), addSquares(sd, d[n:], md))
	}
	for ; len(offs) > 1; offs, means = offs[1:], means[1:] {
		dst = append(dst, addSquares(0, vs[offs[0]:offs[1]], means[0]))
	}
	return dst
}

func addSquares(sum float64, vs []float64, mean float64) float64 {
	for _, v := range vs {
		sum += square(v - mean)
	}
	return sum
}

// square rounds its result: without the conversion a compiler may fuse multiplication and addition on some processors.
func square(d float64) float64 { return float64(d * d) }
