package rollup

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
	start := Floor(ts[0], granularity)
	starts = append(starts, start)
	offs = append(offs, 0)
	// Distances from the start of a group stay in range where its end might not. A division is needed only after a gap:
	// the next group is reached by adding.
	for i, t := range ts {
		d := t - start
		if d < granularity {
			continue
		}
		if d-granularity < granularity {
			start += granularity
		} else {
			start = Floor(t, granularity)
		}
		starts = append(starts, start)
		offs = append(offs, int32(i))
	}
	return starts, append(offs, int32(len(ts)))
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
