package encoding

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkPeer measures blocks of prepared data sets. PEERDATA is the folder that holds them; without it there is nothing to
// do. PEERBLOCK is the rows of a block (1024), PEERLIMIT the most samples of a class (100000), PEERSETS the sets (D1,D2,D3):
//
//	PEERDATA=/data PEERBLOCK=4096 go test ./encoding -run '^$' -bench Peer
//
// A set is a folder with series.tsv (first field the number, last the class) and rows.bin (uint32 series, int64 ms, float64).
func BenchmarkPeer(b *testing.B) {
	root := os.Getenv("PEERDATA")
	if root == "" {
		return
	}
	rows, limit := envInt("PEERBLOCK", 1024), envInt("PEERLIMIT", 100000)
	sets := "D1,D2,D3"
	if s := os.Getenv("PEERSETS"); s != "" {
		sets = s
	}
	for _, set := range strings.Split(sets, ",") {
		classes, blocks, err := peerBlocks(filepath.Join(root, set), rows, limit)
		if err != nil {
			b.Fatal(err)
		}
		for _, class := range classes {
			for _, effort := range []Effort{Fast, Cold} {
				name := fmt.Sprintf("set=%s/class=%s/rows=%d/effort=%d", set, class, rows, effort)
				b.Run(name, func(b *testing.B) { benchmarkPeer(b, blocks[class], effort) })
			}
		}
	}
}

type peerBlock struct {
	series uint32
	ts     []int64
	vs     []float64
}

func benchmarkPeer(b *testing.B, blocks []peerBlock, effort Effort) {
	var e Encoder
	samples, size := 0, 0
	hints := map[uint32]*Hint{}
	enc := make([][]byte, len(blocks))
	col := make([]Column, 1)
	encode := func() {
		for i, p := range blocks {
			if hints[p.series] == nil {
				hints[p.series] = new(Hint)
			}
			e.SetHint(hints[p.series])
			col[0].Values = p.vs
			enc[i] = e.AppendBlock(enc[i][:0], p.ts, col, effort)
		}
	}
	encode()
	clear(hints)
	r := rand.New(rand.NewPCG(1, 1))
	for i, p := range blocks {
		samples += len(p.ts)
		size += len(enc[i])
		col[0].Values = p.vs
		checkBlock(b, r, enc[i], p.ts, col)
	}
	b.Run("op=encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			encode()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*samples), "ns/sample")
		b.ReportMetric(float64(size)/float64(samples), "bytes/sample")
		b.ReportMetric(float64(samples), "samples")
	})
	b.Run("op=decode", func(b *testing.B) {
		ts, vs := make([]int64, MaxRows), make([]float64, MaxRows)
		b.ReportAllocs()
		for b.Loop() {
			for _, src := range enc {
				blk, err := ParseBlock(src)
				if err == nil {
					_, err = blk.AppendTimes(ts[:0], 0, blk.Len())
				}
				if err == nil {
					_, err = blk.AppendValues(vs[:0], 0, 0, blk.Len())
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*samples), "ns/sample")
		b.ReportMetric(float64(samples), "samples")
	})
}

func envInt(name string, standard int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return standard
}

// peerBlocks cuts the series of a set into whole blocks by class.
func peerBlocks(dir string, rows, limit int) (classes []string, blocks map[string][]peerBlock, err error) {
	list, err := os.ReadFile(filepath.Join(dir, "series.tsv"))
	if err != nil {
		return nil, nil, err
	}
	var class []string
	for _, line := range strings.Split(strings.TrimSpace(string(list)), "\n") {
		class = append(class, line[strings.LastIndexByte(line, '\t')+1:])
	}
	ts, vs := make([][]int64, len(class)), make([][]float64, len(class))
	f, err := os.Open(filepath.Join(dir, "rows.bin"))
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	var row [20]byte
	for {
		if _, err := io.ReadFull(r, row[:]); err == io.EOF {
			break
		} else if err != nil {
			return nil, nil, err
		}
		s := binary.LittleEndian.Uint32(row[:])
		if s >= 2160 { // enough of each class
			continue
		}
		ts[s] = append(ts[s], int64(binary.LittleEndian.Uint64(row[4:]))*1e6)
		vs[s] = append(vs[s], math.Float64frombits(binary.LittleEndian.Uint64(row[12:])))
	}
	blocks = map[string][]peerBlock{}
	for s, c := range class {
		t, v := ts[s], vs[s]
		for k := 0; len(t) >= min(rows, max(1, len(ts[s]))) && len(blocks[c])*rows < limit; k++ {
			if k > 0 && len(blocks[c])%4 == 0 {
				break // on to the next series: blocks of many
			}
			m := min(rows, len(t))
			blocks[c] = append(blocks[c], peerBlock{uint32(s), t[:m:m], v[:m:m]})
			t, v = t[m:], v[m:]
			if len(t) < rows {
				break
			}
		}
	}
	for c := range blocks {
		classes = append(classes, c)
	}
	slices.Sort(classes)
	return classes, blocks, nil
}
