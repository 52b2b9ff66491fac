package encoding

import (
	"bytes"
	"testing"
)

// TestRecentTimes encodes columns of which some share their times and compares with an encoder that has met none of them.
func TestRecentTimes(t *testing.T) {
	var columns [][]int64
	for n := range 3 * recentColumns {
		ts := make([]int64, recentRows-1+n%3+100*(n/6)) // also some that are not remembered
		for i := range ts {
			ts[i] = 1_700_000_000e9 + int64(i)*300e9 + int64(i*i*(n/2+1))%7919*1e6
		}
		columns = append(columns, ts)
	}
	alike := append([]int64(nil), columns[len(columns)-1]...) // differs within only
	alike[10]++
	columns = append(columns, alike)
	var kept Encoder
	for round := range 3 {
		for i, ts := range columns {
			for _, effort := range []Effort{Fast, Fast, Cold} {
				cols := []Column{{ID: 1, Values: make([]float64, len(ts))}}
				got := kept.AppendBlock([]byte("before"), ts, cols, effort)[len("before"):]
				var fresh Encoder
				if want := fresh.AppendBlock(nil, ts, cols, effort); !bytes.Equal(got, want) {
					t.Fatalf("round %d, column %d, effort %d: %x, want %x", round, i, effort, got, want)
				}
			}
		}
	}
}
