package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The sums make figures taken by different programs comparable: those of D1 and of the first two hours of D2.
func TestGeneratedSetsMatchTheirDefinition(t *testing.T) {
	for _, tc := range []struct {
		set              string
		ticks            int
		samples          int64
		rowsSum, listSum string
	}{
		{"D1", 0, 1_386_000, "5fc884001218943e6eaacd30fad09122a22228dd0c64f61ff2641c7e3ae2c53b",
			"f4b0ff5bf4f91cbe2ce517ccdde8f92d5a496998aeb265361a9e5d2c6385faba"},
		{"D2", 24, 240_000, "737be35f9cb225f8f6e13a4349c5c23f665828acfe85611fad7b8c8948eca49d", "8a0b0dea222543b65e6b79f044eca37031b9d32f91e728f7325952e66a606c94"},
	} {
		t.Run(tc.set, func(t *testing.T) {
			dir := t.TempDir()
			if err := Generate(dir, tc.set, tc.ticks); err != nil {
				t.Fatal(err)
			}
			set, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			if set.Samples != tc.samples {
				t.Errorf("%d samples, want %d", set.Samples, tc.samples)
			}
			if got := fileSum(t, filepath.Join(dir, All.file())); got != tc.rowsSum {
				t.Errorf("rows: SHA-256 %s, want %s", got, tc.rowsSum)
			}
			if got := fileSum(t, filepath.Join(dir, seriesFile)); got != tc.listSum {
				t.Errorf("series: SHA-256 %s, want %s", got, tc.listSum)
			}
		})
	}
}

func fileSum(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func TestPartsShareOutTheSeries(t *testing.T) {
	dir := t.TempDir()
	if err := Generate(dir, "D1", 3); err != nil {
		t.Fatal(err)
	}
	set, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		part Part
		want int
	}{{All, 210}, {Even, 105}, {Odd, 105}} {
		r, err := set.Read(tc.part)
		if err != nil {
			t.Fatal(err)
		}
		rows, n := make([]Sample, 64), 0
		for {
			got, err := r.Next(rows)
			if err != nil {
				t.Fatal(err)
			}
			if got == 0 {
				break
			}
			for _, s := range rows[:got] {
				if tc.part != All && Part(s.Series%2) != tc.part {
					t.Fatalf("series %d in part %d", s.Series, tc.part)
				}
			}
			n += got
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if n != tc.want {
			t.Errorf("part %d: %d samples, want %d", tc.part, n, tc.want)
		}
	}
}

func TestUnfinishedSetIsNone(t *testing.T) {
	w, err := Create(t.TempDir(), "x", 1000, []Series{{ID: 0, Metric: "m"}})
	if err != nil {
		t.Fatal(err)
	}
	w.Add(Sample{0, 1, 2})
	if _, err := Open(w.set.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("before Close: %v, want os.ErrNotExist", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(w.set.Dir); err != nil {
		t.Error(err)
	}
}

func TestPreparedOpensWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	if err := Generate(dir, "D1", 2); err != nil {
		t.Fatal(err)
	}
	if s, err := Prepared(dir, "D1"); err != nil || s.Samples != 140 {
		t.Errorf("%+v %v: want the short set that was there", s, err)
	}
	if _, err := Prepared(t.TempDir(), "D3"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("real set without a file: %v, want os.ErrNotExist", err)
	}
}

func TestGenerateRefusesUnknownSets(t *testing.T) {
	if err := Generate(t.TempDir(), "D9", 0); err == nil {
		t.Error("D9 was made")
	}
}

// appendPTS is the inverse of ReadPTS.
func appendPTS(dst []byte, times [][]int64, values [][]float64) []byte {
	dst = binary.AppendUvarint(append(dst, ptsMagic...), uint64(len(times)))
	for i := range times {
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(i)), uint64(len(times[i])))
		var time, delta int64
		for _, t := range times[i] {
			dst = binary.AppendVarint(dst, t-time-delta)
			time, delta = t, t-time
		}
		for plane := range 8 {
			for _, v := range values[i] {
				dst = append(dst, byte(math.Float64bits(v)>>(8*plane)))
			}
		}
	}
	return dst
}

func TestReadPTS(t *testing.T) {
	times := [][]int64{{1000, 2000, 2900, 4000}, {}, {-5}}
	values := [][]float64{{1, 2.5, math.Copysign(0, -1), 1e300}, {}, {0.1}}
	src := appendPTS(nil, times, values)
	gotTimes, gotValues, err := ReadPTS(src)
	if err != nil {
		t.Fatal(err)
	}
	for i := range times {
		if !slices.Equal(gotTimes[i], times[i]) || !slices.Equal(gotValues[i], values[i]) {
			t.Errorf("series %d: %v %v", i, gotTimes[i], gotValues[i])
		}
	}
	for n := range src {
		if _, _, err := ReadPTS(src[:n]); !errors.Is(err, errPTS) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

func FuzzReadPTS(f *testing.F) {
	f.Add(appendPTS(nil, [][]int64{{1, 2, 3}}, [][]float64{{1, 2, 3}}))
	f.Fuzz(func(t *testing.T, src []byte) {
		times, values, err := ReadPTS(src)
		if err != nil {
			return
		}
		for i := range times {
			if len(times[i]) != len(values[i]) {
				t.Fatalf("series %d: %d times, %d values", i, len(times[i]), len(values[i]))
			}
		}
	})
}

func TestFromColumnsMergesInTimeOrder(t *testing.T) {
	dir := t.TempDir()
	series := []Series{{ID: 0, Metric: "a"}, {ID: 1, Metric: "b"}}
	times, values := [][]int64{{10, 30}, {10, 20}}, [][]float64{{1, 3}, {1.5, 2}}
	if err := FromColumns(dir, "x", 10, series, times, values); err != nil {
		t.Fatal(err)
	}
	set, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if set.MinMillis != 10 || set.MaxMillis != 30 || set.Samples != 4 {
		t.Errorf("%+v", set)
	}
	r, err := set.Read(All)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rows := make([]Sample, 10)
	n, err := r.Next(rows)
	want := []Sample{{0, 10, 1}, {1, 10, 1.5}, {1, 20, 2}, {0, 30, 3}}
	if err != nil || !slices.Equal(rows[:n], want) {
		t.Errorf("%v %v, want %v", rows[:n], err, want)
	}
	gotTimes, gotValues, err := set.Columns()
	if err != nil || !slices.Equal(gotTimes[1], times[1]) || !slices.Equal(gotValues[0], values[0]) {
		t.Errorf("columns %v %v %v", gotTimes, gotValues, err)
	}
}

func TestReadSeriesRefusesGaps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.tsv")
	for _, text := range []string{"1\ta\tb\tc\td\te\tf\n", "0\ta\tb\n", "x"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSeries(path); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("0\ta\tb\tc\td\te\tf\n"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := ReadSeries(path); err != nil || len(s) != 1 {
		t.Errorf("%v %v", s, err)
	}
}
