package query

import "math"

// Fill says what takes the place of points that some series of an aggregate lack.
type Fill struct {
	Mode  FillMode
	Value float64 // of FillValue
}

// FillMode is a way to fill holes.
type FillMode uint8

// The ways to fill holes. With FillDrop and those that take neighbours, points that are not finite are left out of the result.
const (
	FillNone         FillMode = iota // holes stay, and NeededOverlap is looked at
	FillNull                         // holes are NaN
	FillDrop                         // holes are NaN
	FillForward                      // the last value before, if there is one
	FillBackward                     // the next value after, if there is one
	FillForwardFull                  // forward, then backward
	FillBackwardFull                 // backward, then forward
	FillValue                        // Value
)

// ParseFill reads the name of a fill; numbers are not among them.
func ParseFill(s string) (Fill, bool) {
	switch s {
	case "null":
		return Fill{Mode: FillNull}, true
	case "dropna":
		return Fill{Mode: FillDrop}, true
	case "ffill":
		return Fill{Mode: FillForward}, true
	case "bfill":
		return Fill{Mode: FillBackward}, true
	case "full_ffill":
		return Fill{Mode: FillForwardFull}, true
	case "full_bfill":
		return Fill{Mode: FillBackwardFull}, true
	}
	return Fill{}, false
}

// drops tells whether points that are not finite are left out in the end.
func (f Fill) drops() bool { return f.Mode >= FillDrop && f.Mode <= FillBackwardFull }

// hole is what a series has at a time at which it has no point, before neighbours are looked at.
func (f Fill) hole() float64 {
	if f.Mode == FillValue {
		return f.Value
	}
	return math.NaN()
}

// neighbours tells whether holes are filled from around them. They are then filled with NaNs that were stored, too.
func (f Fill) neighbours() bool { return f.Mode >= FillForward && f.Mode <= FillBackwardFull }

// apply fills the NaNs of a column from their neighbours, in place.
func (f Fill) apply(col []float64) {
	switch f.Mode {
	case FillForward:
		fillForward(col)
	case FillBackward:
		fillBackward(col)
	case FillForwardFull:
		fillForward(col)
		fillBackward(col)
	case FillBackwardFull:
		fillBackward(col)
		fillForward(col)
	}
}

func fillForward(col []float64) {
	last := math.NaN()
	for i, v := range col {
		if v != v {
			col[i] = last
		} else {
			last = v
		}
	}
}

func fillBackward(col []float64) {
	next := math.NaN()
	for i := len(col) - 1; i >= 0; i-- {
		if v := col[i]; v != v {
			col[i] = next
		} else {
			next = v
		}
	}
}
