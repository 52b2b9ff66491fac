package rollup

import "testing"

// TestMethodNumbers pins the numbers, which are stored.
func TestMethodNumbers(t *testing.T) {
	for name, want := range map[string]Method{
		"mean": 1, "sum": 2, "last": 3, "max": 4, "min": 5, "std": 6, "median": 7, "first": 8, "count": 9,
		"1pct": 101, "95pct": 195, "99pct": 199,
		"counter:increase": 201, "counter:rate": 202,
		"rate:mean": 0x8001, "rate:count": 0x8009, "rate:1pct": 0x8065, "rate:99pct": 0x80c7,
	} {
		if m, ok := ParseMethod(name); !ok || m != want || m.String() != name {
			t.Errorf("%s: got %d %v %s, want %d", name, m, ok, m, want)
		}
	}
}

func TestMethods(t *testing.T) {
	ms := Methods()
	seen := map[Method]bool{}
	for _, m := range append(CounterMethods(), ms...) {
		back, ok := ParseMethod(m.String())
		if !ok || back != m || !m.Valid() || seen[m] {
			t.Errorf("%d %s: parsed as %d %v, valid %v, seen %v", m, m, back, ok, m.Valid(), seen[m])
		}
		seen[m] = true
	}
	if len(ms) != 216 || ms[0] != Mean || ms[8] != Count || ms[9] != Pct(1) || ms[108] != Mean.OfRate() {
		t.Errorf("%d methods: %v", len(ms), ms)
	}
	valid := 0
	for i := range 1 << 16 {
		if Method(i).Valid() {
			valid++
		}
	}
	if valid != 218 {
		t.Errorf("%d numbers are valid, want 218", valid)
	}
}

func TestParseMethodRefuses(t *testing.T) {
	for _, s := range []string{"", "Mean", "mean ", "pct", "0pct", "00pct", "05pct", "100pct", "-5pct", "+5pct", "5.5pct", "5PCT",
		"counter:", "counter:mean", "rate:counter:rate", "Counter:rate",
		"rate:", "rate:rate:mean", "rate:100pct", "var", "*", "+mean", "quantile"} {
		if m, ok := ParseMethod(s); ok {
			t.Errorf("%q: taken as %s", s, m)
		}
	}
}

func TestMethodParts(t *testing.T) {
	m := Pct(95).OfRate()
	if !m.Rate() || m.Base() != Pct(95) || m.Base().Rate() || m.Percentile() != 95 || Mean.Percentile() != 0 {
		t.Errorf("%s: rate %v, base %s, percentile %d", m, m.Rate(), m.Base(), m.Percentile())
	}
	for _, n := range []int{-1, 0, 100, 200} {
		if Pct(n) != 0 {
			t.Errorf("Pct(%d) = %d, want 0", n, Pct(n))
		}
	}
	if s := Method(77).String(); s != "Method(77)" {
		t.Error(s)
	}
}
