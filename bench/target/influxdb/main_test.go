package main

import (
	"strings"
	"testing"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target/targettest"
)

func TestMain(m *testing.M) { targettest.Main(m, main) }

func TestAnswersAreThoseOfTheEngine(t *testing.T) { targettest.WholeRun(t, name, true) }

func TestKilledItStartsAgain(t *testing.T) { targettest.Killed(t, name, true) }

func TestLineProtocol(t *testing.T) {
	start := lineStart(dataset.Series{Metric: "cpu,0", Resource: "a b", Project: "p=q", Host: "h"})
	line := string(appendLine(nil, start, dataset.Sample{Millis: 1767571200125, Value: 1e-300}))
	if want := `sample,host=h,meter=cpu\,0,project=p\=q,resource=a\ b value=1e-300 1767571200125` + "\n"; line != want {
		t.Errorf("got %q, want %q", line, want)
	}
	key, _, _ := strings.Cut(start, " value")
	if n := tagBytes(key); n != len("h"+"cpu,0"+"p=q"+"a b") {
		t.Errorf("%q has %d bytes of tags", key, n)
	}
	if got, want := text(`it's \`), `'it\'s \\'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPoint(t *testing.T) {
	for _, test := range []struct {
		line, head string
		millis     int64
		value      float64
		bad        bool
	}{
		{"name,tags,time,value\n", "", 0, 0, false},
		{"\n", "", 0, 0, false},
		{"sample,,1767571200125,1.5\n", "sample,", 1767571200125, 1.5, false},
		{`sample,"group=a,host=h",5,-1000`, `sample,"group=a,host=h"`, 5, -1000, false},
		{"sample,,x,1.5\n", "", 0, 0, true},
		{"sample\n", "", 0, 0, true},
		{"1,2\n", "", 0, 0, true},
	} {
		head, millis, value, err := point([]byte(test.line))
		if string(head) != test.head || millis != test.millis || value != test.value || (err != nil) != test.bad {
			t.Errorf("%q: %q, %d, %v, %v", test.line, head, millis, value, err)
		}
	}
	if err := refused([]byte("error\n\"database not found: bench\"\n")); err == nil || !strings.Contains(err.Error(), "database not found") {
		t.Errorf("got %v", err)
	}
}

func TestStorageOf(t *testing.T) {
	got, err := storageOf([]byte(`{"cmdline":["influxd"],"tsm1_cache:1":{"name":"tsm1_cache","values":{"memBytes":5,"cacheAgeMs":9}},
		"tsm1_wal:1":{"name":"tsm1_wal","values":{"currentSegmentDiskBytes":1,"oldSegmentsDiskBytes":2}},
		"tsm1_engine:1":{"name":"tsm1_engine","values":{"tsmFullCompactionsActive":1,"tsmLevel1CompactionQueue":2,"tsmFullCompactions":7}},
		"tsm1_filestore:1":{"name":"tsm1_filestore","values":{"numFiles":4,"diskBytes":99}}}`))
	if want := (storage{8, 3, 4}); got != want || err != nil {
		t.Errorf("%+v %v, want %+v", got, err, want)
	}
	if _, err := storageOf([]byte("404 page not found")); err == nil {
		t.Error("that is no list of variables")
	}
}
