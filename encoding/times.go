package encoding

import (
	"encoding/binary"
	"math/bits"
)

// timeUnits are the units that a block's first time and the distances between its times may be counted in.
var timeUnits = [...]int64{1, 1e3, 1e6, 1e9}

// Codecs of the time column.
const (
	timesStep     = 0 // first, first+step, first+2*step ...
	timesInts     = 1 // an integer stream of the distances from the first
	timesGrid     = 2 // the same, less row*step
	timesExternal = 7 // reserved: a 16-byte content hash of a column kept elsewhere
)

const timeUnitGiven = 4 // in place of a distance unit's number: a uvarint of nanoseconds follows

// appendTimes writes the time column.
func (e *Encoder) appendTimes(dst []byte, ts []int64, effort Effort) []byte {
	step, regular := constantStep(ts)
	if regular {
		return e.encodeTimes(dst, ts, step, regular, effort)
	}
	if known := e.findTimes(ts, effort); known != nil {
		return append(dst, known...)
	}
	at := len(dst)
	dst = e.encodeTimes(dst, ts, step, regular, effort)
	e.keepTimes(ts, effort, dst[at:])
	return dst
}

func (e *Encoder) encodeTimes(dst []byte, ts []int64, step uint64, regular bool, effort Effort) []byte {
	first := ts[0]
	fu := 0
	for fu+1 < len(timeUnits) && first%timeUnits[fu+1] == 0 {
		fu++
	}
	unit := uint64(timeUnits[0])
	if len(ts) > 1 {
		unit = distanceUnit(ts, step, regular)
	}
	du := timeUnitGiven
	for i, u := range timeUnits {
		if uint64(u) == unit {
			du = i
		}
	}
	form := byte(fu<<3 | du<<5)
	start := func(codec byte) {
		dst = append(dst, form|codec)
		dst = binary.AppendVarint(dst, first/timeUnits[fu])
		if du == timeUnitGiven {
			dst = binary.AppendUvarint(dst, unit)
		}
	}
	if regular {
		start(timesStep)
		if len(ts) > 1 {
			dst = binary.AppendUvarint(dst, step/unit)
		}
		return dst
	}
	x := grow(&e.x, len(ts))
	distances(x, ts, unit)
	last := x[len(x)-1]
	best := e.planInts(x, effort)
	// Timers that jitter: the distance from a regular grid has half the spread of the steps.
	grid := last / uint64(len(x)-1)
	y := grow(&e.y, len(x))
	var at uint64
	for i, v := range x {
		y[i] = v - at
		at += grid
	}
	flat := e.planFlat(y, effort)
	u := grow(&e.u, miniMax)
	e.tmp = best.append(e.tmp[:0], u, x)
	if size := len(e.tmp); flat.size(u, y, size)+uvarintLen(grid) < size {
		start(timesGrid)
		dst = binary.AppendUvarint(dst, last)
		dst = binary.AppendUvarint(dst, grid)
		return e.appendStream(dst, &flat, y)
	}
	start(timesInts)
	dst = binary.AppendUvarint(dst, last)
	dst = binary.AppendUvarint(dst, uint64(len(e.tmp)))
	return append(dst, e.tmp...)
}

// appendStream writes an integer stream behind its length.
func (e *Encoder) appendStream(dst []byte, p *plan, x []uint64) []byte {
	e.tmp = p.append(e.tmp[:0], grow(&e.u, miniMax), x)
	dst = binary.AppendUvarint(dst, uint64(len(e.tmp)))
	return append(dst, e.tmp...)
}

// constantStep tells whether all times are one step apart.
func constantStep(ts []int64) (step uint64, ok bool) {
	if len(ts) < 2 {
		return 0, true
	}
	s := ts[1] - ts[0]
	prev := ts[0]
	for _, t := range ts[1:] {
		if t-prev != s {
			return uint64(s), false
		}
		prev = t
	}
	return uint64(s), s > 0 // a step of 0 has no inverse, which finding a row needs
}

// distanceUnit is the greatest common divisor of the distances of neighbours. What isn't a whole number of microseconds counts in ns.
func distanceUnit(ts []int64, step uint64, regular bool) uint64 {
	if regular {
		for i := len(timeUnits) - 1; i > 0; i-- {
			if step%uint64(timeUnits[i]) == 0 {
				return uint64(timeUnits[i])
			}
		}
		return 1
	}
	g := step
	prev := ts[0]
	if ts[len(ts)-1] == prev {
		return 1 // all times are equal
	}
	for _, t := range ts[1:] {
		d := uint64(t - prev)
		prev = t
		if d == step || d == g {
			continue
		}
		for d != 0 {
			g, d = d, g%d
		}
		if g%1000 != 0 {
			return 1
		}
	}
	return g
}

// distances fills x with the units between the first time and each.
func distances(x []uint64, ts []int64, unit uint64) {
	first := ts[0]
	switch unit { // constant divisors are multiplications
	case 1:
		for i, t := range ts {
			x[i] = uint64(t - first)
		}
	case 1e6:
		for i, t := range ts {
			x[i] = uint64(t-first) / 1e6
		}
	case 1e9:
		for i, t := range ts {
			x[i] = uint64(t-first) / 1e9
		}
	default:
		for i, t := range ts {
			x[i] = uint64(t-first) / unit
		}
	}
}

// timeColumn is a parsed time column.
type timeColumn struct {
	codec  byte
	n      int
	first  int64
	span   uint64 // last less first, in units
	step   uint64 // timesStep, timesGrid: in units
	unit   uint64
	stream []byte
}

// parseTimes reads the time column of n rows at src[o:] and returns the offset behind it.
func parseTimes(src []byte, o, n int) (c timeColumn, end int, err error) {
	if o >= len(src) {
		return c, 0, corruptf("time column is missing")
	}
	f := src[o]
	c = timeColumn{codec: f & 7, n: n, unit: 1}
	if c.codec > timesGrid {
		return c, 0, versionf("time codec %d", c.codec)
	}
	z, o := uvarint(src, o+1)
	if o == 0 {
		return c, 0, corruptf("first time is cut off")
	}
	c.first = int64(unzigzag(z)) * timeUnits[f>>3&3]
	switch du := f >> 5; {
	case int(du) < len(timeUnits):
		c.unit = uint64(timeUnits[du])
	case du == timeUnitGiven:
		if c.unit, o = uvarint(src, o); o == 0 {
			return c, 0, corruptf("time unit is cut off")
		}
	default:
		return c, 0, versionf("time unit %d", du)
	}
	if c.unit == 0 {
		return c, 0, corruptf("time unit of 0 ns")
	}
	if c.codec == timesStep {
		if n > 1 {
			if c.step, o = uvarint(src, o); o == 0 {
				return c, 0, corruptf("time step is cut off")
			}
			hi, lo := bits.Mul64(c.step, c.unit)
			if hi2, span := bits.Mul64(lo, uint64(n-1)); hi != 0 || hi2 != 0 || lo == 0 || int64(uint64(c.first)+span) <= c.first {
				return c, 0, corruptf("%d steps of %d times %d ns", n-1, c.step, c.unit)
			}
			c.span = c.step * uint64(n-1)
		}
		return c, o, nil
	}
	if c.span, o = uvarint(src, o); o == 0 {
		return c, 0, corruptf("last time is cut off")
	}
	if c.codec == timesGrid {
		if c.step, o = uvarint(src, o); o == 0 {
			return c, 0, corruptf("grid step is cut off")
		}
	}
	size, o := uvarint(src, o)
	if o == 0 || size > uint64(len(src)-o) {
		return c, 0, corruptf("time column is cut off")
	}
	end = o + int(size)
	c.stream = src[o:end]
	return c, end, nil
}

func (c *timeColumn) last() int64 { return c.first + int64(c.span*c.unit) }

// rows returns the rows [i,j) with from <= time < to.
func (c *timeColumn) rows(from, to int64) (i, j int, err error) {
	var r intReader
	if c.codec != timesStep {
		if r, err = newIntReader(c.stream, c.n); err != nil {
			return 0, 0, err
		}
	}
	if i, err = c.lowerBound(&r, from); err != nil || to <= from {
		return i, i, err
	}
	j, err = c.lowerBound(&r, to)
	return i, max(i, j), err
}

// lowerBound returns the first row whose time is t or later, n if none is. It looks from the mini block of r on, and leaves r at
// the one where the row is, so that a later time may be looked for with it.
func (c *timeColumn) lowerBound(r *intReader, t int64) (int, error) {
	if t <= c.first {
		return 0, nil
	}
	if t > c.last() {
		return c.n, nil
	}
	x := divideUp(uint64(t)-uint64(c.first), c.unit) // the row is the first with a distance of x units
	if c.codec == timesStep {
		return int(divideUp(x, c.step)), nil
	}
	at, row := *r, r.row
	m, err := r.header()
	for err == nil && r.row < c.n { // find the mini block that begins last before x
		here := *r
		var next mini
		if next, err = r.header(); err != nil {
			return 0, err
		}
		if r.first(&next)+uint64(here.row)*c.step >= x {
			break
		}
		at, row, m = here, here.row, next
	}
	*r = at
	if err != nil {
		return 0, err
	}
	return c.search(at, row, &m, x)
}

// search returns the first row with a distance of at least x in the mini block m at the row, which r is to read next.
func (c *timeColumn) search(r intReader, row int, m *mini, x uint64) (int, error) {
	if r.kind == kindValue {
		lo, hi := row, row+m.rows
		for lo < hi {
			mid := int(uint(lo+hi) / 2)
			if r.value(m, mid-row)+uint64(mid)*c.step < x {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		return lo, nil
	}
	var buf [miniMax]uint64
	d, err := r.chunk(&buf, row, row+m.rows)
	if err != nil {
		return 0, err
	}
	for k, v := range d {
		if v+uint64(row+k)*c.step >= x {
			return row + k, nil
		}
	}
	return row + m.rows, nil
}

// divideUp is the quotient rounded up; (a+b-1)/b would overflow for times at both ends of their range.
func divideUp(a, b uint64) uint64 {
	q := a / b
	if q*b != a {
		q++
	}
	return q
}

// append appends the times of rows [i,j).
func (c *timeColumn) append(dst []int64, i, j int) ([]int64, error) {
	at := len(dst)
	if c.codec == timesStep {
		dst = extend(dst, j-i)
		step := c.step * c.unit
		fillStep(dst[at:], uint64(c.first)+uint64(i)*step, step)
		return dst, nil
	}
	r, err := newIntReader(c.stream, c.n)
	if err != nil {
		return dst, err
	}
	if err := r.skip(i); err != nil {
		return dst, err
	}
	dst = extend(dst, j-i)
	out := dst[at:]
	var buf [miniMax]uint64
	for len(out) > 0 {
		n, err := c.fill(out, &r, &buf, j-len(out))
		if err != nil {
			return dst[:at], err
		}
		out = out[n:]
	}
	return dst, nil
}

// fill fills dst with the times of the rows from row that lie in the mini block that r comes to next, and returns their number.
func (c *timeColumn) fill(dst []int64, r *intReader, buf *[miniMax]uint64, row int) (int, error) {
	first := r.row
	m, from, to, err := r.rows(row, row+len(dst))
	if err != nil {
		return 0, err
	}
	dst = dst[:to-from]
	unit, step := c.unit, c.step*c.unit
	switch {
	case r.kind == kindValue:
		u, err := r.packed(buf, &m, from, to)
		t := uint64(c.first) + uint64(row)*step + m.base*unit
		fillValues(dst, u, t, unit, step, r.zigzag)
		return len(dst), err
	case r.kind == kindDelta && m.width == 0:
		t := uint64(c.first) + uint64(first)*step + m.base*unit
		return len(dst), r.fillRuns(dst, &m, from, t, unit, step)
	}
	x, err := r.numbers(buf, &m, from, to)
	if err != nil {
		return 0, err
	}
	t := uint64(c.first) + uint64(row)*step
	fillValues(dst, x, t, unit, step, false)
	return len(dst), nil
}

// fillValues turns distances x, in units, from t and steps behind it into times.
func fillValues(dst []int64, x []uint64, t, unit, step uint64, folded bool) {
	dst = dst[:len(x)]
	switch {
	case folded:
		for k, v := range x {
			dst[k] = int64(t + unzigzag(v)*unit)
			t += step
		}
	case step == 0:
		for k, v := range x {
			dst[k] = int64(t + v*unit)
		}
	default:
		for k, v := range x {
			dst[k] = int64(t + v*unit)
			t += step
		}
	}
}

// fillRuns fills dst with times of the mini block m from its row from on. Its differences are the reference but for the patches, so
// that times lie in runs one step apart: timers that are late now and then. t is the time of the mini block's first row.
func (r *intReader) fillRuns(dst []int64, m *mini, from int, t, unit, step uint64) error {
	step += r.ref * unit
	to := from + len(dst)
	at := 0 // row whose time is t
	for q := range m.patches {
		place, d := r.patchAt(m, uint(q))
		p := int(place) + 1 // the row that is off
		if p <= at && q > 0 || p > m.count {
			return corruptf("patch at %d of %d", place, m.count)
		}
		if r.zigzag {
			d = unzigzag(d)
		}
		t = fillSteps(dst, at-from, p-from, t, step) + d*unit
		if at = p; at >= to {
			return nil
		}
	}
	fillSteps(dst, at-from, to-from, t, step)
	return nil
}

// fillSteps fills those of the places [i,j) that lie in dst with times from t on, a step apart, and returns the time of place j.
func fillSteps(dst []int64, i, j int, t, step uint64) uint64 {
	end := t + uint64(j-i)*step
	if i < 0 {
		t -= uint64(i) * step
		i = 0
	}
	if j = min(j, len(dst)); i < j {
		fillStep(dst[i:j], t, step)
	}
	return end
}

// fillStep fills dst with times from t on, a step apart.
func fillStep(dst []int64, t, step uint64) {
	for len(dst) >= 4 { // four at a time need not wait for each other
		d := (*[4]int64)(dst)
		d[0] = int64(t)
		d[1] = int64(t + step)
		d[2] = int64(t + 2*step)
		d[3] = int64(t + 3*step)
		t += 4 * step
		dst = dst[4:]
	}
	for k := range dst {
		dst[k] = int64(t)
		t += step
	}
}

// extend returns s with n more elements, allocating only where there is no room.
func extend[T any](s []T, n int) []T {
	if cap(s)-len(s) >= n {
		return s[:len(s)+n]
	}
	return append(s, make([]T, n)...)
}
