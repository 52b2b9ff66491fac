package query

import (
	"context"
	"math"
	"slices"
)

// Statistics over several series are the reference's to the last digit, so sums are added in its order: over the series of each
// time, one series after the other; over the values of a window, and where there is only one time, pairwise (see sumOf). NaN is left
// out; where there is nothing else, a sum is 0, a count 0 and all else NaN.

// across works the statistic out over the columns, which are equally long, at each of n times.
func (s statistic) across(ctx context.Context, cols [][]float64, n int) ([]float64, error) {
	out := make([]float64, n)
	var err error
	switch {
	case n == 1:
		row := make([]float64, len(cols))
		for i, c := range cols {
			row[i] = c[0]
		}
		var w window
		out[0] = w.of(s.base, row)
	case s.base == statMedian:
		err = medians(ctx, out, cols)
	case s.base == statMin || s.base == statMax:
		extremes(out, cols, s.base == statMax)
	default:
		sums(out, cols, s.base)
	}
	return out, err
}

// differences gives what a rate is in place of the results themselves, one fewer, in the same memory.
func (s statistic) differences(vs []float64, truth bool) []float64 {
	if !s.rate || len(vs) == 0 {
		return vs
	}
	for i, v := range vs[1:] {
		vs[i] = difference(v, vs[i], truth)
	}
	return vs[:len(vs)-1]
}

// difference is a less b; of truth values, whether they differ.
func difference(a, b float64, truth bool) float64 {
	if truth {
		return notEqual(a, b)
	}
	return a - b
}

// truth tells whether the statistic of truth values is one.
func (s statistic) truth() bool { return s.base == statMin || s.base == statMax }

// sums works out what comes of sums and counts.
func sums(out []float64, cols [][]float64, base uint8) {
	counts := make([]float64, len(out))
	for _, c := range cols {
		for i, v := range c[:len(out)] {
			if v == v {
				out[i] += v
				counts[i]++
			}
		}
	}
	switch base {
	case statCount:
		copy(out, counts)
	case statMean:
		for i, n := range counts {
			out[i] /= n // 0/0 is NaN
		}
	case statVar, statStd:
		variances(out, counts, cols)
		if base == statStd {
			for i, v := range out {
				out[i] = math.Sqrt(v)
			}
		}
	}
}

// variances turns sums into population variances.
func variances(out, counts []float64, cols [][]float64) {
	means := slices.Clone(out)
	for i, n := range counts {
		means[i] /= n
	}
	clear(out)
	for _, c := range cols {
		for i, v := range c[:len(out)] {
			if v == v {
				d := v - means[i]
				out[i] += float64(d * d) // the conversion keeps a compiler from fusing the two
			}
		}
	}
	for i, n := range counts {
		out[i] /= n
	}
}

func extremes(out []float64, cols [][]float64, most bool) {
	for i := range out {
		out[i] = math.NaN()
	}
	for _, c := range cols {
		for i, v := range c[:len(out)] {
			out[i] = extreme(out[i], v, most)
		}
	}
}

// extreme is the later of two equal ones, as zeros show.
func extreme(best, v float64, most bool) float64 {
	if most && v >= best || !most && v <= best || best != best {
		return v
	}
	return best
}

func medians(ctx context.Context, out []float64, cols [][]float64) error {
	row := make([]float64, len(cols))
	for i := range out {
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for k, c := range cols {
			row[k] = c[i]
		}
		out[i] = medianOf(row)
	}
	return nil
}

// medianOf reorders row.
func medianOf(row []float64) float64 {
	n := 0
	for _, v := range row {
		if v == v {
			row[n] = v
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	slices.Sort(row[:n])
	return (row[(n-1)/2] + row[n/2]) / 2
}

// window works statistics out over rows of values, and holds the scratch space for it.
type window struct {
	scratch []float64
}

// of works a statistic out over the values of a row, which it leaves alone.
func (w *window) of(base uint8, row []float64) float64 {
	w.scratch = append(w.scratch[:0], row...)
	s := w.scratch
	switch base {
	case statMedian:
		return medianOf(s)
	case statMin, statMax:
		best := math.NaN()
		for _, v := range s {
			best = extreme(best, v, base == statMax)
		}
		return best
	}
	n := 0.0
	for i, v := range s {
		if v == v {
			n++
		} else {
			s[i] = 0
		}
	}
	switch base {
	case statCount:
		return n
	case statSum:
		return sumOf(s)
	case statMean:
		return sumOf(s) / n
	}
	mean := sumOf(s) / n
	for i, v := range row {
		if v == v {
			d := v - mean
			s[i] = d * d
		}
	}
	v := sumOf(s) / n
	if base == statStd {
		return math.Sqrt(v)
	}
	return v
}

// sumOf adds from 0 in the order in which numpy adds what lies side by side: eight sums at once in blocks of up to 128, the
// blocks in pairs.
func sumOf(s []float64) float64 { return 0 + pairwise(s) }

func pairwise(s []float64) float64 {
	n := len(s)
	if n < 8 {
		sum := 0.0
		for _, v := range s {
			sum += v
		}
		return sum
	}
	if n > 128 {
		half := n / 2
		half -= half % 8
		return pairwise(s[:half]) + pairwise(s[half:])
	}
	var r [8]float64
	copy(r[:], s)
	i := 8
	for ; i < n-n%8; i += 8 {
		for k := range r {
			r[k] += s[i+k]
		}
	}
	sum := ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
	for ; i < n; i++ {
		sum += s[i]
	}
	return sum
}

// rolling works the statistic out over each width values in a row of a column of at least width.
func (s statistic) rolling(ctx context.Context, col []float64, width int) ([]float64, error) {
	out := make([]float64, 0, len(col)-width+1)
	var w window
	every := max(1, 1<<16/width)
	for i := range cap(out) {
		if i%every == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		out = append(out, w.of(s.base, col[i:i+width]))
	}
	return out, nil
}
