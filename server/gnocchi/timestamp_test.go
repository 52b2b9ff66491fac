package gnocchi

import (
	"testing"
	"time"
)

var testNow = time.Date(2026, 3, 4, 5, 6, 7, 800_000_000, time.UTC)

func atTestNow() time.Time { return testNow }

func TestParseTimestamp(t *testing.T) {
	good := func(s, want string, numeric bool) {
		t.Helper()
		w, err := time.Parse(time.RFC3339Nano, want)
		if err != nil {
			t.Fatal(err)
		}
		got, isNumber, err := parseTimestamp(s, atTestNow)
		if err != nil || got != w.UnixNano() || isNumber != numeric {
			t.Errorf("%q: got %v %v %v, want %v", s, time.Unix(0, got).UTC(), isNumber, err, w)
		}
	}
	good("2015-03-06T14:33:57", "2015-03-06T14:33:57Z", false)
	good("2015-03-06 14:33:57", "2015-03-06T14:33:57Z", false)
	good("2015-03-06", "2015-03-06T00:00:00Z", false)
	good("2015-03", "2015-03-01T00:00:00Z", false)
	good("2015-03-06T14", "2015-03-06T14:00:00Z", false)
	good("2015-03-06T14:34", "2015-03-06T14:34:00Z", false)
	good("2014-01-03T02:02:02.000000", "2014-01-03T02:02:02Z", false)
	good("2014-01-03T02:02:02.5", "2014-01-03T02:02:02.5Z", false)
	good("2014-01-03T02:02:02.123456789987654321", "2014-01-03T02:02:02.123456789Z", false)
	good("2014-01-03T02:02:02Z", "2014-01-03T02:02:02Z", false)
	good("2014-01-03T02:02:02+01:00", "2014-01-03T01:02:02Z", false)
	good("2014-01-03T02:02:02.25-0530", "2014-01-03T07:32:02.25Z", false)
	good("2014-01-03T02:02:02+00", "2014-01-03T02:02:02Z", false)
	good("2016-02-29T00:00:00", "2016-02-29T00:00:00Z", false)
	good("1970-01-01T00:00:00", "1970-01-01T00:00:00Z", false)
	good("1970-01-01T00:00:00-01:00", "1970-01-01T01:00:00Z", false)
	good("2262-04-11T23:47:15", "2262-04-11T23:47:15Z", false)
	good("1425652437", "2015-03-06T14:33:57Z", true)
	good("1425652437.5", "2015-03-06T14:33:57.5Z", true)
	good("1e9", "2001-09-09T01:46:40Z", true)
	good("2015", "1970-01-01T00:33:35Z", true)
	good("0", "1970-01-01T00:00:00Z", true)
	good("now", "2026-03-04T05:06:07Z", false)
	good("today", "2026-03-04T00:00:00Z", false)
	good("-5 minutes", "2026-03-04T05:01:07.8Z", false)
	good("5 minutes", "2026-03-04T05:11:07.8Z", false)
	good("-1 day", "2026-03-03T05:06:07.8Z", false)

	bad := func(s string, want error) {
		t.Helper()
		if got, _, err := parseTimestamp(s, atTestNow); err != want {
			t.Errorf("%q: got %d %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "notadate", "1915-100-06T14:33:57", "2015-13", "2015-02-29", "2015-3-6", "20150306T143357",
		"2015-W10", "2015-065", "2015-03-06T24:00:00", "2015-03-06T14:60", "2015-03-06T14:33:60", "2015-03-06T14:33:57.",
		"2015-03-06T14:33:57+25:00", "2015-03-06T14:33:57+1:00", "2015-03-06T", "2015-03-06X14", "2015-03-06T14:33:57Zulu",
		"2262-04-11T23:47:17", "9999-01-01", "nan", "inf", "1e300", "99999999999", "1000000 weeks"} {
		bad(s, errBadTimestamp)
	}
	for _, s := range []string{"1915-03-06T14:33:57", "1969-12-31T23:59:59.999", "-1", "-0.1", "-100 weeks 52000 days", "1970-01-01T00:00:00+00:01"} {
		bad(s, errBeforeEpoch)
	}
}

func FuzzParseISO(f *testing.F) {
	for _, s := range []string{"2015-03-06T14:33:57", "2014-01-03T02:02:02.25-0530", "2015-03", "0000-01-01", "9999-12-31T23:59:59Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseISO(s)
		for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05Z07:00", "2006-01-02"} {
			want, err := time.Parse(layout, s)
			if err != nil || want.Year() < 1700 || want.Year() > 2200 {
				continue
			}
			if ok && got != want.UnixNano() {
				t.Fatalf("%q: got %d, want %d", s, got, want.UnixNano())
			}
		}
	})
}

func TestParseISODoesNotAllocate(t *testing.T) {
	ok := true
	n := testing.AllocsPerRun(100, func() { _, ok = parseISO("2026-01-01T00:00:00.5+01:00") })
	if !ok || n > 0 {
		t.Errorf("%v allocations", n)
	}
}
