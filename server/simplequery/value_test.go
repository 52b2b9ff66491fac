package simplequery

import (
	"math"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	at := func(text string) int64 {
		v, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixNano()
	}
	for _, tc := range []struct {
		text string
		want int64
	}{
		{"2013", at("2013-01-01T00:00:00Z")},
		{"2013-02", at("2013-02-01T00:00:00Z")},
		{"2013-02-03", at("2013-02-03T00:00:00Z")},
		{"2013-2-3", at("2013-02-03T00:00:00Z")},
		{"20130203", at("2013-02-03T00:00:00Z")},
		{"2013-02-03T10", at("2013-02-03T10:00:00Z")},
		{"2013-02-03T10:11", at("2013-02-03T10:11:00Z")},
		{"2013-02-03 10:11:12", at("2013-02-03T10:11:12Z")},
		{"2013-02-03T10:11:12.5", at("2013-02-03T10:11:12.5Z")},
		{"2013-02-03T10:11:12,123456", at("2013-02-03T10:11:12.123456Z")},
		{"2013-02-03T10:11:12.1234567899", at("2013-02-03T10:11:12.123456789Z")},
		{"20200101T000030", at("2020-01-01T00:00:30Z")},
		{"2013-02-03T10:11:12Z", at("2013-02-03T10:11:12Z")},
		{"2013-02-03T12:00:00+02:00", at("2013-02-03T12:00:00Z")}, // dropped, not applied
		{"2013-02-03T12:00:00-0230", at("2013-02-03T12:00:00Z")},
		{"2013-02-03T12:00:00+02", at("2013-02-03T12:00:00Z")},
		{"2012-02-29T23:59:59.999999+23:59", at("2012-02-29T23:59:59.999999Z")},
		{"0001-01-01T00:00:00", math.MinInt64},
		{"9999-12-31T23:59:59", math.MaxInt64},
	} {
		if got, err := ParseTime("timestamp", tc.text); err != nil || got != tc.want {
			t.Errorf("%s: got %d, %v, want %d", tc.text, got, err, tc.want)
		}
	}
}

func TestParseTimeErrors(t *testing.T) {
	for _, text := range []string{"", "zzz", "201302", "13", "2013-13-01", "2013-00-01", "2013-02-30", "2013-02-03T", "2013-02-03T24:00",
		"2013-02-03T10:60", "2013-02-03T10:11:60", "2013-02-03T10:11:12.", "2013-02-03T10:11:12 Z", "2013-02-03x10:11", "2013-02-03Z",
		"2013-02-03T10:11:12+2", "2013-02-03T10:11:12+99:00", "2013-02-03T10:11:12Zz", " 2013", "0000-01-01", "now", "1359849600"} {
		_, err := ParseTime("timestamp", text)
		if want := "Invalid input for field/attribute timestamp. Value: '" + text + "'. invalid timestamp format"; err == nil || err.Error() != want {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestParseISOKeepsTheOffset(t *testing.T) {
	got, zoned, ok := ParseISO("2013-02-03T12:00:00+02:00")
	if !ok || !zoned || !got.Equal(time.Date(2013, 2, 3, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("got %v %v %v", got, zoned, ok)
	}
	if _, zoned, ok = ParseISO("2013-02-03T12:00:00"); !ok || zoned {
		t.Errorf("without an offset: %v %v", zoned, ok)
	}
}

func TestParseInt(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "-1": -1, "+5": 5, " 7 ": 7, "99999999999999999999": math.MaxInt64} {
		if got, err := ParseInt("limit", text); err != nil || got != want {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "abc", "1.0", "0x1"} {
		_, err := ParseInt("limit", text)
		if want := "Invalid input for field/attribute limit. Value: '" + text + "'. unable to convert to int."; err == nil || err.Error()[:len(want)] != want {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestTruth(t *testing.T) {
	for text, want := range map[string][2]bool{"True": {true, true}, "1": {true, true}, "YES": {true, true}, "off": {false, true},
		"F": {false, true}, "": {false, false}, "maybe": {false, false}} {
		if got, ok := Truth(text); got != want[0] || ok != want[1] {
			t.Errorf("%q: got %v %v", text, got, ok)
		}
	}
}

// FuzzParseISO wants a time that is read to be written and read again as the same.
func FuzzParseISO(f *testing.F) {
	for _, s := range []string{"2013-02-03T10:11:12.123456+02:00", "20200101T000030", "2013-2", "2013"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, _, ok := ParseISO(text)
		if !ok {
			return
		}
		again, zoned, ok := ParseISO(at.Format("2006-01-02T15:04:05.999999999Z07:00"))
		if !ok || !zoned || !again.Equal(at) {
			t.Fatalf("%q is %v, read again %v", text, at, again)
		}
	})
}
