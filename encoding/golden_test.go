package encoding

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type goldenBlock struct {
	name   string
	ts     []int64
	cols   []Column
	effort Effort
}

// goldenBlocks has at least one block of each codec.
func goldenBlocks() []goldenBlock {
	at := func(n int) []int64 { return times("step", 1, n) }
	raw := func(vs []float64) []Column { return []Column{{Values: vs}} }
	mean, sum, count := []float64{2.5, 3, 1}, []float64{5, 9, 1}, []float64{2, 3, 1}
	return []goldenBlock{
		{"one", at(1), raw([]float64{12.5}), Fast},
		{"constant", at(1024), raw(series("constant", 1, 1024)), Fast},
		{"decimal", at(300), raw(series("decimal", 1, 300)), Fast},
		{"counter", times("late timer", 1, 140), raw(series("counter", 1, 140)), Fast},
		{"mean", times("jitter", 1, 40), raw(series("mean", 1, 40)), Fast},
		{"multiple", times("gaps", 1, 70), raw(series("multiple", 1, 70)), Fast},
		{"exception", times("nanoseconds", 1, 64), raw(append(series("line", 1, 63), math.NaN())), Fast},
		{"line", times("slower", 1, 200), raw(series("line", 1, 200)), Fast},
		{"split", at(50), raw(series("noise", 1, 50)), Fast},
		{"bits", at(20), raw([]float64{1.1, 1.7, 1.2, 1.9, 1.3, 1.7, 1.15, 1.01, 1.77, 1.07, 1.11111111, math.Sqrt2, math.Phi, math.Ln2 * 2, math.Pi / 2, math.E / 2, 1.23456789, 1.987654321, 1.5, 1.6}), Fast},
		{"xor", at(700), raw(series("held", 4, 700)), Fast},
		{"dictionary", at(200), raw(series("states", 1, 200)), Fast},
		{"compressed", at(1024), raw(repeated(1024)), Cold},
		{"aggregates", at(3), []Column{{ID: 1, Values: mean}, {ID: 2, Values: sum}, {ID: 3, Values: count}, {ID: 4, Values: sum}, {ID: 5, Values: sum[:2], Present: []uint64{3}}, {ID: 6, Values: count[:2], Present: []uint64{3}}}, Fast},
	}
}

// repeated is noise that comes again and again, for which only a compressor has an eye.
func repeated(n int) []float64 {
	noise := series("noise", 1, 300)
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = math.Round(noise[i%len(noise)]*100) / 100
	}
	return vs
}

// TestGolden compares annotated dumps of blocks with testdata; -update rewrites them. A change there is a change of the format.
func TestGolden(t *testing.T) {
	var e Encoder
	seen := map[byte]bool{}
	for _, g := range goldenBlocks() {
		t.Run(g.name, func(t *testing.T) {
			src := e.AppendBlock(nil, g.ts, g.cols, g.effort)
			b, err := ParseBlock(src)
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.cols {
				c, err := b.column(i)
				if err != nil {
					t.Fatal(err)
				}
				seen[c.codec] = true
			}
			var out bytes.Buffer
			if err := Describe(&out, src); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", g.name+".golden")
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Bytes(), want) {
				t.Errorf("got\n%s\nwant\n%s", out.Bytes(), want)
			}
		})
	}
	for c := range byte(len(codecNames)) {
		if !seen[c] {
			t.Errorf("no golden block of codec %d, %s", c, codecNames[c])
		}
	}
}

// TestFormatNumbers pins the numbers that stored blocks rely on.
func TestFormatNumbers(t *testing.T) {
	for _, n := range []struct {
		name      string
		got, want int
	}{
		{"blockVersion", blockVersion, 1},
		{"MaxRows", MaxRows, 65536},
		{"timesStep", timesStep, 0}, {"timesInts", timesInts, 1}, {"timesGrid", timesGrid, 2}, {"timesExternal", timesExternal, 7},
		{"timeUnitGiven", timeUnitGiven, 4},
		{"valuesConst", valuesConst, 0}, {"valuesInts", valuesInts, 1}, {"valuesSplit", valuesSplit, 2}, {"valuesXor", valuesXor, 3},
		{"valuesDict", valuesDict, 4}, {"valuesLZ", valuesLZ, 5}, {"valuesAlias", valuesAlias, 6}, {"valuesQuotient", valuesQuotient, 7},
		{"presentAll", presentAll, 0}, {"presentOwn", presentOwn, 1}, {"presentAlias", presentAlias, 2},
		{"presenceBits", presenceBits, 0}, {"presenceRuns", presenceRuns, 1},
		{"kindValue", kindValue, 0}, {"kindDelta", kindDelta, 1}, {"kindDelta2", kindDelta2, 2},
		{"miniLogMin", miniLogMin, 6}, {"streamZigzag", streamZigzag, 4}, {"miniPatched", miniPatched, 128},
		{"scaleCodeDen", scaleCodeDen, 10}, {"scaleCodeBase", scaleCodeBase, 11}, {"scaleCodeBits", scaleCodeBits, 12},
		{"intsExceptions", intsExceptions, 16}, {"intsUlps", intsUlps, 32},
		{"xorRows", xorRows, 256},
	} {
		if n.got != n.want {
			t.Errorf("%s is %d, want %d", n.name, n.got, n.want)
		}
	}
}

// TestBitFlips flips each bit of the golden blocks: the checksum finds it, and with the checksum made right nothing worse than an
// error of a known kind or other numbers comes of it.
func TestBitFlips(t *testing.T) {
	var e Encoder
	for _, g := range goldenBlocks() {
		t.Run(g.name, func(t *testing.T) {
			src := e.AppendBlock(nil, g.ts, g.cols, g.effort)
			stride := 1 + len(src)/400 // a sample of the bits of long blocks is read on
			for bit := range len(src) * 8 {
				src[bit/8] ^= 1 << (bit % 8)
				if _, err := ParseBlock(src); !errors.Is(err, ErrCorrupt) {
					t.Fatalf("bit %d: %v", bit, err)
				}
				if bit/8 < len(src)-checksumLen && bit%stride == 0 {
					readAll(t, withChecksum(src[:len(src)-checksumLen]))
				}
				src[bit/8] ^= 1 << (bit % 8)
			}
			for n := range src { // and cut off anywhere
				if _, err := ParseBlock(src[:n]); !errors.Is(err, ErrCorrupt) {
					t.Fatalf("%d bytes: %v", n, err)
				}
				if n%stride == 0 {
					readAll(t, withChecksum(src[:n]))
				}
			}
		})
	}
}

func withChecksum(body []byte) []byte {
	out := append([]byte(nil), body...)
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(body, castagnoli))
}

// readAll reads what can be read of a block with a right checksum; every error must be of a known kind.
func readAll(t testing.TB, src []byte) {
	t.Helper()
	known := func(err error) {
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
			t.Fatalf("error of no known kind: %v", err)
		}
	}
	var out bytes.Buffer
	known(Describe(&out, src))
	b, err := ParseBlock(src)
	if known(err); err != nil {
		return
	}
	n := b.Len()
	i, j, err := b.Range(b.First()+1, b.Last())
	known(err)
	if i < 0 || i > j || j > n {
		t.Fatalf("range [%d,%d) of %d rows", i, j, n)
	}
	for _, r := range [][2]int{{0, n}, {i, j}, {n / 2, n}} {
		ts, err := b.AppendTimes(nil, r[0], r[1])
		if known(err); err == nil && len(ts) != r[1]-r[0] {
			t.Fatalf("%d times for %v", len(ts), r)
		}
		for c := range min(b.Columns(), 20) {
			_, err := b.AppendValues(nil, c, r[0], r[1])
			known(err)
			_, _, err = b.AppendPresent(nil, c, r[0], r[1])
			known(err)
			b.Find(b.ID(c))
		}
	}
}
