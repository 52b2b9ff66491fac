package encoding

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// columnCodecs returns the codec and presence of each column.
func columnCodecs(t *testing.T, src []byte) (codecs, presences []byte) {
	t.Helper()
	b, err := ParseBlock(src)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.Columns() {
		c, err := b.column(i)
		if err != nil {
			t.Fatal(err)
		}
		p := byte(presentAll)
		if c.alias >= 0 {
			p = presentAlias
		} else if c.presence.own {
			p = presentOwn
		}
		codecs, presences = append(codecs, c.codec), append(presences, p)
	}
	return codecs, presences
}

// TestReferences: columns that others can give take a few bytes.
func TestReferences(t *testing.T) {
	const rows = 300
	r := rand.New(rand.NewPCG(20260107, 1))
	sum, count, mean, other := make([]float64, rows), make([]float64, rows), make([]float64, rows), make([]float64, rows)
	for i := range sum {
		count[i] = float64(1 + r.IntN(60))
		sum[i] = float64(r.IntN(1e6)) / 100
		mean[i] = sum[i] / count[i]
		other[i] = r.Float64()
	}
	half := alternate(rows)
	rest := make([]uint64, len(half))
	for i := range half {
		rest[i] = ^half[i]
	}
	const own = 255 // any codec with bytes of its own
	for _, tc := range []struct {
		name      string
		cols      []Column
		codecs    []byte
		presences []byte
	}{
		{"one sample a bucket", []Column{{ID: 1, Values: sum}, {ID: 2, Values: sum}, {ID: 3, Values: sum}}, []byte{own, valuesAlias, valuesAlias}, nil},
		{"mean before sum and count", []Column{{ID: 1, Values: mean}, {ID: 2, Values: sum}, {ID: 3, Values: count}}, []byte{valuesQuotient, own, own}, nil},
		{"mean behind", []Column{{ID: 1, Values: sum}, {ID: 2, Values: count}, {ID: 3, Values: mean}, {ID: 4, Values: mean}}, []byte{own, own, own, valuesAlias}, nil},
		{"nothing in common", []Column{{ID: 1, Values: sum}, {ID: 2, Values: other}}, []byte{own, own}, nil},
		{"constants", []Column{{Values: make([]float64, rows)}, {ID: 1, Values: make([]float64, rows)}}, []byte{valuesConst, valuesConst}, nil},
		{"half of the rows", []Column{
			{ID: 1, Values: sum},
			{ID: 2, Values: sum[:rows/2], Present: half},
			{ID: 3, Values: other[:rows/2], Present: half},
			{ID: 4, Values: sum[:rows/2], Present: half},
			{ID: 5, Values: sum[:rows/2], Present: rest},
			{ID: 6, Values: nil, Present: make([]uint64, len(half))},
		}, []byte{own, own, own, valuesAlias, own, valuesConst}, []byte{presentAll, presentOwn, presentAlias, presentAlias, presentOwn, presentOwn}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var e Encoder
			ts := times("step", 1, rows)
			for _, effort := range []Effort{Fast, Cold} {
				src := e.AppendBlock(nil, ts, tc.cols, effort)
				checkBlock(t, r, src, ts, tc.cols)
				codecs, presences := columnCodecs(t, src)
				for i, c := range codecs {
					if reference := c == valuesAlias || c == valuesQuotient || c == valuesConst; tc.codecs[i] != own && c != tc.codecs[i] || tc.codecs[i] == own && reference {
						t.Errorf("codecs %v, want %v", codecs, tc.codecs)
					}
				}
				if tc.presences != nil && !slices.Equal(presences, tc.presences) {
					t.Errorf("presences %v, want %v", presences, tc.presences)
				}
				b, _ := ParseBlock(src)
				for i, c := range tc.cols {
					if col, ok := b.Find(c.ID); !ok || col != i || b.ID(i) != c.ID {
						t.Errorf("id %d is at %d, %v", c.ID, col, ok)
					}
				}
				if _, ok := b.Find(999); ok {
					t.Error("found a column that isn't there")
				}
			}
		})
	}
}

// TestPresence goes through bitmaps of all kinds.
func TestPresence(t *testing.T) {
	const seed = 20260108
	r := rand.New(rand.NewPCG(seed, 1))
	var e Encoder
	for _, rows := range []int{1, 63, 64, 65, 300, 1000} {
		for _, gap := range []int{1, 2, 10, 2000} { // mean length of a run
			m := make([]uint64, (rows+63)/64)
			set := r.IntN(2) == 0
			n := 0
			for i := range rows {
				if r.IntN(gap) == 0 {
					set = !set
				}
				if set {
					m[i/64] |= 1 << (i % 64)
					n++
				}
			}
			cols := []Column{{Values: series("decimal", seed, n), Present: m}, {ID: 1, Values: series("noise", seed, n), Present: slices.Clone(m)}}
			ts := times("jitter", seed, rows)
			checkBlock(t, r, e.AppendBlock(nil, ts, cols, Fast), ts, cols)
		}
	}
}

// TestHint: what comes of a right hint is no larger than without, and a wrong one does no harm.
func TestHint(t *testing.T) {
	const seed = 20260109
	r := rand.New(rand.NewPCG(seed, 1))
	var e Encoder
	ts := times("step", 1, 1024)
	hints := map[string]Hint{"nothing": 0, "all ones": math.MaxUint64}
	for _, s := range shapes {
		cols := []Column{{Values: series(s.name, seed, 1024)}}
		plain := e.AppendBlock(nil, ts, cols, Fast)
		var h Hint
		e.SetHint(&h)
		for range 40 { // past the next full search
			src := e.AppendBlock(nil, ts, cols, Fast)
			if len(src) > len(plain)+len(plain)/20 {
				t.Errorf("%s: %d bytes with a hint, %d without", s.name, len(src), len(plain))
			}
			checkBlock(t, r, src, ts, cols)
		}
		e.SetHint(nil)
		hints[s.name] = h
	}
	for name, hint := range hints {
		for _, s := range shapes {
			cols := []Column{{Values: series(s.name, seed, 200)}}
			h := hint
			e.SetHint(&h)
			src := e.AppendBlock(nil, ts[:200], cols, Fast)
			e.SetHint(nil)
			checkBlock(t, r, src, ts[:200], cols)
			if plain := e.AppendBlock(nil, ts[:200], cols, Fast); len(src) > 2*len(plain)+64 {
				t.Errorf("%s with the hint of %s: %d bytes, %d without", s.name, name, len(src), len(plain))
			}
		}
	}
}

// TestNoAllocations: reading into slices with room allocates nothing, nor does an encoder that has seen such a block.
func TestNoAllocations(t *testing.T) {
	var e Encoder
	for _, s := range shapes {
		ts := times("jitter", 1, 1000)
		cols := []Column{{Values: series(s.name, 1, 1000)}, {ID: 1, Values: series(s.name, 1, 500), Present: alternate(1000)}}
		src := e.AppendBlock(nil, ts, cols, Fast)
		gotT, gotV := make([]int64, 0, 1000), make([]float64, 0, 1000)
		decode := testing.AllocsPerRun(5, func() {
			b, err := ParseBlock(src)
			if err == nil {
				_, err = b.AppendTimes(gotT, 0, 1000)
			}
			for col := range 2 {
				if err == nil {
					_, err = b.AppendValues(gotV, col, 100, 900)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		encode := testing.AllocsPerRun(5, func() { src = e.AppendBlock(src[:0], ts, cols, Fast) })
		if decode != 0 || encode != 0 {
			t.Errorf("%s: %v allocations decoding, %v encoding", s.name, decode, encode)
		}
	}
}

// TestVersions: what a later release may write is told from damage.
func TestVersions(t *testing.T) {
	var e Encoder
	src := e.AppendBlock(nil, times("step", 1, 2), []Column{{Values: []float64{1, 2}}}, Fast)
	body := src[:len(src)-checksumLen]
	for _, tc := range []struct {
		name string
		at   int
		to   byte
	}{
		{"block version", 0, 2},
		{"external times", 2, body[2]&^7 | timesExternal},
	} {
		damaged := slices.Clone(body)
		damaged[tc.at] = tc.to
		if _, err := ParseBlock(withChecksum(damaged)); !errors.Is(err, ErrVersion) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	at := 12 // the column's codec
	if body[at] != valuesInts {
		t.Fatalf("codec is %d", body[at])
	}
	damaged := slices.Clone(body)
	damaged[at] = 15
	b, err := ParseBlock(withChecksum(damaged))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.AppendValues(nil, 0, 0, 2); !errors.Is(err, ErrVersion) {
		t.Errorf("value codec 15: %v", err)
	}
}

// TestDescribeDamaged: a dump goes on as far as it can and names the damage.
func TestDescribeDamaged(t *testing.T) {
	var e Encoder
	src := e.AppendBlock(nil, times("step", 1, 200), []Column{{Values: series("decimal", 1, 200)}}, Fast)
	src[len(src)-10] ^= 4
	var out bytes.Buffer
	if err := Describe(&out, src); !errors.Is(err, ErrCorrupt) || !strings.Contains(out.String(), "checksum is") || !strings.Contains(out.String(), "n/100") {
		t.Errorf("a flipped bit: %v\n%s", err, out.String())
	}
	out.Reset()
	if err := Describe(&out, withChecksum(src[:40])); !errors.Is(err, ErrCorrupt) || !strings.Contains(out.String(), "unread") {
		t.Errorf("a cut: %v\n%s", err, out.String())
	}
	broken := errors.New("no room")
	if err := Describe(failingWriter{broken}, src); !errors.Is(err, broken) {
		t.Errorf("a failing writer: %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// TestMisuse: columns and times that can't be stored are the caller's mistake.
func TestMisuse(t *testing.T) {
	for _, tc := range []struct {
		name string
		ts   []int64
		cols []Column
	}{
		{"no rows", nil, nil},
		{"times that go back", []int64{2, 1}, nil},
		{"too few values", []int64{1, 2}, []Column{{Values: []float64{1}}}},
		{"short bitmap", make([]int64, 0, 65), []Column{{}}},
		{"values for absent rows", []int64{1, 2}, []Column{{Values: []float64{1, 2}, Present: []uint64{1}}}},
	} {
		if tc.name == "short bitmap" {
			tc.ts = times("step", 1, 65)
			tc.cols[0].Present = []uint64{1}
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", tc.name)
				}
			}()
			var e Encoder
			e.AppendBlock(nil, tc.ts, tc.cols, Fast)
		}()
	}
}
