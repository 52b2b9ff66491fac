package rollup

import (
	"fmt"
	"testing"
)

// go test ./rollup -run '^$' -bench Append -count 5
func BenchmarkAppend(b *testing.B) {
	const samples = 1 << 16
	vs := madeValues(1, samples)
	for _, size := range []int{1, 6, 60, 3600} {
		var offs []int32
		for i := 0; i <= samples; i += size {
			offs = append(offs, int32(i))
		}
		for _, m := range []Method{Mean, Sum, Last, Max, Min, Std, Median, Count, Pct(95)} {
			b.Run(fmt.Sprintf("method=%s/group=%d", m, size), func(b *testing.B) {
				var agg Aggregator
				dst := make([]float64, 0, len(offs))
				b.ReportAllocs()
				for b.Loop() {
					agg.Append(dst, m, offs, vs)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/samples, "ns/sample")
			})
		}
	}
}

func BenchmarkAppendCounter(b *testing.B) {
	const samples = 1 << 16
	ts, vs := make([]int64, samples), make([]float64, samples)
	for i := range ts {
		ts[i], vs[i] = 1425652437e9+int64(i)*1e9, float64(i)*7e8
	}
	for _, size := range []int{1, 6, 60, 3600} {
		_, offs := AppendGroups(nil, nil, ts, int64(size)*1e9)
		b.Run(fmt.Sprintf("method=%s/group=%d", CounterRate, size), func(b *testing.B) {
			var agg Aggregator
			var increases []float64
			var nanos []int64
			dst := make([]float64, 0, len(offs))
			b.ReportAllocs()
			for b.Loop() {
				increases, nanos = AppendIncreases(increases[:0], nanos[:0], ts, vs, ts[0], 0)
				agg.AppendCounter(dst, CounterRate, offs, increases, nanos)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/samples, "ns/sample")
		})
	}
}

func BenchmarkAppendGroups(b *testing.B) {
	ts := make([]int64, 1<<16)
	for i := range ts {
		ts[i] = 1425652437e9 + int64(i)*1e9
	}
	for _, width := range []int64{1e9, 60e9, 3600e9} {
		b.Run(fmt.Sprintf("seconds=%d", width/1e9), func(b *testing.B) {
			var starts []int64
			var offs []int32
			for b.Loop() {
				starts, offs = AppendGroups(starts[:0], offs[:0], ts, width)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(ts)), "ns/sample")
		})
	}
}
