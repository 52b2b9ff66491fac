package gnocchi

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestParsePyFloat(t *testing.T) {
	good := func(s string, want float64) {
		t.Helper()
		got, ok := parsePyFloat(s)
		if !ok || got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%q: got %v %v, want %v", s, got, ok, want)
		}
	}
	bad := func(s string) {
		t.Helper()
		if got, ok := parsePyFloat(s); ok {
			t.Errorf("%q: got %v, want none", s, got)
		}
	}
	good("1", 1)
	good(" 1.5\n", 1.5)
	good("1e9", 1e9)
	good("+.5", 0.5)
	good("5.", 5)
	good("-1_000.5", -1000.5)
	good("nan", math.NaN())
	good("-Infinity", math.Inf(-1))
	good("INF", math.Inf(1))
	good("1e999", math.Inf(1))
	for _, s := range []string{"", " ", "1__0", "_1", "1_", "0x10", "1p3", "infi", "1,5", "--1", "1e", "é", "1 2", "."} {
		bad(s)
	}
}

func TestParseJSONNumber(t *testing.T) {
	for _, s := range []string{"0", "-0", "12", "43.1", "0.1", "1e3", "1E-7", "1.25e+10", "9007199254740991", "9007199254740993",
		"123456789012345678", "0.1234567890123456", "1234567890.12345678", "5.833333333333333", "1e-400", "2.2250738585072011e-308"} {
		want, err := strconv.ParseFloat(s, 64)
		got, ok := parseJSONNumber([]byte(s))
		if err != nil || !ok || math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%s: got %v %v, want %v", s, got, ok, want)
		}
	}
	if got, ok := parseJSONNumber([]byte("NaN")); !ok || !math.IsNaN(got) {
		t.Errorf("NaN: got %v %v", got, ok)
	}
	for _, s := range []string{"", "-", "01", "1.", ".5", "1e", "1e+", "+1", "--1", "1-", "nan", "inf", "1e400", "1.5.5", "1e5.5"} {
		if got, ok := parseJSONNumber([]byte(s)); ok {
			t.Errorf("%s: got %v, want none", s, got)
		}
	}
}

func TestAppendPyFloat(t *testing.T) {
	f := func(v float64, want string) {
		t.Helper()
		if got := string(appendPyFloat(nil, v)); got != want {
			t.Errorf("%g: got %s, want %s", v, got, want)
		}
	}
	f(12, "12.0")
	f(0, "0.0")
	f(math.Copysign(0, -1), "-0.0")
	f(-3, "-3.0")
	f(43.1, "43.1")
	f(-0.25, "-0.25")
	f(0.001, "0.001")
	f(5.833333333333333, "5.833333333333333")
	f(137.70499999999998, "137.70499999999998")
	f(0.0001, "0.0001")
	f(0.00001, "1e-05")
	f(1e15, "1000000000000000.0")
	f(1234567890123456, "1234567890123456.0")
	f(9999999999999998, "9999999999999998.0")
	f(1e16, "1e+16")
	f(1.7320508075688775e20, "1.7320508075688775e+20")
	f(3e20, "3e+20")
	f(1e100, "1e+100")
	f(5e-324, "5e-324")
	f(math.NaN(), "NaN")
	f(math.Inf(1), "Infinity")
	f(math.Inf(-1), "-Infinity")
}

// slowPyFloat is appendPyFloat without its short cuts.
func slowPyFloat(f float64) string {
	if abs := math.Abs(f); abs != 0 && (abs >= 1e16 || abs < 1e-4) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func TestAppendPyFloatRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 50_000 {
		f := math.Float64frombits(rng.Uint64())
		switch rng.IntN(3) {
		case 0:
			f = float64(rng.Int64N(1<<54)-1<<53) / math.Pow10(rng.IntN(6))
		case 1:
			f = math.Round(f*1000) / 1000
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		if got, want := string(appendPyFloat(nil, f)), slowPyFloat(f); got != want {
			t.Fatalf("%x: got %s, want %s", math.Float64bits(f), got, want)
		}
	}
}

func FuzzParseJSONNumber(f *testing.F) {
	for _, s := range []string{"0", "-12.5e3", "0.1234567890123456789", "1e400", "NaN", "01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseJSONNumber([]byte(s))
		if !ok || s == "NaN" {
			return
		}
		want, err := strconv.ParseFloat(s, 64)
		if err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%q: got %v, want %v %v", s, got, want, err)
		}
	})
}
