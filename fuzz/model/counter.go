package model

import "math"

// isCounter tells whether a method is of counters.
func isCounter(method string) bool { return method == "counter:increase" || method == "counter:rate" }

// Counters works counter:increase or counter:rate out for groups of a width in nanoseconds, from all samples there have been: between
// each sample and the one before it a counter has gone up by something, and that counts in the group of the later one.
func Counters(method string, widthNanos int64, samples []Point) []Point {
	var out []Point
	covered := int64(0) // by the group of the last point
	finish := func() {
		if n := len(out); n > 0 {
			if out[n-1].Value < 0 {
				out[n-1].Value = 0
			}
			if method == "counter:rate" {
				out[n-1].Value /= float64(covered) / 1e9
			}
		}
	}
	for i := range samples {
		if i == 0 || unknown(samples[i-1].Value) || unknown(samples[i].Value) {
			continue
		}
		start := floor(samples[i].Time, widthNanos)
		if n := len(out); n == 0 || out[n-1].Time != start {
			finish()
			out, covered = append(out, Point{Time: start}), 0
		}
		covered += samples[i].Time - samples[i-1].Time
		out[len(out)-1].Value += wentUp(samples[i-1].Value, samples[i].Value)
	}
	finish()
	return out
}

func unknown(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

func wentUp(before, after float64) float64 {
	if after >= before || after >= before/2 {
		return after - before // or down by a little: a correction
	}
	if after < 0 {
		return 0
	}
	return after // since it began at 0 again
}
