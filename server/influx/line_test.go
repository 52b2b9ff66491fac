package influx

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tags := func(kv ...string) (list []Tag) {
		for i := 0; i < len(kv); i += 2 {
			list = append(list, Tag{kv[i], kv[i+1]})
		}
		return list
	}
	one := []Field{{Key: "f", Number: 1}}
	for _, tc := range []struct {
		name, in string
		want     Line
	}{
		{"usual", "m,host=a f=1 5", Line{"m", tags("host", "a"), one, 5, true}},
		{"no tags", "m f=1", Line{Measurement: "m", Fields: one}},
		{"tags in order of keys", "m,b=1,a=2 f=1", Line{Measurement: "m", Tags: tags("a", "2", "b", "1"), Fields: one}},
		{"of equal keys the last", "m,a=1,a=2 f=3,f=1", Line{Measurement: "m", Tags: tags("a", "2"), Fields: one}},
		{"escapes", `m\ n\,o\=p,a\ b=c\,d f\==1`, Line{Measurement: "m n,o=p", Tags: tags("a b", "c,d"), Fields: []Field{{Key: "f=", Number: 1}}}},
		{"other backslashes stay", `m\n\\o,h=\x f=1`, Line{Measurement: `m\n\\o`, Tags: tags("h", `\x`), Fields: one}},
		{"backslashes before a blank", `m\\\\ n f=1`, Line{Measurement: `m\\\ n`, Fields: one}},
		{"quotes", `"m n","a,b"="c=d" "f"=1`, Line{Measurement: "m n", Tags: tags("a,b", "c=d"), Fields: one}},
		{"escapes in quotes", `"m\"\\n" f=1`, Line{Measurement: `m"\n`, Fields: one}},
		{"a quote that is not closed", `m,h="x f=1`, Line{Measurement: "m", Tags: tags("h", `"x`), Fields: one}},
		{"a quote within", `m"n f=1`, Line{Measurement: `m"n`, Fields: one}},
		{"numbers", "m a=-1.5e-3,b=+2.,c=43i,d=-7i,e=9u,f=1e999", Line{Measurement: "m", Fields: []Field{{Key: "a", Number: -.0015},
			{Key: "b", Number: 2}, {"c", Integer, 43, ""}, {"d", Integer, -7, ""}, {"e", Integer, 9, ""}, {Key: "f", Number: math.Inf(1)}}}},
		{"text", `m a="x, y=\"1\" 5",b=1 6`, Line{"m", nil, []Field{{"a", Text, 0, `x, y="1" 5`}, {Key: "b", Number: 1}}, 6, true}},
		{"truths", "m a=t,b=FALSE", Line{Measurement: "m", Fields: []Field{{"a", Bool, 1, ""}, {"b", Bool, 0, ""}}}},
		{"end of a line elsewhere", "m f=1 5\r", Line{"m", nil, one, 5, true}},
		{"blanks around the time", "m f=1  5 ", Line{"m", nil, one, 5, true}},
		{"other languages", "température,ville=Zürich f=1", Line{Measurement: "température", Tags: tags("ville", "Zürich"), Fields: one}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var l Line
			if err := l.Parse([]byte(tc.in)); err != nil || !reflect.DeepEqual(l, tc.want) {
				t.Errorf("got %+v, %v\nwant %+v", l, err, tc.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"":                          errName,
		"m":                         errBlank,
		"m,":                        errName,
		"m,a f=1":                   errEquals,
		"m,a= f=1":                  errName,
		"m,,a=b f=1":                errName,
		"m,a=b=c f=1":               errBlank,
		"m  f=1":                    errName,
		"m f":                       errEquals,
		"m f=":                      errValue,
		"m f=1,":                    errName,
		"m f=.5":                    errValue,
		"m f=1e":                    errValue,
		"m f=0x10":                  errValue,
		"m f=1_000":                 errValue,
		"m f=NaN":                   errValue,
		"m f=tRUE":                  errValue,
		"m f=yes":                   errValue,
		`m f="a"b`:                  errRest,
		"m f=1 -5":                  errTime,
		"m f=1 5 6":                 errTime,
		"m f=1 5.0":                 errTime,
		"m f=1 9999999999999999999": errTime,
		"m\xff f=1":                 errEncoding,
	} {
		var l Line
		if err := l.Parse([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

// FuzzLine looks for a line that changes its meaning when it is written anew from what was understood.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"m,host=a f=1 5", `m\ n,a\ b=c\,d f\==1,g="x\"y"`, `"m n","a"="b" f=-1.5e3,g=43i,h=t 17`, "m\\", `m,h="x f=1`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var l, again Line
		if l.Parse(in) != nil {
			return
		}
		text := write(&l)
		if err := again.Parse([]byte(text)); err != nil || !reflect.DeepEqual(l, again) {
			t.Errorf("%q is %+v\n%q is %+v, %v", in, l, text, again, err)
		}
	})
}

// write is a line with everything in quotes.
func write(l *Line) string {
	quote := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
	var b strings.Builder
	b.WriteString(quote(l.Measurement))
	for _, t := range l.Tags {
		b.WriteString("," + quote(t.Key) + "=" + quote(t.Value))
	}
	sep := " "
	for _, f := range l.Fields {
		b.WriteString(sep + quote(f.Key) + "=")
		sep = ","
		switch f.Kind {
		case Text:
			b.WriteString(quote(f.Text))
		case Bool:
			b.WriteString(map[float64]string{0: "f", 1: "t"}[f.Number])
		case Integer:
			b.WriteString(whole(f.Number) + "i")
		default:
			b.WriteString(whole(f.Number))
		}
	}
	if l.HasTime {
		b.WriteString(" " + strconv.FormatInt(l.Time, 10))
	}
	return b.String()
}

// whole is a number without an exponent; an infinite one is written with enough digits.
func whole(v float64) string {
	if math.IsInf(v, 0) {
		return strconv.FormatFloat(math.Copysign(1, v), 'f', 0, 64) + strings.Repeat("0", 400)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
