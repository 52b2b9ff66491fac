package encoding

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// BenchmarkBlock measures the shapes of block_test.go:
//
//	go test ./encoding -run '^$' -bench Block
func BenchmarkBlock(b *testing.B) {
	for _, shape := range shapes {
		ts, vs := times("step", 1, 1024), series(shape.name, 1, 1024)
		blocks := []peerBlock{{0, ts, vs}}
		for _, effort := range []Effort{Fast, Cold} {
			b.Run("shape="+shape.name+"/effort="+strconv.Itoa(int(effort)), func(b *testing.B) { benchmarkPeer(b, blocks, effort) })
		}
	}
}

func BenchmarkUnpack(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, k := range []uint{1, 4, 7, 11, 22, 40, 52, 60} {
		var u [128]uint64
		for i := range u {
			u[i] = r.Uint64()
		}
		src := append(appendPacked(nil, u[:], k), make([]byte, 8)...)
		b.Run("width="+strconv.Itoa(int(k)), func(b *testing.B) {
			for b.Loop() {
				unpack(u[:], src, 0, k)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(u)), "ns/value")
		})
	}
}

// BenchmarkRange reads an hour of 300 s samples, 12 rows, somewhere in a block: parse, find the rows, times and values.
func BenchmarkRange(b *testing.B) {
	var e Encoder
	for _, shape := range []string{"counter", "decimal", "mean", "noise", "held"} {
		for _, rows := range []int{288, 1024, 4096} {
			ts, vs := times("jitter", 1, rows), series(shape, 1, rows)
			src := e.AppendBlock(nil, ts, []Column{{Values: vs}}, Fast)
			b.Run("shape="+shape+"/rows="+strconv.Itoa(rows), func(b *testing.B) {
				b.ReportAllocs()
				at := 0
				var t []int64
				var v []float64
				for b.Loop() {
					at = (at*7 + 131) % (rows - 12)
					blk, err := ParseBlock(src)
					if err != nil {
						b.Fatal(err)
					}
					i, j, err := blk.Range(ts[at], ts[at+12])
					if err == nil {
						t, err = blk.AppendTimes(t[:0], i, j)
					}
					if err == nil {
						v, err = blk.AppendValues(v[:0], 0, i, j)
					}
					if err != nil || len(t) != 12 || len(v) != 12 {
						b.Fatal(err, len(t), len(v))
					}
				}
			})
		}
	}
}

// BenchmarkSmall measures short blocks, where the heads weigh most.
func BenchmarkSmall(b *testing.B) {
	for _, shape := range []string{"counter", "decimal", "noise"} {
		for _, rows := range []int{1, 10, 60, 100} {
			blocks := []peerBlock{{0, times("step", 1, rows), series(shape, 1, rows)}}
			b.Run("shape="+shape+"/rows="+strconv.Itoa(rows), func(b *testing.B) { benchmarkPeer(b, blocks, Fast) })
		}
	}
}
