package report

import "testing"

func TestNumber(t *testing.T) {
	f := func(v float64, unit, want string) {
		t.Helper()
		if got := Number(v, unit); got != want {
			t.Errorf("%v %q: %q, want %q", v, unit, got, want)
		}
	}
	f(0.155, "ms", "155 µs")
	f(1449, "us", "1.45 ms")
	f(4300, "ms", "4.30 s")
	f(0.9996, "ms", "1.00 ms")
	f(2.69, "ns", "2.69 ns")
	f(66, "s", "66 s")
	f(0, "us", "0 ns")
	f(1594109, "measures/s", "1.59 M measures/s")
	f(132500, "samples/s", "132 k samples/s")
	f(6625, "samples/s", "6,625 samples/s")
	f(1072.4, "B/sample", "1,070 B/sample")
	f(0.0219, "% of a core", "0.0219 % of a core")
	f(2048, "MiB", "2 GiB")
	f(95.2, "MiB", "95.2 MiB")
	f(1e9, "B", "954 MiB")
	f(3710000, "", "3,710,000")
	f(-1234, "", "-1,234")
	f(1.5, "x", "×1.50")
	f(0.00001234, "B/sample", "1.23e-05 B/sample")
}
