package gnocchi

import (
	"errors"
	"math"
	"strings"
	"time"
)

// What can be wrong with a timestamp, in the words of the API.
var (
	errBadTimestamp = errors.New("Unable to convert timestamps")
	errBeforeEpoch  = errors.New("Timestamp must be after Epoch")
)

const secondNanos = int64(time.Second)

// secondsToNanos converts seconds since the epoch as the reference does, in float64 arithmetic and truncated, so that
// the noise of a float is the same noise.
func secondsToNanos(seconds float64) (int64, error) {
	nanos := seconds * 1e9
	switch {
	case nanos < 0:
		return 0, errBeforeEpoch
	case nanos >= 0 && nanos < math.MaxInt64:
		return int64(nanos), nil
	}
	return 0, errBadTimestamp // NaN, infinite, beyond the year 2262
}

// parseTimestamp reads any spelling of a time: seconds since the epoch, ISO 8601, "now", "today", or a timespan from now.
// Numeric tells that it was a number. The result is in nanoseconds since the epoch.
func parseTimestamp(s string, now func() time.Time) (nanos int64, numeric bool, err error) {
	if t, ok := parseISO(s); ok {
		if t < 0 {
			return 0, false, errBeforeEpoch
		}
		return t, false, nil
	}
	if f, ok := parsePyFloat(s); ok {
		nanos, err = secondsToNanos(f)
		return nanos, true, err
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "now":
		return now().Truncate(time.Second).UnixNano(), false, nil
	case "today":
		return now().UTC().Truncate(24 * time.Hour).UnixNano(), false, nil
	}
	span, ok := parseTimespan(s)
	if !ok {
		return 0, false, errBadTimestamp
	}
	t := now().UnixNano()
	if sum := t + span; span > 0 && sum < t {
		return 0, false, errBadTimestamp
	} else if sum < 0 {
		return 0, false, errBeforeEpoch
	} else {
		return sum, false, nil
	}
}

// parseISO reads ISO 8601 in its extended format, from YYYY-MM to fractions of a second, with T or a blank before the
// time and an optional Z or offset behind it. It reports false for other text and for times that nanoseconds cannot
// hold. A time before 1970 is negative. It does not allocate.
func parseISO(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	if len(s) < 7 || s[4] != '-' {
		return 0, false
	}
	year, ok1 := number(s[:4])
	month, ok2 := number(s[5:7])
	if !ok1 || !ok2 || month < 1 || month > 12 {
		return 0, false
	}
	if len(s) == 7 {
		return seconds(days(year, month, 1)*86400, 0)
	}
	if len(s) < 10 || s[7] != '-' {
		return 0, false
	}
	day, ok := number(s[8:10])
	if !ok || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	secs := days(year, month, day) * 86400
	if len(s) == 10 {
		return seconds(secs, 0)
	}
	if s[10] != 'T' && s[10] != ' ' {
		return 0, false
	}
	clock, frac, rest, ok := isoClock(s[11:])
	if !ok {
		return 0, false
	}
	offset, ok := isoOffset(rest)
	if !ok {
		return 0, false
	}
	return seconds(secs+clock-offset, frac)
}

// isoClock reads HH, HH:MM or HH:MM:SS with a fraction of up to 18 digits, of which nine count.
func isoClock(s string) (secs, nanos int64, rest string, ok bool) {
	limit, unit := int64(23), int64(3600)
	for {
		if len(s) < 2 {
			return 0, 0, "", false
		}
		n, ok := number(s[:2])
		if !ok || n > limit {
			return 0, 0, "", false
		}
		secs += n * unit
		s = s[2:]
		if unit == 1 || s == "" || s[0] != ':' {
			break
		}
		s, limit, unit = s[1:], 59, unit/60
	}
	if unit != 1 || s == "" || s[0] != '.' {
		return secs, 0, s, true
	}
	i, scale := 1, int64(secondNanos/10)
	for ; i < len(s) && isDigit(s[i]); i++ {
		nanos += int64(s[i]-'0') * scale
		scale /= 10
	}
	return secs, nanos, s[i:], i > 1 && i <= 19
}

// isoOffset reads nothing, Z, ±HH, ±HHMM or ±HH:MM and gives seconds east of UTC.
func isoOffset(s string) (int64, bool) {
	if s == "" || s == "Z" {
		return 0, true
	}
	sign := int64(1)
	switch s[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	s = s[1:]
	if len(s) == 5 && s[2] == ':' {
		h, ok1 := number(s[:2])
		m, ok2 := number(s[3:])
		return sign * (h*3600 + m*60), ok1 && ok2 && h < 24 && m < 60
	}
	n, ok := number(s)
	switch len(s) {
	case 2:
		return sign * n * 3600, ok && n < 24
	case 4:
		return sign * (n/100*3600 + n%100*60), ok && n/100 < 24 && n%100 < 60
	}
	return 0, false
}

// number reads decimal digits, of which there are at most four here.
func number(s string) (int64, bool) {
	n := int64(0)
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

func seconds(secs, nanos int64) (int64, bool) {
	if secs > math.MaxInt64/secondNanos-1 || secs < math.MinInt64/secondNanos+1 {
		return 0, false
	}
	return secs*secondNanos + nanos, true
}

// days counts days from 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap day is last.
func days(year, month, day int64) int64 {
	if month < 3 {
		year--
		month += 12
	}
	leaps := year/4 - year/100 + year/400
	return year*365 + leaps + (153*(month-3)+2)/5 + day - 1 - 719468
}

func daysIn(year, month int64) int64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
