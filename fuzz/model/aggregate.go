package model

import (
	"math"
	"sort"
	"strconv"
	"strings"
)

// Aggregate cuts samples, ascending by time, into groups of a width in nanoseconds and works a method out for each; groups that
// yield no point are left out. The method is one of the 108 that are not rates.
func Aggregate(method string, widthNanos int64, samples []Point) []Point {
	var out []Point
	for len(samples) > 0 {
		start := floor(samples[0].Time, widthNanos)
		var group []float64
		for len(samples) > 0 && floor(samples[0].Time, widthNanos) == start {
			group = append(group, samples[0].Value)
			samples = samples[1:]
		}
		if v, ok := ofGroup(method, group); ok {
			out = append(out, Point{start, v})
		}
	}
	return out
}

// ofGroup works a method out for the values of a group, at least one, in order of time.
func ofGroup(method string, values []float64) (float64, bool) {
	n := len(values)
	sorted := append([]float64(nil), values...)
	sort.SliceStable(sorted, func(i, j int) bool { return less(sorted[i], sorted[j]) })
	switch method {
	case "count":
		return float64(n), true
	case "first":
		return values[0], true
	case "last":
		return values[n-1], true
	case "min":
		return sorted[0], true
	case "max":
		return sorted[n-1], true
	case "sum":
		return sum(values), true
	case "mean":
		return sum(values) / float64(n), true
	case "std":
		return deviation(values), n > 1
	case "median":
		if n%2 == 1 {
			middle := sorted[n/2]
			return (middle + middle) / 2, true // beyond half of the largest number this is infinite, as in Gnocchi
		}
		return (sorted[n/2-1] + sorted[n/2]) / 2, true
	}
	percent, err := strconv.Atoi(strings.TrimSuffix(method, "pct"))
	return percentile(sorted, percent), err == nil
}

// less sorts NaN behind every number.
func less(a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return !math.IsNaN(a) && math.IsNaN(b)
	}
	return a < b
}

// sum starts from 0, so minus zeros add up to plus zero.
func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

func deviation(values []float64) float64 {
	mean := sum(values) / float64(len(values))
	var squares []float64
	for _, v := range values {
		squares = append(squares, float64((v-mean)*(v-mean)))
	}
	return math.Sqrt(sum(squares) / float64(len(values)-1))
}

func percentile(sorted []float64, percent int) float64 {
	position := float64(float64(len(sorted)-1) * (float64(percent) / 100))
	below, above := math.Floor(position), math.Ceil(position)
	if below == above {
		return sorted[int(below)]
	}
	return float64(sorted[int(below)]*(above-position)) + float64(sorted[int(above)]*(position-below))
}
