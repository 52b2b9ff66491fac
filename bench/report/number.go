package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// step is a larger or smaller form of a unit.
type step struct {
	least float64 // of the base unit
	unit  string
}

// Durations are reckoned in microseconds, the rest in the unit itself.
var (
	durations = []step{{1e6, "s"}, {1e3, "ms"}, {1, "µs"}, {1e-3, "ns"}}
	binary    = []step{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, "B"}}
	micros    = map[string]float64{"s": 1e6, "ms": 1e3, "us": 1, "µs": 1, "ns": 1e-3}
)

// Number writes v, a figure in unit, with three significant digits and the unit, in a larger or smaller unit where that reads better.
// Counts, which have no unit, keep all their digits.
func Number(v float64, unit string) string {
	base, per, isRatio := strings.Cut(unit, "/")
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case unit == "":
		return count(v)
	case unit == "x":
		return "×" + digits(v)
	case micros[unit] > 0:
		return stepped(v*micros[unit], durations)
	case unit == "B":
		return stepped(v, binary)
	case unit == "MiB":
		return stepped(v*(1<<20), binary)
	case isRatio && per == "s":
		return rate(v, base)
	case strings.HasPrefix(unit, "%"):
		return digits(v) + " " + unit
	}
	return digits(v) + " " + unit
}

func stepped(v float64, steps []step) string {
	last := steps[len(steps)-1]
	for _, s := range steps {
		if math.Abs(v) >= s.least*0.9995 {
			last = s
			break
		}
	}
	return digits(v/last.least) + " " + last.unit
}

func rate(v float64, of string) string {
	switch a := math.Abs(v); {
	case a >= 999.5e3:
		return digits(v/1e6) + " M " + of + "/s"
	case a >= 9995:
		return digits(v/1e3) + " k " + of + "/s"
	}
	return digits(v) + " " + of + "/s"
}

// digits writes three significant digits, and whole numbers as they are.
func digits(v float64) string {
	a := math.Abs(v)
	switch {
	case a == math.Trunc(a) && a < 1e15:
		return count(v)
	case a >= 999.5:
		return count(round3(v))
	case a >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a < 1e-4:
		return fmt.Sprintf("%.3g", v)
	}
	return strconv.FormatFloat(v, 'f', 2-int(math.Floor(math.Log10(a))), 64)
}

// count writes a whole number with commas.
func count(v float64) string {
	text := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	sign, text := text[:len(text)-len(strings.TrimPrefix(text, "-"))], strings.TrimPrefix(text, "-")
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return sign + text
}

// round3 keeps three significant digits.
func round3(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return v
	}
	return r
}
