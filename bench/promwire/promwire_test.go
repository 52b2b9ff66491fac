package promwire

import (
	"testing"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/telemetrydb/tsdb/bench/dataset"
	"github.com/telemetrydb/tsdb/bench/target"
)

var set = &dataset.Set{Series: []dataset.Series{{Metric: "cpu.0", Resource: "r", Project: "p", Host: "h", Group: "a"}, {Metric: "mem"}}}

func TestEncodeIsRemoteWrite(t *testing.T) {
	e := NewEncoder(Labels(set))
	samples := []dataset.Sample{{Series: 1, Millis: 5, Value: 1}, {Series: 0, Millis: 7, Value: 2.5}, {Series: 1, Millis: 1_767_571_200_000, Value: -3}}
	for range 2 { // the memory of the first is used again
		body, err := snappy.Decode(nil, e.Encode(samples))
		if err != nil {
			t.Fatal(err)
		}
		var w prompb.WriteRequest
		if err := w.Unmarshal(body); err != nil {
			t.Fatal(err)
		}
		if len(w.Timeseries) != 2 || len(w.Timeseries[0].Labels) != 5 || w.Timeseries[0].Labels[0].Value != "cpu.0" || w.Timeseries[0].Labels[4].Value != "r" {
			t.Fatalf("%v", w.Timeseries)
		}
		got := w.Timeseries[1].Samples
		if len(got) != 2 || got[0].Value != 1 || got[0].Timestamp != 5 || got[1].Value != -3 || got[1].Timestamp != 1_767_571_200_000 {
			t.Errorf("%v", got)
		}
	}
}

func TestSelector(t *testing.T) {
	for want, s := range map[string]target.Selection{`{__name__="cpu.0",resource="r"}`: {}, `{project="p\"q"}`: {Key: "project", Value: `p"q`}} {
		if got := Selector(set, s); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestRangeEndsBuckets(t *testing.T) {
	for _, test := range []struct {
		from, to   int64
		start, end string
	}{{600_000, 899_999, "899.999", "899.999"}, {600_001, 900_000, "899.999", "1199.999"}, {0, 0, "299.999", "299.999"}} {
		q := Range("x", test.from, test.to, 300_000)
		if q.Get("start") != test.start || q.Get("end") != test.end || q.Get("step") != "300.000" {
			t.Errorf("%+v: %v", test, q)
		}
	}
}

func TestSumMatrix(t *testing.T) {
	for _, test := range []struct {
		answer string
		n      int
		sum    float64
		bad    bool
	}{
		{`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"2.5"],[2,"-1e3"]]},{"metric":{},"values":[[1,"1"]]}]}}`, 3, -996.5, false},
		{`{"status":"success","data":{"resultType":"matrix","result":[]}}`, 0, 0, false},
		{`{"status":"error","error":"query processing would load too many samples"}`, 0, 0, true},
		{`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2.`, 0, 0, true},
		{``, 0, 0, true},
	} {
		n, sum, err := SumMatrix([]byte(test.answer))
		if n != test.n || sum != test.sum || (err != nil) != test.bad {
			t.Errorf("%s: %d, %v, %v", test.answer, n, sum, err)
		}
	}
}
