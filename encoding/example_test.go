package encoding_test

import (
	"fmt"
	"time"

	"github.com/telemetrydb/tsdb/encoding"
)

func ExampleEncoder() {
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC).UnixNano()
	var ts []int64
	var vs []float64
	for i := range 1000 {
		ts = append(ts, start+int64(i)*int64(time.Second))
		vs = append(vs, float64(i%7)/10)
	}
	var e encoding.Encoder
	src := e.AppendBlock(nil, ts, []encoding.Column{{Values: vs}}, encoding.Fast)

	b, err := encoding.ParseBlock(src)
	if err != nil {
		fmt.Println(err)
		return
	}
	i, j, err := b.Range(start+10*int64(time.Second), start+14*int64(time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := b.AppendValues(nil, 0, i, j)
	fmt.Println(b.Len(), i, j, got, err)
	// Output: 1000 10 14 [0.3 0.4 0.5 0.6] <nil>
}
