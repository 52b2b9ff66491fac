package rollup

import "slices"

// Floor returns the start of the group of width granularity that t belongs to, all in nanoseconds. t may not be negative and
// granularity must be positive.
func Floor(t, granularity int64) int64 { return t - t%granularity }

// AppendGroups cuts a column of times into groups of width granularity (nanoseconds, positive). It appends the start of
// each group to starts, and to offs the index in ts of its first sample, followed by len(ts). Groups without samples do not
// exist. ts ascends and has no negative time.
func AppendGroups(starts []int64, offs []int32, ts []int64, granularity int64) ([]int64, []int32) {
	if len(ts) == 0 {
		return starts, append(offs, 0)
	}
	// Distances from the start of a group stay in range where its end might not. A division is needed only after a gap:
	// the next group is reached by adding. Samples mostly come at a steady pace, so a group is likely to be as long as the one
	// before it, and that takes two comparisons whatever its length.
	start, size := Floor(ts[0], granularity), 1
	for i := 0; ; {
		if size == 1 {
			starts, offs = appendSteps(starts, offs, ts, i, start, granularity)
			i, start = int(offs[len(offs)-1]), starts[len(starts)-1]
		} else {
			starts = append(starts, start)
			offs = append(offs, int32(i))
		}
		end := i + size
		if end >= len(ts) || ts[end]-start < granularity || ts[end-1]-start >= granularity {
			for end = i + 1; end < len(ts) && ts[end]-start < granularity; end++ {
			}
			if end == len(ts) {
				return starts, append(offs, int32(end))
			}
			size = end - i
		}
		i = end
		if d := ts[i] - start; d-granularity < granularity {
			start += granularity
		} else {
			start = Floor(ts[i], granularity)
		}
	}
}

// appendSteps appends the group that begins at start with sample i, and those behind it as long as each sample is in the group
// next to that of the sample before.
func appendSteps(starts []int64, offs []int32, ts []int64, i int, start, granularity int64) ([]int64, []int32) {
	const most = 64 // groups a turn: room is made once for them
	for {
		n := min(most, len(ts)-i)
		starts, offs = slices.Grow(starts, n), slices.Grow(offs, n)
		s, o := starts[len(starts):len(starts)+n], offs[len(offs):len(offs)+n]
		k := 0
		for {
			s[k], o[k] = start, int32(i)
			k, i = k+1, i+1
			if i >= len(ts) || uint64(ts[i]-start-granularity) >= uint64(granularity) {
				return starts[:len(starts)+k], offs[:len(offs)+k]
			}
			start += granularity
			if k >= len(s) || k >= len(o) {
				break
			}
		}
		starts, offs = starts[:len(starts)+k], offs[:len(offs)+k]
	}
}

// AppendDiffs appends the differences vs[i]-vs[i-1], one fewer than there are values. They are Gnocchi's rate, which is not
// divided by time; each belongs to the time of the later value.
func AppendDiffs(dst []float64, vs []float64) []float64 {
	for i := 1; i < len(vs); i++ {
		dst = append(dst, vs[i]-vs[i-1])
	}
	return dst
}

// AppendDiffOffs appends the offs of the differences of a column whose first sample has no predecessor, given the offs of
// its samples, which begin with 0: the groups stay the same and the first loses one value, perhaps its only one.
func AppendDiffOffs(dst []int32, offs []int32) []int32 {
	for _, o := range offs {
		dst = append(dst, max(o-1, 0))
	}
	return dst
}
