package main

import (
	"testing"

	"github.com/telemetrydb/tsdb/bench/target/targettest"
)

func TestMain(m *testing.M) { targettest.Main(m, main) }

func TestAnswersAreThoseOfTheEngine(t *testing.T) { targettest.WholeRun(t, name, false) } // it keeps decimal digits, so bits differ

func TestKilledItStartsAgain(t *testing.T) { targettest.Killed(t, name, false) }

func TestReadExport(t *testing.T) {
	for _, test := range []struct {
		text    string
		columns int
		bad     bool
	}{
		{"", 0, false},
		{`{"metric":{"__name__":"a","x":"y"},"values":[1.5,-2e3],"timestamps":[1767571200000,1767571201000]}` + "\n" +
			`{"metric":{},"values":[],"timestamps":[]}` + "\n", 2, false},
		{`{"metric":{},"values":[1,2],"timestamps":[1]}`, 0, true},
		{`{"metric":{},"values":[1`, 0, true},
		{`{"metric":{},"values":[null],"timestamps":[1]}`, 0, true},
		{`{"error":"too many"}`, 0, true},
	} {
		var s server
		columns := 0
		err := s.readExport([]byte(test.text), func(times []int64, values []float64) {
			if columns++; len(times) != len(values) || columns == 1 && (values[1] != -2000 || times[1] != 1767571201000) {
				t.Errorf("%v %v", times, values)
			}
		})
		if columns != test.columns || (err != nil) != test.bad {
			t.Errorf("%s: %d columns, %v", test.text, columns, err)
		}
	}
}

func TestActiveMerges(t *testing.T) {
	n, err := activeMerges([]byte("vm_active_force_merges 1\nvm_active_merges{type=\"storage/big\"} 2\nvm_merges_total{type=\"x\"} 9\n"))
	if n != 3 || err != nil {
		t.Errorf("%v %v", n, err)
	}
	if _, err := activeMerges([]byte("go_goroutines 5\n")); err == nil {
		t.Error("another server's metrics are taken for its")
	}
}
