package remote

import (
	"fmt"
	"time"
)

// isoMillis is a time of UTC as Python's programs write it, with milliseconds.
const isoMillis = "2006-01-02T15:04:05.000"

// AppendTime appends milliseconds since the epoch as APIs written in Python take them: 2026-01-05T00:00:00.250.
func AppendTime(dst []byte, millis int64) []byte {
	return time.UnixMilli(millis).UTC().AppendFormat(dst, isoMillis)
}

// Time is AppendTime as a string.
func Time(millis int64) string { return string(AppendTime(nil, millis)) }

// Clock reads such times, quickly if they are of one day. It serves one goroutine at a time.
type Clock struct {
	day   [10]byte
	start int64 // of the day, milliseconds since the epoch
}

// Millis reads a time, with a fraction or without, whose zone, if it has one, is UTC. What is finer than a millisecond must be 0.
func (c *Clock) Millis(text []byte) (int64, error) {
	if len(text) < len("2006-01-02T15:04:05") || text[10] != 'T' || text[13] != ':' || text[16] != ':' {
		return 0, fmt.Errorf("%.40q is no time", text)
	}
	if day := [10]byte(text); day != c.day {
		at, err := time.Parse(time.DateOnly, string(text[:10]))
		if err != nil {
			return 0, err
		}
		c.day, c.start = day, at.UnixMilli()
	}
	millis, bad := int64(0), false
	digit := func(i int) int64 {
		d := int64(text[i]) - '0'
		bad = bad || d < 0 || d > 9
		return d
	}
	millis = ((digit(11)*10+digit(12))*60+digit(14)*10+digit(15))*60 + digit(17)*10 + digit(18)
	millis *= 1000
	rest := 19
	if rest < len(text) && text[rest] == '.' {
		rest++
		for place := int64(100); rest < len(text) && text[rest] >= '0' && text[rest] <= '9'; rest++ {
			millis += digit(rest) * place
			bad = bad || place == 0 && text[rest] != '0'
			place /= 10
		}
	}
	if zone := string(text[rest:]); bad || zone != "" && zone != "Z" && zone != "+00:00" {
		return 0, fmt.Errorf("%.40q is no time in UTC of whole milliseconds", text)
	}
	return c.start + millis, nil
}
