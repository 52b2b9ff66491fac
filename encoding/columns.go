package encoding

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// source says where a column's values come from: its own bytes, or other columns.
type source struct {
	codec    byte // valuesAlias, valuesQuotient, or 0
	a, b     int
	presence byte
	like     int // presentAlias: the column
	used     bool
}

// appendColumns writes the number of columns' headers and payloads.
func (e *Encoder) appendColumns(dst []byte, rows int, cols []Column, effort Effort) []byte {
	e.sources = grow(&e.sources, len(cols))
	for i := range cols {
		e.sources[i] = source{}
		e.findPresence(rows, cols, i)
		e.findAlias(cols, i)
	}
	for i := range cols {
		e.findQuotient(cols, i)
	}
	for i := range cols {
		c, s := &cols[i], &e.sources[i]
		var hint *Hint
		if i == 0 {
			hint = e.hint
		}
		codec := s.codec
		var payload []byte
		switch codec {
		case valuesAlias:
			payload = binary.AppendUvarint(e.table[:0], uint64(s.a))
			e.table = payload
		case valuesQuotient:
			payload = binary.AppendUvarint(binary.AppendUvarint(e.table[:0], uint64(s.a)), uint64(s.b))
			e.table = payload
		default:
			codec, payload = e.encodeValues(c.Values, effort, hint)
		}
		dst = binary.AppendUvarint(dst, uint64(c.ID))
		dst = append(dst, codec|s.presence<<4)
		switch s.presence {
		case presentOwn:
			dst = appendPresence(dst, c.Present, rows)
		case presentAlias:
			dst = binary.AppendUvarint(dst, uint64(s.like))
		}
		if i+1 < len(cols) {
			dst = binary.AppendUvarint(dst, uint64(len(payload)))
		}
		dst = append(dst, payload...)
	}
	return dst
}

// findPresence decides how column i's bitmap is stored and checks the number of its values.
func (e *Encoder) findPresence(rows int, cols []Column, i int) {
	c, s := &cols[i], &e.sources[i]
	present := rows
	if c.Present != nil {
		if len(c.Present) < (rows+63)/64 {
			panic(fmt.Sprintf("encoding: column %d: bitmap of %d words for %d rows", c.ID, len(c.Present), rows))
		}
		present = countBits(c.Present, 0, rows)
	}
	if present != len(c.Values) {
		panic(fmt.Sprintf("encoding: column %d: %d values for %d present rows", c.ID, len(c.Values), present))
	}
	if present == rows {
		return
	}
	s.presence = presentOwn
	for j := range cols[:i] {
		if e.sources[j].presence == presentOwn && sameBitmap(c.Present, cols[j].Present, rows) {
			s.presence, s.like = presentAlias, j
			return
		}
	}
}

// samePresence tells whether columns i and j have values in the same rows.
func (e *Encoder) samePresence(i, j int) bool {
	owner := func(i int) int {
		switch s := &e.sources[i]; s.presence {
		case presentAll:
			return -1
		case presentAlias:
			return s.like
		}
		return i
	}
	return owner(i) == owner(j)
}

// findAlias looks for an earlier column with the same values.
func (e *Encoder) findAlias(cols []Column, i int) {
	if isConstColumn(cols[i].Values) {
		return
	}
	for j := range cols[:i] {
		if e.sources[j].codec == 0 && e.samePresence(i, j) && sameBits(cols[i].Values, cols[j].Values) {
			e.sources[i].codec, e.sources[i].a = valuesAlias, j
			e.sources[j].used = true
			return
		}
	}
}

// findQuotient looks for two columns that give column i when the one is divided by the other: a mean is a sum by a count.
func (e *Encoder) findQuotient(cols []Column, i int) {
	s := &e.sources[i]
	v := cols[i].Values
	if s.codec != 0 || s.used || isConstColumn(v) {
		return
	}
	for a := range cols {
		if a == i || e.sources[a].codec != 0 || !e.samePresence(i, a) || isConstColumn(cols[a].Values) {
			continue
		}
		for b := range cols {
			if b == i || b == a || e.sources[b].codec != 0 || !e.samePresence(i, b) {
				continue
			}
			if isQuotient(v, cols[a].Values, cols[b].Values) {
				s.codec, s.a, s.b = valuesQuotient, a, b
				e.sources[a].used, e.sources[b].used = true, true
				return
			}
		}
	}
}

func isConstColumn(vs []float64) bool { return len(vs) == 0 || isConst(vs) }

func sameBits(a, b []float64) bool {
	for i, v := range a {
		if math.Float64bits(v) != math.Float64bits(b[i]) {
			return false
		}
	}
	return true
}

func isQuotient(q, a, b []float64) bool {
	for i, v := range q {
		if math.Float64bits(a[i]/b[i]) != math.Float64bits(v) {
			return false
		}
	}
	return true
}

// countBits counts the bits set in [from,to).
func countBits(m []uint64, from, to int) int {
	n := 0
	for w := from / 64; w*64 < to; w++ {
		x := m[w]
		if w == from/64 {
			x &= ^uint64(0) << (from % 64)
		}
		if to-w*64 < 64 {
			x &= lowMask(uint(to - w*64))
		}
		n += bits.OnesCount64(x)
	}
	return n
}

func sameBitmap(a, b []uint64, rows int) bool {
	w := rows / 64
	return slices.Equal(a[:w], b[:w]) && (rows%64 == 0 || (a[w]^b[w])&lowMask(uint(rows%64)) == 0)
}

// Presence is stored as runs of absent and present rows in turn, or as the bitmap where that is smaller.
const (
	presenceBits = 0
	presenceRuns = 1
)

func appendPresence(dst []byte, m []uint64, rows int) []byte {
	at := len(dst)
	dst = append(dst, presenceRuns)
	size := (rows + 7) / 8
	for i, set := 0, false; i < rows; set = !set {
		from := i
		for i < rows && m[i/64]>>(i%64)&1 == 1 == set {
			i++
		}
		dst = binary.AppendUvarint(dst, uint64(i-from))
		if len(dst)-at > size {
			break
		}
	}
	if len(dst)-at <= size {
		return dst
	}
	dst = append(dst[:at], presenceBits)
	for i := range size {
		x := byte(m[i/8] >> (i % 8 * 8))
		if rest := rows - i*8; rest < 8 {
			x &= byte(lowMask(uint(rest)))
		}
		dst = append(dst, x)
	}
	return dst
}

// presence is a parsed bitmap; the zero value means that all rows are present.
type presence struct {
	src  []byte // bitmap or runs
	runs bool
	own  bool
}

// parsePresence reads a bitmap at src[o:] and returns the offset behind it.
func parsePresence(src []byte, o, rows int) (p presence, end int, err error) {
	if o >= len(src) {
		return p, 0, corruptf("presence bitmap is missing")
	}
	kind := src[o]
	o++
	p = presence{src: src[o:], own: true, runs: kind == presenceRuns}
	switch kind {
	case presenceBits:
		end = o + (rows+7)/8
		if end > len(src) {
			return p, 0, corruptf("presence bitmap is cut off")
		}
		p.src = src[o:end]
		return p, end, nil
	case presenceRuns:
		for sum := uint64(0); sum < uint64(rows); {
			n, e := uvarint(src, o)
			if e == 0 || n > uint64(rows)-sum {
				return p, 0, corruptf("presence runs are cut off")
			}
			sum, o = sum+n, e
		}
		return p, o, nil
	}
	return p, 0, versionf("presence kind %d", kind)
}

// count counts the present rows in [i,j).
func (p *presence) count(i, j int) int {
	switch {
	case !p.own:
		return j - i
	case !p.runs:
		n := 0
		for k := i; k < j; {
			x, step := p.src[k/8]>>(k%8), min(8-k%8, j-k)
			n += bits.OnesCount8(x & byte(lowMask(uint(step))))
			k += step
		}
		return n
	}
	n := 0
	p.eachRun(func(from, to int) {
		if from, to = max(from, i), min(to, j); from < to {
			n += to - from
		}
	}, j)
	return n
}

// eachRun calls f with each run of present rows up to row end.
func (p *presence) eachRun(f func(from, to int), end int) {
	row, o := 0, 0
	for set := false; row < end; set = !set {
		n, e := uvarint(p.src, o)
		if e == 0 {
			return
		}
		if set && n > 0 {
			f(row, row+int(n))
		}
		row, o = row+int(n), e
	}
}

// append appends words whose bit k%64 of word k/64 is row i+k.
func (p *presence) append(dst []uint64, i, j int) []uint64 {
	at := len(dst)
	dst = extend(dst, (j-i+63)/64)
	m := dst[at:]
	clear(m)
	set := func(from, to int) {
		for k := max(from, i) - i; k < min(to, j)-i; k++ {
			m[k/64] |= 1 << (k % 64)
		}
	}
	switch {
	case !p.own:
		set(i, j)
	case p.runs:
		p.eachRun(set, j)
	default:
		for k := i; k < j; k++ {
			if p.src[k/8]>>(k%8)&1 == 1 {
				set(k, k+1)
			}
		}
	}
	return dst
}
