package rollup

import "slices"

// Aggregator works out methods over groups of values and holds the scratch space for it. Its zero value is ready; one
// goroutine at a time may use it.
type Aggregator struct {
	sums    []float64 // one a group
	sorted  []float64 // a column, each group of it sorted
	present []uint64
}

// Append appends m of each group of vs to dst. Group i is vs[offs[i]:offs[i+1]], in order of time. For a rate, vs are the
// differences already: m and m.Base() give the same. Counters get no points: they have AppendCounter.
//
// Some groups yield no point: empty ones, groups of one value for Std. If there are any, present has bit i%64 of word i/64 set
// for each group i that yields one (see Has), and dst gets values for those only; else present is nil. present is valid until
// the next call. Nothing is allocated if dst has room for all groups and a is warm.
//
// Sums start from 0 and add from left to right, so a mean or sum of minus zeros is plus zero. Of values that compare equal
// (0 and -0) Min and First give the earliest, Max and Last the latest, and sorting keeps the order of time. Sorting puts NaN
// last. The median is (lower + upper) / 2 even where lower and upper are one value, so it overflows to infinity beyond half of
// the largest float64. Which NaN a calculation gives (its payload) is not specified.
func (a *Aggregator) Append(dst []float64, m Method, offs []int32, vs []float64) (out []float64, present []uint64) {
	m = m.Base()
	if len(offs) < 2 || !m.Valid() || m.Counter() {
		return dst, a.markNone(len(offs) - 1)
	}
	least := int32(1)
	if m == Std {
		least = 2
	} else if areSingles(offs) {
		return appendSingles(dst, m, vs[offs[0]:offs[len(offs)-1]]), nil
	}
	present, points := a.mark(offs, least)
	if points == 0 {
		return dst, present
	}
	switch m {
	case Mean:
		return appendMeans(dst, offs, vs), present
	case Sum:
		return appendSums(dst, offs, vs, present == nil), present
	case Std:
		return a.appendStds(dst, offs, vs), present
	case Count:
		return appendCounts(dst, offs), present
	case First, Last:
		return appendEnds(dst, offs, vs, m == Last), present
	case Min:
		return appendMins(dst, offs, vs), present
	case Max:
		return appendMaxs(dst, offs, vs), present
	}
	return appendRanks(dst, m, offs, a.Sort(offs, vs)), present
}

// AppendSorted is Append for Median and percentiles, and their rates, of values that Sort has sorted by the same offs.
// It spares sorting once more for each further method. Other methods get no points.
func (a *Aggregator) AppendSorted(dst []float64, m Method, offs []int32, sorted []float64) (out []float64, present []uint64) {
	m = m.Base()
	if len(offs) < 2 || m != Median && m.Percentile() == 0 {
		return dst, a.markNone(len(offs) - 1)
	}
	present, _ = a.mark(offs, 1)
	return appendRanks(dst, m, offs, sorted), present
}

// Has tells whether group i yields a point, by a bitmap that Append returned.
func Has(present []uint64, i int) bool {
	return present == nil || present[i/64]>>(i%64)&1 != 0
}

// mark counts the groups with at least the given number of values and returns their bitmap, nil if that is all of them.
func (a *Aggregator) mark(offs []int32, least int32) (present []uint64, points int) {
	prev := offs[0]
	for _, o := range offs[1:] {
		if o-prev >= least {
			points++
		}
		prev = o
	}
	if points == len(offs)-1 {
		return nil, points
	}
	present = a.markNone(len(offs) - 1)
	if points == 0 {
		return present, 0
	}
	for i := range len(offs) - 1 {
		if offs[i+1]-offs[i] >= least {
			present[i/64] |= 1 << (i % 64)
		}
	}
	return present, points
}

// markNone returns the bitmap of n groups none of which yields a point, nil for n below 1.
func (a *Aggregator) markNone(n int) []uint64 {
	if n < 1 {
		return nil
	}
	words := (n + 63) / 64
	a.present = slices.Grow(a.present[:0], words)[:words]
	clear(a.present)
	return a.present
}

// areSingles tells whether each group has one value.
func areSingles(offs []int32) bool {
	first := offs[0]
	if int(offs[len(offs)-1]-first) != len(offs)-1 {
		return false
	}
	for i, o := range offs {
		if o-first != int32(i) {
			return false
		}
	}
	return true
}

// appendSingles appends m of each value by itself. Not for Std, of which a single value has none.
func appendSingles(dst []float64, m Method, vs []float64) []float64 {
	n := len(dst)
	dst = slices.Grow(dst, len(vs))[:n+len(vs)]
	out := dst[n:][:len(vs)]
	switch m {
	case Mean, Sum:
		for i, v := range vs {
			out[i] = 0 + v // -0 becomes 0
		}
	case Median:
		for i, v := range vs {
			out[i] = (v + v) / 2 // may overflow
		}
	case Count:
		for i := range out {
			out[i] = 1
		}
	default:
		copy(out, vs)
	}
	return dst
}

func appendCounts(dst []float64, offs []int32) []float64 {
	for i, o := range offs[1:] {
		if n := o - offs[i]; n > 0 {
			dst = append(dst, float64(n))
		}
	}
	return dst
}

func appendEnds(dst []float64, offs []int32, vs []float64, last bool) []float64 {
	for i, hi := range offs[1:] {
		lo := offs[i]
		if lo == hi {
			continue
		}
		if last {
			lo = hi - 1
		}
		dst = append(dst, vs[lo])
	}
	return dst
}
