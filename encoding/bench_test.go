package encoding

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// BenchmarkBlock measures the shapes of block_test.go:
//
//	go test ./encoding -run XXX -bench Block
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
