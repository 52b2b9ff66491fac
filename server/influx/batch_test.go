package influx

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

var usual = Options{Tag: "host", Unit: 1, Now: 99}

func TestRead(t *testing.T) {
	body := "mymetric,host=foobar,mytag=myvalue field=123 1510581804179554816\n\n" +
		"cpu,path=/foobar,host=b,a=1 field=43i,text=\"x\" 7\n" +
		"only,host=c text=\"y\"\n" +
		"m/n,host=foobar v=2.5\n"
	var b Batch
	if err := b.Read([]byte(body), usual); err != nil {
		t.Fatal(err)
	}
	want := Batch{Lines: 4, Texts: 2, Samples: []Sample{
		{"foobar", "mymetric.field@mytag=myvalue", 1510581804179554816, 123},
		{"b", "cpu.field@a=1,path=_foobar", 7, 43},
		{"foobar", "m_n.v", 99, 2.5},
	}}
	if !reflect.DeepEqual(b, want) {
		t.Errorf("got  %+v\nwant %+v", b, want)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		line       int // of a LineError
		tag        bool
	}{
		{"a bad line, empty ones counted", "m,host=a f=1\n\nnonsense\n", 3, false},
		{"a truth", "m,host=a f=true", 1, false},
		{"no tag", "m,other=a f=1", 0, true},
		{"a long name", "m,host=a,t=" + strings.Repeat("é", 300) + " f=1", 1, false},
		{"a name far too long", "m,host=a,t=" + strings.Repeat("x", 3000) + " f=1", 1, false},
		{"too late", "m,host=a f=1 9214646400000000000", 1, false},
		{"a line of blanks", "m,host=a f=1\n ", 2, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var b Batch
			err := b.Read([]byte(tc.body), usual)
			var line *LineError
			var tag *TagError
			if errors.As(err, &line) != (tc.line > 0) || tc.line > 0 && line.Line != tc.line || errors.As(err, &tag) != tc.tag {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestUnits(t *testing.T) {
	for precision, want := range map[string]int64{"": 7, "n": 7, "ns": 7, "u": 7e3, "us": 7e3, "ms": 7e6, "s": 7e9, "m": 420e9, "h": 25200e9} {
		unit, ok := Unit(precision)
		var b Batch
		if err := b.Read([]byte("m,host=a f=1 7"), Options{Tag: "host", Unit: unit}); !ok || err != nil || b.Samples[0].Time != want {
			t.Errorf("%q: %v %v %+v", precision, ok, err, b.Samples)
		}
	}
	if _, ok := Unit("days"); ok {
		t.Error("days are no unit")
	}
	var b Batch
	if err := b.Read([]byte("m,host=a f=1 9223372036854775807"), Options{Tag: "host", Unit: 3600e9}); err == nil {
		t.Error("a time that overflows was taken")
	}
}

func TestDatabase(t *testing.T) {
	for query, want := range map[string]string{
		"create database influxdbtest":                "influxdbtest",
		"CREATE DATABASE x;":                          "x",
		"  Create\tDatabase\n_a1 ; ":                  "_a1",
		`create database "my db"`:                     "my db",
		`CREATE DATABASE "telegraf" WITH DURATION 1h`: "telegraf",
		"createdatabase x":                            "x",
		"select metrics plz":                          "",
		"create database":                             "",
		"create database 1x":                          "",
		"create databasex":                            "",
		`create database "x`:                          "",
		"":                                            "",
	} {
		if got, ok := Database(query); got != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", query, got, ok, want)
		}
	}
}

// FuzzBatch looks for a body that breaks the reader or makes more of it than there is.
func FuzzBatch(f *testing.F) {
	f.Add([]byte("mymetric,host=foobar,mytag=myvalue field=123 1510581804179554816\ncpu,path=/foobar,host=b field=43i"))
	f.Add([]byte("m,host=a f=true\n\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var b Batch
		if b.Read(body, usual) != nil {
			return
		}
		if b.Lines > strings.Count(string(body), "\n")+1 || len(b.Samples)+b.Texts > len(body) {
			t.Errorf("%d lines, %d samples of %d bytes", b.Lines, len(b.Samples), len(body))
		}
		for _, s := range b.Samples {
			if s.Time < 0 || s.Time >= maxTime || strings.Contains(s.Metric, "/") {
				t.Errorf("%+v", s)
			}
		}
	})
}
