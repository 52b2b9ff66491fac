package rollup

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestAppendGroups(t *testing.T) {
	for _, tc := range []struct {
		name   string
		ts     []int64
		width  int64
		starts []int64
		offs   []int32
	}{
		{"nothing", nil, 10, nil, []int32{0}},
		{"one", []int64{7}, 10, []int64{0}, []int32{0, 1}},
		{"each its own", []int64{0, 10, 20, 35}, 10, []int64{0, 10, 20, 30}, []int32{0, 1, 2, 3, 4}},
		{"borders", []int64{9, 10, 19, 20}, 10, []int64{0, 10, 20}, []int32{0, 1, 3, 4}},
		{"gap", []int64{1, 2, 1000, 1009, 1010}, 10, []int64{0, 1000, 1010}, []int32{0, 2, 4, 5}},
		{"end of time", []int64{0, math.MaxInt64 - 7, math.MaxInt64}, math.MaxInt64 - 6,
			[]int64{0, math.MaxInt64 - 6}, []int32{0, 2, 3}},
		{"widest", []int64{0, math.MaxInt64 - 1, math.MaxInt64}, math.MaxInt64, []int64{0, math.MaxInt64}, []int32{0, 2, 3}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			starts, offs := AppendGroups([]int64{-1}, []int32{-1}, tc.ts, tc.width)
			if starts[0] != -1 || offs[0] != -1 || !slices.Equal(starts[1:], tc.starts) || !slices.Equal(offs[1:], tc.offs) {
				t.Errorf("got %v %v, want %v %v", starts[1:], offs[1:], tc.starts, tc.offs)
			}
		})
	}
}

func TestAppendGroupsRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 600 {
		width := 1 + rng.Int64N(100)
		ts := make([]int64, rng.IntN(300))
		at := rng.Int64N(1000)
		step, jitter := 1+rng.Int64N(150), rng.IntN(40)
		for i := range ts {
			ts[i] = at
			if at += step; rng.IntN(40) < jitter { // from a steady pace to none
				at += rng.Int64N(1 + rng.Int64N(300))
			}
		}
		checkGroups(t, ts, func(a int64) int64 { return a / width * width }, func() ([]int64, []int32) {
			return AppendGroups(nil, nil, ts, width)
		})
	}
}

func TestAppendCalendarGroupsRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range 300 {
		letter := "YHQMW"[i%5]
		ts := make([]int64, rng.IntN(60))
		for i := range ts {
			ts[i] = rng.Int64N(math.MaxInt64 >> rng.IntN(8))
		}
		slices.Sort(ts)
		floor := func(at int64) int64 {
			start, ok := CalendarFloor(at, letter)
			if !ok {
				t.Fatalf("%c refused", letter)
			}
			return start
		}
		checkGroups(t, ts, floor, func() ([]int64, []int32) {
			starts, offs, ok := AppendCalendarGroups(nil, nil, ts, letter)
			if !ok {
				t.Fatalf("%c refused", letter)
			}
			return starts, offs
		})
	}
}

// checkGroups compares groups with the start of each sample taken by itself.
func checkGroups(t *testing.T, ts []int64, floor func(int64) int64, group func() ([]int64, []int32)) {
	t.Helper()
	starts, offs := group()
	var wantStarts []int64
	var wantOffs []int32
	for i, at := range ts {
		if i == 0 || floor(at) != floor(ts[i-1]) {
			wantStarts = append(wantStarts, floor(at))
			wantOffs = append(wantOffs, int32(i))
		}
	}
	wantOffs = append(wantOffs, int32(len(ts)))
	if !slices.Equal(starts, wantStarts) || !slices.Equal(offs, wantOffs) {
		t.Fatalf("times %v: got %v %v, want %v %v", ts, starts, offs, wantStarts, wantOffs)
	}
}

func TestCalendarFloor(t *testing.T) {
	for _, tc := range []struct {
		letter   byte
		at, want string
	}{
		{'Y', "2024-12-31T23:59:59Z", "2024-01-01T00:00:00Z"},
		{'H', "2024-06-30T23:59:59Z", "2024-01-01T00:00:00Z"},
		{'H', "2024-07-01T00:00:00Z", "2024-07-01T00:00:00Z"},
		{'Q', "2024-05-17T10:00:00Z", "2024-04-01T00:00:00Z"},
		{'M', "2024-02-29T10:00:00Z", "2024-02-01T00:00:00Z"},
		{'W', "2024-03-02T23:00:00Z", "2024-02-25T00:00:00Z"}, // a Saturday
		{'W', "2024-03-03T00:00:00Z", "2024-03-03T00:00:00Z"}, // a Sunday
		{'W', "1970-01-03T12:00:00Z", "1969-12-28T00:00:00Z"},
		{'Y', "2262-04-11T00:00:00Z", "2262-01-01T00:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, tc.at)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := CalendarFloor(at.UnixNano(), tc.letter)
		if s := time.Unix(0, got).UTC().Format(time.RFC3339); !ok || s != tc.want {
			t.Errorf("%c of %s: got %s %v, want %s", tc.letter, tc.at, s, ok, tc.want)
		}
	}
	if _, ok := CalendarFloor(0, 'D'); ok {
		t.Error("D is taken")
	}
	if _, _, ok := AppendCalendarGroups(nil, nil, []int64{0}, 'y'); ok {
		t.Error("y is taken")
	}
}

func TestAppendDiffs(t *testing.T) {
	if got := AppendDiffs([]float64{9}, []float64{1, 3, 2}); !slices.Equal(got, []float64{9, 2, -1}) {
		t.Error(got)
	}
	if got := AppendDiffs(nil, nil); len(got) != 0 {
		t.Error(got)
	}
	if got := AppendDiffOffs([]int32{7}, []int32{0, 1, 4}); !slices.Equal(got, []int32{7, 0, 0, 3}) {
		t.Error(got)
	}
}
