package simplequery

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseTime reads a time of a filter, ISO 8601, in nanoseconds since the Unix epoch. An offset is dropped, not applied: that is how the
// original compares. Times before or after all that can be stored come out as math.MinInt64 or math.MaxInt64. name is for the error.
func ParseTime(name, value string) (int64, error) {
	t, _, ok := ParseISO(value)
	if !ok {
		return 0, Invalid(name, value, "invalid timestamp format")
	}
	_, offset := t.Zone()
	return Nanos(t.Add(time.Duration(offset) * time.Second)), nil
}

// Nanos is a time in nanoseconds since the Unix epoch, or the nearest there is.
func Nanos(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// ParseISO reads ISO 8601 in the forms that the original takes: dates as YYYY, YYYY-MM, YYYY-MM-DD or YYYYMMDD; then T or a blank and
// hh, hh:mm, hh:mm:ss or without colons, with a fraction of a second behind . or ,; then Z or an offset. zoned tells whether the text
// has one of these; without, the time is UTC. Digits beyond nanoseconds are dropped.
func ParseISO(text string) (t time.Time, zoned, ok bool) {
	p := isoReader{s: text}
	year, month, day := p.number(4, 4), 1, 1
	hour, minute, second, nanos := 0, 0, 0, 0
	loc := time.UTC
	if p.s != "" {
		month, day = p.monthDay()
	}
	if p.s != "" {
		if !p.skip("T") && !p.skip(" ") {
			return t, false, false
		}
		hour, minute, second, nanos = p.clock()
		if p.s != "" {
			zoned = true
			loc = p.zone()
		}
	}
	if p.bad || p.s != "" || year < 1 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return t, false, false
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, nanos, loc)
	return t, zoned, t.Day() == day
}

// isoReader takes a text apart from its beginning. The first fault sticks in bad.
type isoReader struct {
	s   string
	bad bool
}

func (p *isoReader) skip(sep string) (ok bool) {
	p.s, ok = strings.CutPrefix(p.s, sep)
	return ok
}

func (p *isoReader) digits() int {
	n := 0
	for n < len(p.s) && p.s[n] >= '0' && p.s[n] <= '9' {
		n++
	}
	return n
}

// number reads a number of least to most digits.
func (p *isoReader) number(least, most int) int {
	n := min(p.digits(), most)
	if n < least {
		p.bad = true
		return 0
	}
	v, _ := strconv.Atoi(p.s[:n])
	p.s = p.s[n:]
	return v
}

func (p *isoReader) monthDay() (month, day int) {
	day = 1
	if p.skip("-") {
		month = p.number(1, 2)
	} else {
		month = p.number(2, 2)
		if p.s == "" { // YYYYMM could be YYMMDD
			p.bad = true
		}
	}
	if p.s != "" {
		if p.skip("-") {
			day = p.number(1, 2)
		} else {
			day = p.number(2, 2)
		}
	}
	return month, day
}

func (p *isoReader) clock() (hour, minute, second, nanos int) {
	hour = p.number(2, 2)
	if p.skip(":") || p.digits() > 0 {
		minute = p.number(2, 2)
		if p.skip(":") || p.digits() > 0 {
			second = p.number(1, 2)
			if p.skip(".") || p.skip(",") {
				n := p.digits()
				if n == 0 {
					p.bad = true
				}
				nanos, _ = strconv.Atoi((p.s[:n] + "000000000")[:9])
				p.s = p.s[n:]
			}
		}
	}
	return hour, minute, second, nanos
}

func (p *isoReader) zone() *time.Location {
	sign := 1
	switch {
	case p.skip("Z"):
		return time.UTC
	case p.skip("-"):
		sign = -1
	case !p.skip("+"):
		p.bad = true
		return time.UTC
	}
	seconds := p.number(2, 2) * 3600
	if p.skip(":") || p.s != "" {
		if p.s != "" {
			seconds += p.number(2, 2) * 60
		}
	}
	if seconds >= 24*3600 {
		p.bad = true
	}
	return time.FixedZone("", sign*seconds)
}
