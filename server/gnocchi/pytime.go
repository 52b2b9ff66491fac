package gnocchi

import (
	"strconv"
	"time"
)

// dayWriter writes times and remembers the day, so that a column of points costs a few divisions each.
type dayWriter struct {
	day  int64    // days since the epoch that text holds
	set  bool     // whether it holds any
	text [11]byte // YYYY-MM-DDT
}

// append appends nanos, truncated to whole seconds, as YYYY-MM-DDTHH:MM:SS+00:00.
func (w *dayWriter) append(dst []byte, nanos int64) []byte {
	secs := floorDiv(nanos, secondNanos)
	day := floorDiv(secs, 86400)
	if w.day != day || !w.set {
		time.Unix(secs, 0).UTC().AppendFormat(w.text[:0], "2006-01-02T")
		w.day, w.set = day, true
	}
	n := uint32(secs - day*86400)
	h, m, s := n/3600, n/60%60, n%60
	dst = append(dst, w.text[:]...)
	return append(dst, '0'+byte(h/10), '0'+byte(h%10), ':', '0'+byte(m/10), '0'+byte(m%10), ':',
		'0'+byte(s/10), '0'+byte(s%10), '+', '0', '0', ':', '0', '0')
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// pyTime writes a date of a resource: with six digits behind the second unless they are zero.
func pyTime(t time.Time) string {
	t = t.UTC()
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02T15:04:05+00:00")
	}
	return t.Format("2006-01-02T15:04:05.000000+00:00")
}

// pyTimedelta writes a length of time as Python does: [N day[s], ]H:MM:SS[.ffffff].
func pyTimedelta(d time.Duration) string {
	const day = 24 * time.Hour
	d = d.Round(time.Microsecond)
	var b []byte
	if n := int64(d / day); n > 0 {
		b = strconv.AppendInt(b, n, 10)
		b = append(b, " days, "...)
		if n == 1 {
			b = append(b[:0], "1 day, "...)
		}
		d %= day
	}
	clock := time.Time{}.Add(d)
	b = strconv.AppendInt(b, int64(clock.Hour()), 10)
	b = clock.AppendFormat(b, ":04:05")
	if clock.Nanosecond() > 0 {
		b = clock.AppendFormat(b, ".000000")
	}
	return string(b)
}

// spanSecondsText writes a length of time as everywhere but in policies: seconds, as a float.
func spanSecondsText(d time.Duration) string {
	return string(appendPyFloat(nil, float64(d)/1e9))
}
