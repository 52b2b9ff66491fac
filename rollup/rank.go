package rollup

import (
	"math"
	"slices"
)

func appendMins(dst []float64, offs []int32, vs []float64) []float64 {
	for i, hi := range offs[1:] {
		if lo := offs[i]; lo < hi {
			dst = append(dst, minOf(vs[lo:hi]))
		}
	}
	return dst
}

func appendMaxs(dst []float64, offs []int32, vs []float64) []float64 {
	for i, hi := range offs[1:] {
		if lo := offs[i]; lo < hi {
			dst = append(dst, maxOf(vs[lo:hi]))
		}
	}
	return dst
}

// minOf returns the earliest of the smallest values; NaN only if there is nothing else, then the earliest.
func minOf(vs []float64) float64 {
	least := vs[0]
	for i := 1; i < len(vs) && least != least; i++ {
		if vs[i] == vs[i] {
			least = vs[i]
		}
	}
	for _, v := range vs {
		if v < least {
			least = v
		}
	}
	return least
}

// maxOf returns the latest NaN if there is one, else the latest of the largest values.
func maxOf(vs []float64) float64 {
	most := math.Inf(-1)
	nan := 0.0
	for _, v := range vs {
		if v >= most {
			most = v
		} else if v != v {
			nan = v
		}
	}
	if nan != nan {
		return nan
	}
	return most
}

// appendRanks appends the median or a percentile of each group of a sorted column.
func appendRanks(dst []float64, m Method, offs []int32, sorted []float64) []float64 {
	share := float64(m.Percentile()) / 100
	for i, hi := range offs[1:] {
		s := sorted[offs[i]:hi]
		switch {
		case len(s) == 0:
		case m == Median:
			n := len(s)
			dst = append(dst, (s[(n-1)/2]+s[n/2])/2)
		default:
			dst = append(dst, percentile(s, share))
		}
	}
	return dst
}

// percentile returns the value at the given share of the way through s, between two of its values if need be. The
// conversions keep a compiler from fusing multiplication and addition.
func percentile(s []float64, share float64) float64 {
	pos := float64(float64(len(s)-1) * share)
	lo, hi := math.Floor(pos), math.Ceil(pos)
	if lo == hi {
		return s[int(lo)]
	}
	return float64(s[int(lo)]*(hi-pos)) + float64(s[int(hi)]*(pos-lo))
}

// Sort returns the values with each group in ascending order, NaN last and equals in the order of time, for AppendSorted.
// offs apply to it as to vs; what lies outside all groups has no meaning. It is valid until a's next call of Sort, or of
// Append with Median or a percentile.
func (a *Aggregator) Sort(offs []int32, vs []float64) []float64 {
	a.sorted = slices.Grow(a.sorted[:0], len(vs))[:len(vs)]
	if len(offs) == 0 {
		return a.sorted
	}
	lo := offs[0]
	copy(a.sorted[lo:], vs[lo:offs[len(offs)-1]])
	for _, hi := range offs[1:] {
		if hi-lo <= 16 {
			sortShort(a.sorted[lo:hi])
		} else {
			sortLong(a.sorted[lo:hi], vs[lo:hi])
		}
		lo = hi
	}
	return a.sorted
}

func sortShort(s []float64) {
	for i := 1; i < len(s); i++ {
		v := s[i]
		j := i
		for ; j > 0 && (v < s[j-1] || s[j-1] != s[j-1] && v == v); j-- {
			s[j] = s[j-1]
		}
		s[j] = v
	}
}

// sortLong sorts s, a copy of vs. Only values with several spellings, NaN and 0, show that the library's sort is not
// stable: NaNs are set apart before and zeros written again after.
func sortLong(s, vs []float64) {
	n := 0
	for _, v := range vs {
		if v == v {
			s[n] = v
			n++
		}
	}
	if n < len(s) {
		k := n
		for _, v := range vs {
			if v != v {
				s[k] = v
				k++
			}
		}
	}
	slices.Sort(s[:n])
	k, _ := slices.BinarySearch(s[:n], 0)
	if k == n || s[k] != 0 {
		return
	}
	for _, v := range vs {
		if v == 0 {
			s[k] = v
			k++
		}
	}
}
